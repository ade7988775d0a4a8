"""A whole table of measurements becomes cases, one for each row; bad rows come back with why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from firstread.clinic.checks.checks import check_named, manifest_of
from firstread.clinic.models import Person
from firstread.clinic.steps import intake
from firstread.clinic.steps.files import Incoming
from firstread.clinic.steps.intake import Received
from firstread.clinic.steps.kinds import KINDS
from firstread.domain.errors import (
    BadMeasurement,
    FirstreadError,
    TroubleElsewhere,
    UnreadableSample,
)
from firstread.tables.measurements import RefusedRow, parse_table


@dataclass(frozen=True, kw_only=True)
class ReceivedTable:
    """What became of a table: what each good row made, and the lines that were refused."""

    received: tuple[Received, ...]
    refused: tuple[RefusedRow, ...]
    told: tuple[str, ...]
    """What was not read of the table, or had to be supposed."""

    @property
    def why(self) -> str:
        """The refused lines, one sentence each."""
        return "\n".join(row.reason for row in self.refused)


def receive_table(
    data: bytes, *, check: str, door: str, by: Person | None, accession: str = "", patient: str = ""
) -> ReceivedTable:
    """Receive each row of the table as a case of its own.

    `accession` and `patient` stand for a single row that names none. Sent again, the table makes
    nothing twice, so a corrected table may be sent whole. Raises UnreadableSample and
    BadMeasurement where there is no table to speak of.
    """
    table = parse_table(data, manifest_of(check_named(check)))
    alone = len(table.rows) + len(table.refused) == 1
    received, refused = [], list(table.refused)
    for row in table.rows:
        try:
            received.append(
                intake.receive_measurements(
                    row.values,
                    check=check,
                    door=door,
                    accession=row.accession or (accession if alone else ""),
                    patient=row.patient or (patient if alone else ""),
                    by=by,
                )
            )
        except TroubleElsewhere:
            raise  # no line is at fault
        except FirstreadError as error:
            said = str(error)
            reason = said if said.startswith("Line ") else f"Line {row.line}: {said}"
            refused.append(RefusedRow(line=row.line, reason=reason))
    refused.sort(key=lambda each: each.line)
    return ReceivedTable(received=tuple(received), refused=tuple(refused), told=table.told)


def takes_tables(check: str) -> bool:
    """Whether what comes in files for this check is a table."""
    return KINDS[check_named(check).kind].row is not None


def receive_one_row(
    files: Sequence[Incoming],
    *,
    check: str,
    door: str,
    by: Person | None,
    accession: str = "",
    patient: str = "",
) -> Received:
    """Receive a table of one row as a case, where whoever asks is told of one case.

    Raises UnreadableSample where there are more rows, BadMeasurement where its row cannot be taken
    or says another accession or patient than came with it.
    """
    table = parse_table(files[0].data, manifest_of(check_named(check)), needs_accession=False)
    count = len(table.rows) + len(table.refused)
    if len(files) > 1 or count > 1:
        raise UnreadableSample(
            "One row of measurements makes one case here. Send each row by itself, or put the "
            "whole table in on the page, in the watched folder, or by 'firstread submit TABLE'."
        )
    if table.refused:
        raise BadMeasurement(table.refused[0].reason, field="")
    (row,) = table.rows
    for what, said, own in (
        ("accession", accession, row.accession),
        ("patient", patient, row.patient),
    ):
        if said and own and said != own:
            raise BadMeasurement(
                f"The {what} that came with the table is '{said[:40]}', and the table says "
                f"'{own[:40]}'. Give one of them.",
                field=what,
            )
    received = intake.receive_measurements(
        row.values,
        check=check,
        door=door,
        accession=row.accession or accession,
        patient=row.patient or patient,
        by=by,
    )
    return replace(received, told=table.told)

"""A whole table of measurements becomes cases, one for each row; bad rows come back with why."""

from __future__ import annotations

from dataclasses import dataclass

from firstread.clinic.checks.checks import check_named, manifest_of
from firstread.clinic.models import Person
from firstread.clinic.steps import intake
from firstread.clinic.steps.intake import Received
from firstread.domain.errors import FirstreadError, TroubleElsewhere
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

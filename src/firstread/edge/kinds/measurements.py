"""Measurements: a row is a sample, and a table or a list holds many."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from firstread.domain.errors import FirstreadError
from firstread.edge.kinds import Keep, KindAtTheEdge
from firstread.packs import Manifest
from firstread.runtime.measurements import as_array, measurements_as_bytes
from firstread.tables.measurements import Row, parse_table

if TYPE_CHECKING:
    from firstread.client import Client, Submitted
    from firstread.edge.entries import Entry
    from firstread.inbox.taking import Whole

log = logging.getLogger(__name__)


def _take_in(whole: Whole, *, manifest: Manifest, keep: Keep) -> str:
    table = parse_table(whole.data, manifest)
    alone = len(table.rows) + len(table.refused) == 1
    refused = [(row.line, row.reason) for row in table.refused]
    good = 0
    for row in table.rows:
        try:
            _keep_row(whole, row, manifest=manifest, alone=alone, keep=keep)
            good += 1
        except FirstreadError as error:
            said = str(error)
            reason = said if said.startswith("Line ") else f"Line {row.line}: {said}"
            refused.append((row.line, reason))
    for told in table.told:
        log.info("of a table: %s", told)
    if not refused:
        return ""
    lines = "\n".join(reason for _, reason in sorted(refused))
    return (
        f"{lines}\nThe other {good} rows were taken. "
        "Correct these lines and put the table in again."
    )


def _keep_row(whole: Whole, row: Row, *, manifest: Manifest, alone: bool, keep: Keep) -> None:
    as_array(row.values, measurements=manifest.measurements)  # refuses what the pack would
    known = {m.code: row.values.get(m.code) for m in manifest.measurements}
    address = whole.address
    keep(
        measurements_as_bytes(known),
        accession=row.accession or (address.accession if alone else ""),
        patient=row.patient or (address.patient if alone else ""),
    )


def _post(
    client: Client,
    entries: Sequence[Entry],  # noqa: ARG001  the form of Post
    data: Sequence[bytes],
    **case: Any,
) -> Submitted:
    return client.submit_measurements(json.loads(data[0]), **case)


KIND = KindAtTheEdge(
    example="measurements.json",
    not_media=("image/", "video/", "audio/"),
    send="reads measurements, not pictures. Send JSON: an object with one number for each "
    "measurement, or a list of them; or a table: CSV or a workbook (.xlsx).",
    in_tables=True,
    take_in=_take_in,
    post=_post,
)

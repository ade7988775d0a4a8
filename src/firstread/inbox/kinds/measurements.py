"""A table of measurements is whole once it can be read to the end of its last line."""

from collections.abc import Callable

from firstread.inbox.kinds import KindOfFile
from firstread.inbox.names import ends_a_line, is_table
from firstread.tables.columns import TakesMeasurements
from firstread.tables.measurements import parse_table
from firstread.tables.workbook import is_workbook


def _is_whole(
    data: bytes,
    *,
    name: str,  # noqa: ARG001  the form of IsWhole
    measurements: Callable[[], TakesMeasurements],
) -> bool:
    parse_table(data, measurements())
    return data.lstrip()[:1] in (b"{", b"[") or is_workbook(data) or ends_a_line(data)


KIND = KindOfFile(called="tables of measurements", takes=is_table, is_whole=_is_whole)

"""A picture is whole once it can be decoded."""

from collections.abc import Callable

from firstread.imaging import decode
from firstread.inbox.kinds import KindOfFile
from firstread.inbox.names import is_table
from firstread.tables.columns import TakesMeasurements


def _is_whole(
    data: bytes,
    *,
    name: str,  # noqa: ARG001  the form of IsWhole
    measurements: Callable[[], TakesMeasurements],  # noqa: ARG001
) -> bool:
    decode(data)
    return True


KIND = KindOfFile(called="pictures", takes=lambda name: not is_table(name), is_whole=_is_whole)

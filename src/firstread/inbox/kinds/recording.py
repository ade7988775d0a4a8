"""A recording is whole once it opens; it may lie in two files, and it may be a table."""

from collections.abc import Callable

from firstread.inbox.kinds import KindOfFile
from firstread.inbox.names import ends_a_line, is_table
from firstread.recordings import open_recording
from firstread.recordings.together import half_of_a_pair
from firstread.tables.columns import TakesMeasurements


def _is_whole(
    data: bytes,
    *,
    name: str,
    measurements: Callable[[], TakesMeasurements],  # noqa: ARG001  the form of IsWhole
) -> bool:
    open_recording(data)
    # A table cut off at the end of a line looks whole; one cut off within does not.
    return not is_table(name) or ends_a_line(data)


KIND = KindOfFile(
    called="recordings",
    takes=lambda name: True,  # noqa: ARG005  it says itself what it is when it is opened
    is_whole=_is_whole,
    is_half=half_of_a_pair,
)

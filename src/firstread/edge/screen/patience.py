"""When it is the archive that is away, and not single samples."""

from __future__ import annotations

from firstread.domain.errors import Unreachable
from firstread.edge.screen.answered import Answered

AT_MOST = 50


class Patience:
    """Ends when so many samples in a row could not be fetched; threads may share it."""

    def __init__(self) -> None:
        self._in_a_row = 0

    def test(self, row: Answered) -> None:
        """Raises Unreachable where the row is the last that is borne."""
        self._in_a_row = self._in_a_row + 1 if row.again else 0
        if self._in_a_row >= AT_MOST:
            raise Unreachable(
                f"The last {AT_MOST} samples could not be fetched. {row.error} Run the same "
                "command when the archive can be reached again: it goes on where it stopped."
            )

"""What an inbox must know of a kind of sample: which files are one, and when they are whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from firstread.domain.kinds import Kinds
from firstread.tables.columns import TakesMeasurements


class IsWhole(Protocol):
    """Whether the bytes of a file of that name can be all of it; `measurements` tells, only where
    it is asked, which a table must hold.

    Raises FirstreadError, or says no, where they are not.
    """

    def __call__(
        self, data: bytes, *, name: str, measurements: Callable[[], TakesMeasurements]
    ) -> bool: ...


def never(name: str) -> bool:  # noqa: ARG001  the form of `is_half`
    """Samples of this kind lie in one file."""
    return False


@dataclass(frozen=True, kw_only=True)
class KindOfFile:
    """How samples of a kind lie in an inbox."""

    called: str
    """What its check reads, after 'reads': pictures."""
    takes: Callable[[str], bool]
    """Whether a file of that name may hold one."""
    is_whole: IsWhole
    is_half: Callable[[str], bool] = never
    """Whether a file of that name may be half of one."""


KINDS = Kinds(__name__, KindOfFile)

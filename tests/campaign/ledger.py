"""What was put in, what was said of it, and what was noticed meanwhile; all threads write here."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.campaign.samples import Parcel


@dataclass(frozen=True, kw_only=True)
class Sent:
    """An answer that a specialist has sent; `taken` where the server said that it counts."""

    case: str
    by: str
    label: str
    taken: bool


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """A fault that was injected, and how long it took until what had waited was dealt with."""

    names: tuple[str, ...]
    began_s: float
    ended_s: float
    waited: int
    settled_in_s: float


@dataclass(frozen=True, kw_only=True)
class Moment:
    """How things stood at one moment of the campaign."""

    at_s: float
    put_in: int
    read: int
    waiting: int
    leaving: int


@dataclass(kw_only=True)
class Ledger:
    """Everything that is known at the end."""

    parcels: dict[int, Parcel] = field(default_factory=dict)
    taken: dict[int, str] = field(default_factory=dict)
    """The case of each parcel that a door said it has; '' where the door names none."""
    refused: dict[int, str] = field(default_factory=dict)
    """By the file's number, in the server's words."""
    sent: list[Sent] = field(default_factory=list)
    answered_how: Counter[str] = field(default_factory=Counter)
    """How requests were answered: door and status."""
    troubles: list[Trouble] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    ended: Counter[str] = field(default_factory=Counter)
    """Processes that ended though nobody killed them, and with what."""
    wrong: list[str] = field(default_factory=list)
    kills: int = 0
    began: float = field(default_factory=time.monotonic)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def now_s(self) -> float:
        return time.monotonic() - self.began

    def take(self, parcel: Parcel, case: str = "") -> None:
        with self._lock:
            before = self.taken.setdefault(parcel.number, case)
            if case and before and before != case:
                self.wrong.append(f"parcel {parcel.number} is case {before}, and case {case}")

    def refuse(self, number: int, reason: str) -> None:
        with self._lock:
            self.refused[number] = reason

    def say(self, sentence: str) -> None:
        """Something that may not be."""
        with self._lock:
            self.wrong.append(f"{self.now_s:.0f} s: {sentence}")

    def count(self, what: str, how: Any) -> None:
        with self._lock:
            self.answered_how[f"{what} {how}"] += 1

    @property
    def dealt_with(self) -> int:
        """Files that a door took or refused."""
        with self._lock:
            taken = [self.parcels[number] for number in self.taken]
            files = {file.number for parcel in taken for file in parcel.files}
            return len(files | set(self.refused))

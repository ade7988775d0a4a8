"""What stands in the spool, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """A sample as it came in."""

    check: str
    accession: str
    patient: str
    name: str
    kind: str
    many: bool
    """Whether a case of this check holds many samples."""
    boot: str
    """The boot of this machine in which it came."""
    boot_s: float
    """Seconds from that boot until then: true even where the clock was not set."""
    refusal: str = ""
    """Why it cannot be opened as a sample; it goes to the clinic all the same."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """A map [K, h, w] as little-endian float16."""

    shape: tuple[int, ...]
    data: bytes


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What reading a sample gave: a read as JSON text, or why there is none."""

    read: str | None = None
    refusal: str = ""
    evidence: Evidence | None = None


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One sample in the spool."""

    number: int
    check: str
    accession: str
    patient: str
    name: str
    kind: str
    many: bool
    sha256: str
    size_bytes: int
    boot: str
    boot_s: float
    state: Literal["unread", "waiting", "sent", "held"]
    refusal: str
    tries: int
    read: str | None
    evidence: Evidence | None
    alone: bool
    said: str
    """What the clinic said when it refused it."""
    case_id: str
    sent_at: float | None


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How a spool stands."""

    unread: int
    waiting: int
    sent: int
    """Since the spool was made; `refused` of them could not be opened as samples."""
    refused: int
    held: int
    """Refused by the clinic, and kept here."""
    used_bytes: int
    last_contact: str
    """When the clinic last answered, in ISO 8601; '' where it never did."""
    trouble: str
    """Why nothing is sent at the moment, or ''."""
    held_entries: tuple[tuple[int, str, str], ...]
    """Number, check, and what the clinic said; the first twenty."""

    def as_dict(self) -> dict[str, Any]:
        """The standing as plain JSON values."""
        return {
            "unread": self.unread,
            "waiting": self.waiting,
            "sent": self.sent,
            "refused": self.refused,
            "held": self.held,
            "used_bytes": self.used_bytes,
            "last_contact": self.last_contact or None,
            "trouble": self.trouble or None,
            "held_entries": [
                {"number": number, "check": check, "said": said}
                for number, check, said in self.held_entries
            ],
        }

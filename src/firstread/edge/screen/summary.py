"""What a screening found, counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from firstread.domain.verdict import Doubt, verdict_of_doubt
from firstread.edge.screen.answered import shown_address
from firstread.edge.screen.journal import Journal

SHOWN = 20
"""So many unreadable samples are named; all stand in the table."""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The end of a screening in numbers."""

    samples: int
    unreadable: int
    unfetched: int = 0
    """Of the unreadable those that could not be fetched just now."""
    labels: tuple[tuple[str, int], ...] = ()
    """How often each label is the most probable one, the most frequent first."""
    alarms: int = 0
    doubtful: tuple[tuple[str, int], ...] = ()
    """For how many no finding stands, in the words of the verdict."""
    reasons: tuple[tuple[str, str], ...] = ()
    """The first unreadable samples, each with its reason."""
    finished_before: str | None = None
    """When the table was finished, where an earlier start did it all."""

    def told(self) -> dict[str, str]:
        """What the table keeps of it."""
        return {
            "samples": str(self.samples),
            "unreadable": str(self.unreadable),
            "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }

    @classmethod
    def of_finished(cls, told: Mapping[str, str]) -> Summary:
        """What a finished table says of itself."""
        return cls(
            samples=int(told["samples"]),
            unreadable=int(told["unreadable"]),
            finished_before=told["finished_at"],
        )


def summary_of(journal: Journal, *, kind: str) -> Summary:
    """Counted from the journal's rows."""
    ((samples, unreadable, unfetched, alarms),) = journal.counted(
        "SELECT count(*), count(error), total(again), total(alarms != '[]') FROM answered"
    )
    doubts = journal.counted(
        "SELECT doubt, count(*) FROM answered WHERE doubt NOT NULL GROUP BY doubt ORDER BY 2 DESC"
    )
    labels = journal.counted(
        "SELECT label, count(*) FROM answered WHERE label NOT NULL GROUP BY label ORDER BY 2 DESC"
    )
    reasons = journal.counted(
        "SELECT address, error FROM answered WHERE error NOT NULL ORDER BY address "  # noqa: S608  our own number
        f"LIMIT {SHOWN}"
    )
    return Summary(
        samples=samples,
        unreadable=unreadable,
        unfetched=int(unfetched),
        labels=tuple(labels),
        alarms=int(alarms),
        doubtful=tuple(
            (verdict_of_doubt(Doubt(doubt), kind=kind).in_a_sentence, count)
            for doubt, count in doubts
        ),
        reasons=tuple((shown_address(address), error) for address, error in reasons),
    )

"""What one pack says of one sample, as frozen values."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One label with its calibrated probability."""

    label: str
    probability: float


@dataclass(frozen=True, kw_only=True)
class Familiarity:
    """How much the sample looks like what the pack was measured on.

    `score` is the share of the pack's own samples, kept from training, that lie at least as far
    from what it knows as this one: 1 is typical. Beyond the last in a hundred it falls towards 0
    with the distance, so that of two far samples the farther is the less familiar.
    """

    score: float
    familiar: bool


@dataclass(frozen=True, kw_only=True)
class Contribution:
    """How much one measurement adds to the logit of each label, in the order of the labels."""

    measurement: str
    value: float | None
    logits: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Beat:
    """One beat of a recording: when its peak is, counted from the beginning, and what it is."""

    at_s: float
    label: str
    probability: float


@dataclass(frozen=True, kw_only=True)
class Read:
    """What one pack says of one sample; provisional until a person signs."""

    pack: str
    version: str
    pack_sha256: str
    sample_sha256: str
    label: str
    probability: float
    findings: tuple[Finding, ...]
    """Every label, most probable first."""
    finding_set: tuple[str, ...]
    coverage: float | None
    familiarity: Familiarity | None
    alarms: tuple[str, ...]
    """Positive labels and groups whose probability reaches their operating point."""
    unfit: str | None
    """Why no model may be trusted with this sample (blurred, dark, unidentifiable), or None."""
    contributions: tuple[Contribution, ...]
    runtime: str
    ms: float
    groups: tuple[Finding, ...] = ()
    """Each group of the pack with the sum of its labels' probabilities, in the pack's order."""
    beats: tuple[Beat, ...] = ()
    """Every beat of a recording, in order; then each finding is the share of beats so named."""
    notes: tuple[str, ...] = ()
    """What of the file was chosen or passed over, a sentence each: 'Page 1 of 3 was read.'"""

    @property
    def counts(self) -> dict[str, int]:
        """How many beats of a recording have each label, in the order of the findings."""
        found = Counter(beat.label for beat in self.beats)
        return {each.label: found[each.label] for each in self.findings} if self.beats else {}

    def probability_of(self, code: str) -> float:
        """The probability of a label or a group; 0 where the read knows neither."""
        return next((e.probability for e in (*self.findings, *self.groups) if e.label == code), 0.0)

    def as_dict(self) -> dict[str, Any]:
        """The read as plain JSON values; without `notes` where there is nothing to note."""
        plain = asdict(self)
        if not self.notes:
            del plain["notes"]
        return plain

    def as_answer(self) -> dict[str, Any]:
        """What `firstread classify --json`, the HTTP reader and its client say of the sample."""
        # Written out, because asdict() copies every value on its way: a fifth of what a read costs
        # beside its network.
        familiarity = self.familiarity
        plain: dict[str, Any] = {
            "label": self.label,
            "probability": self.probability,
            "findings": [
                {"label": each.label, "probability": each.probability} for each in self.findings
            ],
            "groups": [
                {"label": each.label, "probability": each.probability} for each in self.groups
            ],
            "finding_set": list(self.finding_set),
            "familiarity": None
            if familiarity is None
            else {"score": familiarity.score, "familiar": familiarity.familiar},
            "alarms": list(self.alarms),
            "unfit": self.unfit,
        }
        if self.contributions:
            plain["contributions"] = [asdict(each) for each in self.contributions]
        if self.beats:
            plain["counts"] = self.counts
            plain["beats"] = [
                {"at_s": beat.at_s, "label": beat.label, "probability": beat.probability}
                for beat in self.beats
            ]
        if self.notes:
            plain["notes"] = list(self.notes)
        return plain | {"pack": self.pack, "version": self.version, "ms": self.ms}

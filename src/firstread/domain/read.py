"""What one pack says of one sample, as frozen values."""

from __future__ import annotations

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

    `score` is the share of the pack's own validation samples that lie at least as far from its
    reference as this one: 1 is typical, 0 is farther than any.
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
    """Positive labels whose probability reaches their operating point."""
    unfit: str | None
    """Why no model may be trusted with this sample (blurred, dark, unidentifiable), or None."""
    contributions: tuple[Contribution, ...]
    runtime: str
    ms: float

    def as_dict(self) -> dict[str, Any]:
        """The read as plain JSON values."""
        return asdict(self)

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
            "finding_set": list(self.finding_set),
            "familiarity": None
            if familiarity is None
            else {"score": familiarity.score, "familiar": familiarity.familiar},
            "alarms": list(self.alarms),
            "unfit": self.unfit,
        }
        if self.contributions:
            plain["contributions"] = [asdict(each) for each in self.contributions]
        return plain | {"pack": self.pack, "version": self.version, "ms": self.ms}

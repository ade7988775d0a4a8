"""What one pack says of one sample, as frozen values."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from firstread.domain.motif import Motif
from firstread.domain.verdict import Doubt, Verdict, verdict_of_doubt

WRONG_KIND_SCORE = 0.002
"""Below this familiarity a sample lies more than twice as far away as the last in a hundred of the
pack's own, for the score falls with the square of the distance: it is of another kind."""


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
    calibrated: bool = True
    """Whether the pack's probabilities say how often such an answer is right."""
    motif: Motif | None = None
    """What a picture shows; None where nobody could be asked."""

    @property
    def counts(self) -> dict[str, int]:
        """How many beats of a recording have each label, in the order of the findings."""
        found = Counter(beat.label for beat in self.beats)
        return {each.label: found[each.label] for each in self.findings} if self.beats else {}

    def probability_of(self, code: str) -> float:
        """The probability of a label or a group; 0 where the read knows neither."""
        return next((e.probability for e in (*self.findings, *self.groups) if e.label == code), 0.0)

    def as_dict(self) -> dict[str, Any]:
        """The read as plain JSON values, without what says nothing of `notes` and below."""
        plain = asdict(self)
        if not self.notes:
            del plain["notes"]
        if self.calibrated:
            del plain["calibrated"]
        if self.motif is None:
            del plain["motif"]
        return plain

    @property
    def kind(self) -> str:
        """What kind of sample was read, by what the read holds."""
        if self.contributions:
            return "measurements"
        return "recording" if self.beats else "image"

    @property
    def is_anothers(self) -> bool:
        """Whether it is a picture of something that the pack does not read."""
        return self.motif is not None and not self.motif.is_own

    @property
    def looks_like(self) -> str:
        """What another's picture shows, in words; empty where that cannot be said."""
        motif = self.motif
        return motif.title if motif is not None and self.is_anothers and motif.is_named else ""

    @property
    def doubt(self) -> Doubt | None:
        """The gravest doubt about it; None where its finding stands."""
        if self.is_anothers:
            return Doubt.WRONG_KIND
        if self.unfit is not None:
            return Doubt.UNFIT
        near = self.familiarity
        if near is not None and not near.familiar:
            of_another_kind = near.score < WRONG_KIND_SCORE and self.motif is None
            return Doubt.WRONG_KIND if of_another_kind else Doubt.UNFAMILIAR
        return None if self.calibrated else Doubt.UNCALIBRATED

    @property
    def verdict(self) -> Verdict:
        """Whether its finding stands, and what is shown where it does not."""
        return verdict_of_doubt(
            self.doubt, why=self.unfit or "", kind=self.kind, looks_like=self.looks_like
        )

    @property
    def is_counted(self) -> bool:
        """Whether its sample is one of those that a case's numbers are of."""
        return self.doubt not in (Doubt.UNFIT, Doubt.WRONG_KIND)

    def as_answer(self) -> dict[str, Any]:
        """What `firstread classify --json`, the HTTP reader and its client say of the sample.

        Where the finding does not stand, `label` and `probability` are null, and no alarm and no
        finding set is given; `verdict` says why, and what the pack would have said. The numbers of
        all labels stay in `findings`.
        """
        # Written out, because asdict() copies every value on its way: a fifth of what a read costs
        # beside its network.
        verdict, familiarity = self.verdict, self.familiarity
        named = verdict.names_finding
        plain: dict[str, Any] = {
            "verdict": verdict.as_dict(),
            "label": self.label if named else None,
            "probability": self.probability if named else None,
            "findings": [
                {"label": each.label, "probability": each.probability} for each in self.findings
            ],
            "groups": [
                {"label": each.label, "probability": each.probability} for each in self.groups
            ],
            "finding_set": list(self.finding_set) if named else [],
            "familiarity": None
            if familiarity is None
            else {"score": familiarity.score, "familiar": familiarity.familiar},
            "alarms": list(self.alarms) if named else [],
            "unfit": self.unfit,
        }
        if not named:
            plain["verdict"] |= {"would_say": self.label, "would_alarm": list(self.alarms)}
        if self.contributions and verdict.shows_evidence:
            plain["contributions"] = [asdict(each) for each in self.contributions]
        if self.beats and verdict.shows_evidence:
            plain["counts"] = self.counts
            plain["beats"] = [
                {"at_s": beat.at_s, "label": beat.label, "probability": beat.probability}
                for beat in self.beats
            ]
        if self.notes:
            plain["notes"] = list(self.notes)
        if self.motif is not None:
            plain["motif"] = asdict(self.motif)
        return plain | {"pack": self.pack, "version": self.version, "ms": self.ms}

    def as_told(self) -> dict[str, Any]:
        """Everything of the read for a program that shows it: `as_dict` and `as_answer` in one."""
        told = self.as_dict() | self.as_answer()
        if not self.verdict.names_finding:
            told["coverage"] = None
        if not self.verdict.shows_evidence:
            told |= {"contributions": (), "beats": ()}
        return told

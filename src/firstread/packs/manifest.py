"""What `pack.toml` says, as frozen values whose fields are the keys of the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

PICTURE = "picture"
"""What one sample is called where the pack does not say."""


@dataclass(frozen=True, kw_only=True)
class About:
    """`[pack]`: what it is, and for whom."""

    name: str
    version: str
    check: str
    kind: Literal["image", "measurements", "recording"]
    title: str
    licence: str
    intended_use: str
    limits: str
    many: bool
    """A case may hold many samples, of which the differential is shown."""
    one: str = PICTURE
    """What one sample of many is called, as a page says it: cell, slice, patch."""


@dataclass(frozen=True, kw_only=True)
class Input:
    """`[input]`: how a picture is made to fit the network."""

    width_px: int
    height_px: int
    colour: Literal["rgb", "grey"]
    fit: Literal["crop", "pad", "stretch"]
    interpolation: Literal["nearest", "box", "bilinear", "bicubic", "lanczos"]


@dataclass(frozen=True, kw_only=True)
class RecordingInput:
    """`[recording]`: how each beat of a recording is shown to the network.

    The channels of a beat are, for each of the `leads`, the beat itself and the recording's typical
    beat, then one row of numbers about its rhythm: `firstread.runtime.beats`.
    """

    leads: int
    """How many leads the network sees; a lead that a recording lacks is zero."""
    preferred: tuple[str, ...]
    """Which leads of many are taken, the first that are there."""
    rate_hz: float
    before_s: float
    """How much of the recording a beat's window holds before its peak, and after."""
    after_s: float
    beats_around: int
    """Of how many beats before and after it the network is told when they came."""
    alarm_beats: int
    """So many beats at or above a label's operating point raise its alarm."""
    min_length_s: float
    """A shorter recording is unfit."""


@dataclass(frozen=True, kw_only=True)
class QualityLimits:
    """`[quality]`: a prepared picture outside these is unfit; see `firstread.imaging.quality`."""

    min_sharpness: float
    min_brightness: float
    max_brightness: float
    min_contrast: float


@dataclass(frozen=True, kw_only=True)
class Spoiling:
    """`[[appearance.spoiling]]`: one way in which pictures come out spoiled, and how far they may.

    Its weights stand in the appearance file, a row each, in this order.
    """

    kind: Literal["blurred", "dark", "bright", "grainy", "recoloured"]
    typical: float
    """The median of the pack's own pictures, none of them spoiled."""
    limit: float
    """Beyond it a picture is spoiled: unfit, or unfamiliar where it is `recoloured`."""


@dataclass(frozen=True, kw_only=True)
class Appearance:
    """`[appearance]`: how the pack's own pictures look; see `firstread.imaging.appearance`."""

    reference: str
    """Its file: the centre, the scale, then the directions in which own pictures vary by one each,
    then a row of weights for each spoiling."""
    usual: float
    """How far in looks the farthest in a hundred of its own pictures lie from the centre."""
    usual_neighbours: float
    """How far the farthest in a hundred of them lie from the familiarity reference."""
    spoiling: tuple[Spoiling, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """`[[measurement]]`: one number that the pack takes, in the order of the input."""

    code: str
    title: str
    help: str
    unit: str
    minimum: float
    maximum: float
    may_be_missing: bool


@dataclass(frozen=True, kw_only=True)
class Label:
    """`[[label]]`: one answer that the pack can give, in the order of the logits."""

    code: str
    title: str
    positive: bool
    """An abnormal finding: it raises the alarm from its operating point on."""
    priority: Literal["routine", "urgent", "asap", "stat"] = "routine"
    unfit: bool = False
    """This answer means: ask for a better sample."""
    snomed: str | None = None
    icd10: str | None = None


@dataclass(frozen=True, kw_only=True)
class Group:
    """`[[group]]`: an answer that is the sum of several labels' probabilities."""

    code: str
    title: str
    labels: tuple[str, ...]
    """The codes of the pack's labels that it sums up."""
    positive: bool = False
    """Together they are an abnormal finding: it raises the alarm from its operating point on."""
    priority: Literal["routine", "urgent", "asap", "stat"] = "routine"


@dataclass(frozen=True, kw_only=True)
class OperatingPoint:
    """`[[operating_point]]`: a threshold with what was measured at it."""

    label: str
    """The code of a label, or of a group."""
    threshold: float
    sensitivity: float
    specificity: float
    measured_on: str


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """`[calibration]`: logits are divided by the temperature before the softmax."""

    method: Literal["temperature", "none"]
    """`none`: nothing was fitted, and a probability of 0.8 need not be right four times in five."""
    temperature: float


@dataclass(frozen=True, kw_only=True)
class Conformal:
    """`[conformal]`: the finding set holds each label with probability >= 1 - threshold."""

    method: Literal["lac"]
    coverage: float
    threshold: float


@dataclass(frozen=True, kw_only=True)
class FamiliarityReference:
    """`[familiarity]`: what a sample is compared with, and the distance that is still familiar."""

    on: Literal["embedding", "measurements"]
    method: Literal["knn"]
    k: int
    reference: str
    quantiles: tuple[float, ...]
    """101 distances: the quantiles 0 % .. 100 % of validation samples outside the reference.

    Where the pack has `[appearance]`, of the worst of the distances, each as a multiple of what is
    usual.
    """
    threshold: float
    centre: tuple[float, ...] = ()
    scale: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class MeasurementsModel:
    """`[measurements_model]`: logits are this bias plus the sum of the contributions."""

    bias: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Result:
    """`[[results]]`: one metric on one test set with its 95 % interval."""

    set: str
    n: int
    metric: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class DatasetUsed:
    """One dataset that the pack was trained on."""

    name: str
    sha256: str
    n: int
    licence: str


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """`[provenance]`: what made the pack."""

    datasets: tuple[DatasetUsed, ...] = ()
    recipe: str
    seed: int
    trained_at: str
    software: Mapping[str, str]
    model_file: str | None = None
    """Of a pack that was imported: the file that its network was made of."""
    model_sha256: str | None = None


@dataclass(frozen=True, kw_only=True)
class Golden:
    """`[[golden]]`: a sample in the pack and the logits it must give on every machine."""

    sample: str
    logits: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Twin:
    """`[twin]`: the same network in whole numbers, and how it was measured beside this one."""

    precision: Literal["int8"]
    network: str
    """Its file in the pack."""
    times_as_fast: float
    """How many times as fast as the float network it was where it was made."""
    measured_on: str
    golden: tuple[Golden, ...]
    results: tuple[Result, ...]


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """Everything that `pack.toml` says; `metadata["key"]` is the key where it is singular."""

    format: int
    pack: About
    input: Input | None = None
    recording: RecordingInput | None = None
    quality: QualityLimits | None = None
    appearance: Appearance | None = None
    measurements: tuple[Measurement, ...] = field(default=(), metadata={"key": "measurement"})
    labels: tuple[Label, ...] = field(metadata={"key": "label"})
    groups: tuple[Group, ...] = field(default=(), metadata={"key": "group"})
    operating_points: tuple[OperatingPoint, ...] = field(
        default=(), metadata={"key": "operating_point"}
    )
    calibration: Calibration
    conformal: Conformal | None = None
    familiarity: FamiliarityReference | None = None
    measurements_model: MeasurementsModel | None = None
    results: tuple[Result, ...] = ()
    provenance: Provenance
    golden: tuple[Golden, ...]
    twin: Twin | None = None

    @property
    def name(self) -> str:
        return self.pack.name

    @property
    def version(self) -> str:
        return self.pack.version

    @property
    def check(self) -> str:
        return self.pack.check

    @property
    def kind(self) -> str:
        return self.pack.kind

    @property
    def codes(self) -> tuple[str, ...]:
        """The labels' codes in the order of the logits."""
        return tuple(label.code for label in self.labels)

    @property
    def positive(self) -> tuple[str, ...]:
        """The labels that are an abnormal finding, by themselves or in a group."""
        grouped = {code for group in self.groups if group.positive for code in group.labels}
        return tuple(e.code for e in self.labels if e.positive or e.code in grouped)

    @property
    def answers(self) -> tuple[Label | Group, ...]:
        """All that can have an alarm: the labels, then the groups."""
        return (*self.labels, *self.groups)

    def label(self, code: str) -> Label:
        """The label of that code; KeyError where the pack has none."""
        for label in self.labels:
            if label.code == code:
                return label
        raise KeyError(code)

    def title(self, code: str) -> str:
        """What a label or a group is called; the code itself where the pack has neither."""
        return next((each.title for each in self.answers if each.code == code), code)

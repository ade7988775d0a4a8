"""What `pack.toml` says, as frozen values whose fields are the keys of the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from msgspec import Meta, field, structs, to_builtins

from firstread.toml import Number, Positive, Share, Table, Text

PICTURE = "picture"
"""What one sample is called where the pack does not say."""

Name = Annotated[
    str,
    Meta(pattern=r"\A[a-z0-9]+(-[a-z0-9]+)*\Z", description="small letters, digits and hyphens"),
]
Code = Annotated[
    str,
    Meta(
        pattern=r"\A[A-Za-z0-9]+([_-][A-Za-z0-9]+)*\Z",
        description="letters, digits, hyphens and underscores",
    ),
]
One = Annotated[
    str,
    Meta(
        pattern=r"\A(?=.{1,24}\Z)[a-z]+( [a-z]+)*\Z",
        description="what one sample is called, small letters and spaces, at most 24",
    ),
]
Version = Annotated[
    str,
    Meta(
        pattern=r"\A\d+\.\d+\.\d+([-+][0-9A-Za-z.-]+)?\Z",
        description="a version such as 1.0.0",
    ),
]
Side = Annotated[int, Meta(ge=1, le=4096)]
Readers = Literal[1, 2]
Priority = Literal["routine", "urgent", "asap", "stat"]


class About(Table, frozen=True, kw_only=True):
    """`[pack]`: what it is, and for whom."""

    name: Name
    version: Version
    check: Name
    kind: Text
    """Of its samples; `firstread.packs.kinds` has a module for each."""
    title: Text
    licence: Text
    intended_use: Text
    limits: Text
    many: bool
    """A case may hold many samples, of which the differential is shown."""
    one: One = PICTURE
    """What one sample of many is called, as a page says it: cell, slice, patch."""
    readers: Readers = 1
    """How many specialists must answer; a clinic may ask for more or fewer."""
    motif: Name | None = None
    """What its pictures show, in the words of the pack `motifs`; nothing else is read then."""


class Input(Table, frozen=True, kw_only=True):
    """`[input]`: how a picture is made to fit the network."""

    width_px: Side
    height_px: Side
    colour: Literal["rgb", "grey"]
    fit: Literal["crop", "pad", "stretch"]
    interpolation: Literal["nearest", "box", "bilinear", "bicubic", "lanczos"]


class RecordingInput(Table, frozen=True, kw_only=True):
    """`[recording]`: how each beat of a recording is shown to the network.

    The channels of a beat are, for each of the `leads`, the beat itself and the recording's typical
    beat, then one row of numbers about its rhythm: `firstread.runtime.beats`.
    """

    leads: Annotated[int, Meta(ge=1, le=12)]
    """How many leads the network sees; a lead that a recording lacks is zero."""
    preferred: tuple[Text, ...]
    """Which leads of many are taken, the first that are there."""
    rate_hz: Annotated[float, Meta(ge=50, le=1000)]
    before_s: Annotated[float, Meta(ge=0.05, le=10)]
    """How much of the recording a beat's window holds before its peak, and after."""
    after_s: Annotated[float, Meta(ge=0.05, le=10)]
    beats_around: Annotated[int, Meta(ge=0, le=64)]
    """Of how many beats before and after it the network is told when they came."""
    alarm_beats: Annotated[int, Meta(ge=1, le=1000)]
    """So many beats at or above a label's operating point raise its alarm."""
    min_length_s: Annotated[float, Meta(ge=1, le=3600)]
    """A shorter recording is unfit."""


class QualityLimits(Table, frozen=True, kw_only=True):
    """`[quality]`: a prepared picture outside these is unfit; see `firstread.imaging.quality`."""

    min_sharpness: Number
    min_brightness: Number
    max_brightness: Number
    min_contrast: Number


class Spoiling(Table, frozen=True, kw_only=True):
    """`[[appearance.spoiling]]`: one way in which pictures come out spoiled, and how far they may.

    Its weights stand in the appearance file, a row each, in this order.
    """

    kind: Literal["blurred", "dark", "bright", "grainy", "recoloured"]
    typical: Number
    """The median of the pack's own pictures, none of them spoiled."""
    limit: Number
    """Beyond it a picture is spoiled: unfit, or unfamiliar where it is `recoloured`."""


class Appearance(Table, frozen=True, kw_only=True):
    """`[appearance]`: how the pack's own pictures look; see `firstread.imaging.appearance`."""

    reference: Text
    """Its file: the centre, the scale, then the directions in which own pictures vary by one each,
    then a row of weights for each spoiling."""
    usual: Positive
    """How far in looks the farthest in a hundred of its own pictures lie from the centre."""
    usual_neighbours: Positive
    """How far the farthest in a hundred of them lie from the familiarity reference."""
    spoiling: tuple[Spoiling, ...] = ()


class Measurement(Table, frozen=True, kw_only=True):
    """`[[measurement]]`: one number that the pack takes, in the order of the input."""

    code: Code
    title: Text
    help: Text
    unit: Text
    minimum: Number
    maximum: Number
    may_be_missing: bool


class Label(Table, frozen=True, kw_only=True):
    """`[[label]]`: one answer that the pack can give, in the order of the logits."""

    code: Code
    title: Text
    positive: bool
    """An abnormal finding: it raises the alarm from its operating point on."""
    priority: Priority = "routine"
    unfit: bool = False
    """This answer means: ask for a better sample."""
    snomed: Text | None = None
    icd10: Text | None = None


class Group(Table, frozen=True, kw_only=True):
    """`[[group]]`: an answer that is the sum of several labels' probabilities."""

    code: Code
    title: Text
    labels: tuple[Code, ...]
    """The codes of the pack's labels that it sums up."""
    positive: bool = False
    """Together they are an abnormal finding: it raises the alarm from its operating point on."""
    priority: Priority = "routine"


class OperatingPoint(Table, frozen=True, kw_only=True):
    """`[[operating_point]]`: a threshold with what was measured at it."""

    label: Text
    """The code of a label, or of a group."""
    threshold: Share
    sensitivity: Share
    specificity: Share
    measured_on: Text


class Calibration(Table, frozen=True, kw_only=True):
    """`[calibration]`: logits are divided by the temperature before the softmax."""

    method: Literal["temperature", "none"]
    """`none`: nothing was fitted, and a probability of 0.8 need not be right four times in five."""
    temperature: Positive


class Conformal(Table, frozen=True, kw_only=True):
    """`[conformal]`: the finding set holds each label with probability >= 1 - threshold."""

    method: Literal["lac"]
    coverage: Share
    threshold: Share


class FamiliarityReference(Table, frozen=True, kw_only=True):
    """`[familiarity]`: what a sample is compared with, and the distance that is still familiar."""

    on: Literal["embedding", "measurements"]
    method: Literal["knn"]
    k: Annotated[int, Meta(ge=1)]
    reference: Text
    quantiles: tuple[Number, ...]
    """101 distances: the quantiles 0 % .. 100 % of validation samples outside the reference.

    Where the pack has `[appearance]`, of the worst of the distances, each as a multiple of what is
    usual.
    """
    threshold: Number
    centre: tuple[Number, ...] = ()
    scale: tuple[Number, ...] = ()


class MeasurementsModel(Table, frozen=True, kw_only=True):
    """`[measurements_model]`: logits are this bias plus the sum of the contributions."""

    bias: tuple[Number, ...]


class Result(Table, frozen=True, kw_only=True):
    """`[[results]]`: one metric on one test set with its 95 % interval."""

    set: Text
    n: int
    metric: Text
    value: Number
    low: Number
    high: Number


class DatasetUsed(Table, frozen=True, kw_only=True):
    """One dataset that the pack was trained on."""

    name: Text
    sha256: Text
    n: int
    licence: Text


class Provenance(Table, frozen=True, kw_only=True):
    """`[provenance]`: what made the pack."""

    datasets: tuple[DatasetUsed, ...] = ()
    recipe: Text
    seed: int
    trained_at: Text
    software: Mapping[str, Text]
    model_file: Text | None = None
    """Of a pack that was imported: the file that its network was made of."""
    model_sha256: Text | None = None


class Golden(Table, frozen=True, kw_only=True):
    """`[[golden]]`: a sample in the pack and the logits it must give on every machine."""

    sample: Text
    logits: tuple[Number, ...]


class Twin(Table, frozen=True, kw_only=True):
    """`[twin]`: the same network in whole numbers, and how it was measured beside this one."""

    precision: Literal["int8"]
    network: Text
    """Its file in the pack."""
    times_as_fast: Positive
    """How many times as fast as the float network it was where it was made."""
    measured_on: Text
    golden: Annotated[tuple[Golden, ...], Meta(min_length=1)]
    results: tuple[Result, ...]


class Manifest(Table, frozen=True, kw_only=True):
    """Everything that `pack.toml` says; where a key is singular, the field's name follows it."""

    format: Annotated[int, Meta(ge=1)]
    pack: About
    input: Input | None = None
    recording: RecordingInput | None = None
    takes: Mapping[str, Any] | None = None
    """What a pack of a further kind is told; that kind's module says which keys there are."""
    quality: QualityLimits | None = None
    appearance: Appearance | None = None
    measurements: tuple[Measurement, ...] = field(default=(), name="measurement")
    labels: Annotated[tuple[Label, ...], Meta(min_length=2)] = field(name="label")
    groups: tuple[Group, ...] = field(default=(), name="group")
    operating_points: tuple[OperatingPoint, ...] = field(default=(), name="operating_point")
    calibration: Calibration
    conformal: Conformal | None = None
    familiarity: FamiliarityReference | None = None
    measurements_model: MeasurementsModel | None = None
    results: tuple[Result, ...] = ()
    provenance: Provenance
    golden: Annotated[tuple[Golden, ...], Meta(min_length=1)]
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
    def codes(self) -> tuple[Text, ...]:
        """The labels' codes in the order of the logits."""
        return tuple(label.code for label in self.labels)

    @property
    def positive(self) -> tuple[Text, ...]:
        """The labels that are an abnormal finding, by themselves or in a group."""
        grouped = {code for group in self.groups if group.positive for code in group.labels}
        return tuple(e.code for e in self.labels if e.positive or e.code in grouped)

    @property
    def answers(self) -> tuple[Label | Group, ...]:
        """All that can have an alarm: the labels, then the groups."""
        return (*self.labels, *self.groups)

    def as_dict(self) -> dict[str, Any]:
        """Plain values by the names of the fields, as JSON takes them."""
        return {key: to_builtins(value) for key, value in structs.asdict(self).items()}

    def label(self, code: str) -> Label:
        """The label of that code; KeyError where the pack has none."""
        for label in self.labels:
            if label.code == code:
                return label
        raise KeyError(code)

    def title(self, code: str) -> str:
        """What a label or a group is called; the code itself where the pack has neither."""
        return next((each.title for each in self.answers if each.code == code), code)

"""What has to be said of a model from elsewhere before it can become a pack."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from msgspec.structs import replace

from firstread.domain.errors import BadConfiguration
from firstread.domain.foremost import listed
from firstread.packs import PICTURE, Input, Label, Measurement
from firstread.packs.manifest import Name, Readers
from firstread.toml import Number, Table

Answers = Literal["logits", "probabilities"]

USE = (
    "To try out a model from elsewhere. For nothing else until it is measured on your own samples."
)
LIMITS = (
    "Came from elsewhere as it is. What it was trained on, and where it fails, is not known here."
)
LICENCE = "not stated: ask who made the model"
OWN_SIZE = Input(width_px=0, height_px=0, colour="rgb", fit="crop", interpolation="bilinear")
_LONGEST_CODE = 40
_CODE = re.compile(r"[A-Za-z0-9]+([_-][A-Za-z0-9]+)*")


class Pixels(Table, frozen=True, kw_only=True):
    """What the network takes for a pixel of 0 to 255: (pixel * scale - mean) / std."""

    order: Literal["rgb", "bgr", "grey"] = "rgb"
    layout: Literal["nchw", "nhwc"] | None = None
    """How the axes stand; None: as the graph's own input says."""
    scale: Number = 1.0
    mean: tuple[Number, ...] = (0.0,)
    std: tuple[Number, ...] = (1.0,)

    @property
    def channels(self) -> int:
        """How many numbers a pixel has."""
        return 1 if self.order == "grey" else 3


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that decides what a foreign model becomes."""

    name: str
    check: str
    title: str
    version: str = "1.0.0"
    licence: str = LICENCE
    intended_use: str = USE
    limits: str = LIMITS
    many: bool = False
    one: str = PICTURE
    readers: Readers = 1
    motif: Name | None = None
    words: str = ""
    """Sections of the card, in Markdown."""
    labels: tuple[Label, ...] = ()
    positive: tuple[str, ...] = ()
    """What raises the alarm of labels that only the file names."""
    sensitivities: dict[str, float] = field(default_factory=dict)
    """Per label, the sensitivity that its operating point is fitted at."""
    input: Input = OWN_SIZE
    """Without a size: that of the graph's own input."""
    pixels: Pixels = field(default_factory=Pixels)
    output: str | None = None
    """Which output holds the answers, where there are several."""
    answers: Answers | None = None
    """None: found out by asking."""
    measurements: tuple[Measurement, ...] = ()
    span: tuple[float, float] | None = None
    """The lowest and highest value of measurements that the model itself names."""
    file_sha256: str | None = None
    """Of the model file that the recipe is for; None: any."""
    recipe: str = "options of the command line"
    told: tuple[str, ...] = ()
    """What the file itself said and how it was used, for whoever imports it."""

    @property
    def codes(self) -> tuple[str, ...]:
        """The labels' codes in the order of the answers."""
        return tuple(label.code for label in self.labels)


def labels_from(titles: Sequence[str], *, positive: Sequence[str] = ()) -> tuple[Label, ...]:
    """Labels from their names in the order of the answers; those in `positive` raise the alarm.

    The code of a label is made from its name; of two with one code the later gets a number.

    >>> [label.code for label in labels_from(["white shark, man-eater", "crane", "crane"])]
    ['white-shark', 'crane', 'crane-2']

    Raises BadConfiguration where a name is empty, or `positive` names none of them.
    """
    labels: list[Label] = []
    taken: set[str] = set()
    for number, title in enumerate(titles):
        short = title.split(",")[0].strip()
        if not short:
            raise BadConfiguration(f"Label {number + 1} has no name. Give each label one.")
        code = own = _code(short) or f"label-{number}"
        times = 1
        while code in taken:
            times += 1
            code = f"{own}-{times}"
        taken.add(code)
        alarms = code in positive or short in positive
        labels.append(Label(code=code, title=short[:1].upper() + short[1:], positive=alarms))
    known = taken | {title.split(",")[0].strip() for title in titles}
    for each in positive:
        if each not in known:
            raise no_such_alarm(each, labels)
    return tuple(labels)


def alarmed(labels: Sequence[Label], positive: Sequence[str]) -> tuple[Label, ...]:
    """The labels, of which those whose codes are in `positive` raise the alarm, and no other.

    >>> [label.positive for label in alarmed(labels_from(["well", "ill"]), ["ill"])]
    [False, True]

    Raises BadConfiguration where `positive` names none of them.
    """
    codes = {label.code for label in labels}
    for each in positive:
        if each not in codes:
            raise no_such_alarm(each, labels)
    return tuple(replace(label, positive=label.code in positive) for label in labels)


def no_such_alarm(name: str, labels: Sequence[Label]) -> BadConfiguration:
    """The refusal of a name that is to raise the alarm and that no label has."""
    return BadConfiguration(
        f"'{name[:60]}' is to raise the alarm, and is no label of the model. "
        f"Name one of them: {listed([label.code for label in labels])}."
    )


def _code(name: str) -> str:
    if _CODE.fullmatch(name):
        return name  # as folders and tables of samples name it
    return re.sub(r"[^a-z0-9]+", "-", name.lower())[:_LONGEST_CODE].strip("-")

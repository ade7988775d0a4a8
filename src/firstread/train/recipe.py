"""A recipe: everything that decides a training run, read from one TOML file."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta, field, to_builtins

from firstread.domain.errors import BadConfiguration
from firstread.domain.kinds import WORDS
from firstread.packs import PICTURE, Group, Input, Label, Measurement
from firstread.packs.manifest import Name, One, Readers, Version
from firstread.toml import Document, Number, Share, Table, Text, Wrong, narrowed, within

RECIPE = Document(
    refusal=BadConfiguration,
    damaged="The recipe {name} is not TOML: {why}. Correct it.",
    lacks="The recipe lacks '{key}'. Add it.",
    unknown="The recipe has '{key}', which nobody knows. It knows: {known}. Correct it.",
    wrong="The recipe's '{key}' {demand}. Correct it.",
)
Sensitivity = Annotated[float, Meta(ge=0.01, le=1)]


class Source(Table, frozen=True, kw_only=True):
    """One labelled folder, and the labels in the order of the logits."""

    name: Text
    labels: tuple[Text, ...]
    title: str = ""
    licence: str = ""
    width_px: Annotated[int, Meta(ge=16, le=4096)] = 0
    height_px: Annotated[int, Meta(ge=16, le=4096)] = 0
    colour: Literal["rgb", "grey"] = "rgb"
    fit: Literal["crop", "pad", "stretch"] = "crop"
    interpolation: Literal["nearest", "box", "bilinear", "bicubic", "lanczos"] = "bilinear"

    @property
    def input(self) -> Input:
        """How its pictures are made to fit the network, in training and in the pack."""
        return narrowed(Input, self)


class NetworkShape(Table, frozen=True, kw_only=True):
    """How wide and deep the network is.

    Of the family `residual`, `norm` is group (before every convolution), sparse (where the width
    changes) or none. The family `lite` starts from what it learnt of everyday pictures: `stages` of
    seven are kept, and the first `frozen` blocks stay as they came. `views` is how many ways round
    (upside down, mirrored) the pack looks at each picture: 1, 2 or 4. Pictures that have an upper
    end ([augment] turn = false) have two: as they are, and mirrored.
    """

    family: Literal["residual", "lite"] = "residual"
    stages: Annotated[int, Meta(ge=1, le=7)] = 6
    frozen: Annotated[int, Meta(ge=0, le=16)] = 1
    stem: Annotated[int, Meta(ge=1, le=4096)] = 32
    widths: tuple[Annotated[int, Meta(ge=1, le=4096)], ...] = (64, 128, 224)
    depths: tuple[Annotated[int, Meta(ge=1, le=100)], ...] = (2, 2, 2)
    norm: str = "sparse"
    dropout: Annotated[float, Meta(ge=0, le=0.95)] = 0.2
    views: Annotated[int, Meta(ge=1, le=4)] = 1

    def __post_init__(self) -> None:
        if len(self.widths) != len(self.depths):
            raise Wrong(
                "widths", "and depths say one number for each stage, and are not equally many"
            )


class Augment(Table, frozen=True, kw_only=True):
    """How far a training picture may be turned, scaled and recoloured (shares and factors; `tilt`
    in degrees, for pictures that have an upper end)."""

    turn: bool = True
    tilt: Annotated[float, Meta(ge=0, le=180)] = 0.0
    scale_low: Annotated[float, Meta(ge=0.05, le=20)] = 0.85
    scale_high: Annotated[float, Meta(ge=0.05, le=20)] = 1.18
    shear: Annotated[float, Meta(ge=0, le=2)] = 0.08
    shift: Share = 0.06
    background: Share = 0.5
    stain: Annotated[float, Meta(ge=0, le=3)] = 0.12
    brightness: Share = 0.12
    contrast: Share = 0.12
    blur: Share = 0.1
    noise: Share = 0.02
    mix: Share = 0.3
    erase: Share = 0.15

    def __post_init__(self) -> None:
        if self.scale_low > self.scale_high:
            raise Wrong("scale_low", "lies above scale_high. Exchange them")


class Schedule(Table, frozen=True, kw_only=True):
    """How long and how fast it learns."""

    epochs: Annotated[int, Meta(ge=1, le=100_000)] = 40
    batch: Annotated[int, Meta(ge=1, le=65_536)] = 64
    rate: Annotated[float, Meta(ge=1e-09, le=100)] = 0.002
    # The head starts from nothing, and may learn faster than a trunk that does not.
    head: Annotated[float, Meta(ge=0, le=1000)] = 1.0
    warmup: Annotated[float, Meta(ge=1e-06, le=0.99)] = 0.08
    weight_decay: Annotated[float, Meta(ge=0, le=10)] = 0.05
    smoothing: Annotated[float, Meta(ge=0, le=0.9)] = 0.05
    average: Annotated[float, Meta(ge=0, le=0.999999)] = 0.998
    precision: str = "float32"
    threads: Annotated[int, Meta(ge=1, le=1024)] = 1
    # Learns so often from the same start, and takes the mean of the weights it comes to.
    runs: Annotated[int, Meta(ge=1, le=20)] = 1
    # Ends after so many epochs without a better one, and keeps the best; 0 learns to the end.
    patience: Annotated[int, Meta(ge=0, le=100_000)] = 0
    # A second source teaches the trunk beside the first, until this share of the epochs.
    beside_until: Share = 0.5
    beside: Annotated[float, Meta(ge=0, le=100)] = 0.7
    # Smaller pictures first: most of what there is to learn shows at two thirds of the size, in
    # half the time.
    small_until: Share = 0.5
    small: Annotated[float, Meta(ge=0.05, le=1)] = 0.67


class Shares(Table, frozen=True, kw_only=True):
    """The shares of the samples that are kept from training."""

    validation: Annotated[float, Meta(ge=0.001, le=0.9)] = 0.12
    test: Annotated[float, Meta(ge=0.001, le=0.9)] = 0.10


class Additive(Table, frozen=True, kw_only=True):
    """The additive model of measurements: knots per characteristic and its penalties."""

    knots: tuple[Number, ...] = (1.0, 3.0, 5.0, 8.0)
    ridge: Number = 1.0
    balance: Number = 0.0
    folds: int = 10
    repeats: int = 10


class AllDs2020(Table, frozen=True, kw_only=True):
    """How AllDS2020 learnt; the recipe's table of that name.

    Rate, decay, epochs and rotations are those of its published configuration (March 2020). It
    states batches of 100 but does not hand them to Keras, which then takes 32: `batch` is 32.
    """

    optimiser: Literal["adam", "rmsprop"] = "adam"
    rate: Annotated[float, Meta(ge=1e-09, le=100)] = 1e-4
    decay: Annotated[float, Meta(ge=0, le=1000)] = 1e-6
    epochs: Annotated[int, Meta(ge=1, le=100_000)] = 150
    batch: Annotated[int, Meta(ge=1, le=65_536)] = 32
    rotations: Annotated[int, Meta(ge=0, le=1000)] = 10
    threads: Annotated[int, Meta(ge=1, le=1024)] = 2


class Beats(Table, frozen=True, kw_only=True):
    """How beats are shown to the network, as in the pack's `[recording]`, and how it learns them.

    Records are parted into `folds`; for each fold a network (or `repeats` of them) learns from the
    others, and the pack holds all of these networks together. `width` is how wide each is. Of the
    commonest label only the share `commonest` is drawn each epoch. A share `made_up` of the regular
    beats drawn is made premature, so that the network knows more patients with such beats than
    there are; of the others the share `fibrillating` comes as in atrial fibrillation, and stays
    what it is. Operating
    points weigh finding a beat `finding` times as much as being right about it.
    """

    leads: Annotated[int, Meta(ge=1, le=16)] = 2
    preferred: tuple[Text, ...] = ()
    rate_hz: Annotated[float, Meta(ge=20, le=2000)] = 180.0
    before_s: Annotated[float, Meta(ge=0.05, le=5)] = 0.45
    after_s: Annotated[float, Meta(ge=0.05, le=5)] = 0.6
    beats_around: Annotated[int, Meta(ge=1, le=100)] = 8
    alarm_beats: Annotated[int, Meta(ge=1, le=100_000)] = 3
    min_length_s: Annotated[float, Meta(ge=1, le=86_400)] = 10.0
    folds: Annotated[int, Meta(ge=2, le=100)] = 5
    repeats: Annotated[int, Meta(ge=1, le=20)] = 1
    width: Annotated[int, Meta(ge=4, le=1024)] = 24
    dropout: Annotated[float, Meta(ge=0, le=0.95)] = 0.3
    commonest: Annotated[float, Meta(ge=0.001, le=1)] = 0.17
    made_up: Share = 0.1
    fibrillating: Share = 0.1
    finding: Annotated[float, Meta(ge=0.01, le=100)] = 1.0


class SaidPack(Table, frozen=True, kw_only=True):
    """What `[pack]` says: the pack's own table but for what the recipe says above, and for the card
    alone `words` and `larger`, what a larger network would gain."""

    check: Name
    title: Text
    licence: Text
    intended_use: Text
    limits: Text
    many: bool
    one: One = PICTURE
    readers: Readers = 1
    motif: Name | None = None
    words: str = ""
    larger: str = ""


class SaidLabel(Label, frozen=True, kw_only=True):
    """A `[[label]]`, with the sensitivity that its operating point is fitted at."""

    sensitivity: Sensitivity | None = None


class SaidGroup(Group, frozen=True, kw_only=True):
    """A `[[group]]`, with the sensitivity that its operating point is fitted at."""

    sensitivity: Sensitivity | None = None


class Recipe(Table, frozen=True, kw_only=True):
    """A training run, whole: the same recipe and data give the same weights, bit for bit."""

    name: Name
    kind: Text
    seed: Annotated[int, Meta(ge=0, le=1_000_000_000)]
    sources: Annotated[tuple[Source, ...], Meta(min_length=1)] = field(name="source")
    version: Version = "1.0.0"
    network: NetworkShape | None = None
    augment: Augment = Augment()
    schedule: Schedule = Schedule()
    shares: Shares = Shares()
    additive: Additive | None = None
    allds2020: AllDs2020 | None = None
    beats: Beats | None = None
    pack: SaidPack
    labels: Annotated[tuple[SaidLabel, ...], Meta(min_length=2)] = field(name="label")
    groups: tuple[SaidGroup, ...] = field(default=(), name="group")
    measurements: tuple[Measurement, ...] = field(default=(), name="measurement")
    path: str = ""

    @property
    def flips(self) -> tuple[tuple[int, ...], ...]:
        """The axes of [N, H, W, 3] about which the pack turns each picture, look by look."""
        count = 1 if self.network is None else self.network.views
        return flips(count, upright=not self.augment.turn)

    def fingerprint(self) -> str:
        """What a checkpoint must share to be resumed: all that decides the weights, not the
        words."""
        deciding = {key: to_builtins(getattr(self, key)) for key in self.__struct_fields__}
        for words in ("pack", "labels", "groups", "measurements", "path", "version"):
            deciding.pop(words)
        if deciding["network"] is not None:
            deciding["network"].pop("views")
        deciding["schedule"].pop("runs")  # it decides how many there are, not what one learns
        if not deciding["schedule"]["patience"]:
            deciding["schedule"].pop("patience")
        if deciding["allds2020"] is None:
            deciding.pop("allds2020")
        if deciding["beats"] is None:
            deciding.pop("beats")
        else:
            deciding["beats"].pop("finding")
        text = json.dumps(deciding, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def __post_init__(self) -> None:
        if self.kind not in WORDS:
            raise Wrong("kind", f"must be one of {', '.join(WORDS)}, not {self.kind[:40]!r}")
        ways = ("network", "allds2020", "additive", "beats")
        said = [way for way in ways if getattr(self, way) is not None]
        if len(said) > 1:
            raise Wrong(said[0], f"and '{said[1]}' each say how it learns. Leave one out")
        with within("network.views"):
            _ = self.flips


def read_recipe(path: Path) -> dict[str, Any]:
    """The tables of a recipe as they are written.

    Raises BadConfiguration where there is no such file, or it is not TOML.
    """
    try:
        return RECIPE.parse(path.read_bytes(), name=path.name)
    except OSError:
        raise BadConfiguration(
            f"There is no recipe at {path}. Correct the path, or name a file from recipes/."
        ) from None


def open_recipe(path: Path) -> Recipe:
    """Read a recipe from TOML.

    Raises BadConfiguration, with the key, where the file is missing or does not hold what it
    should.
    """
    tables = read_recipe(path)
    if tables.get("kind") == "import":
        raise BadConfiguration(
            f"The recipe {path.name} trains nothing: it makes a pack of a model from elsewhere. "
            f"Say: firstread packs import FILE --recipe {called(path)}."
        )
    recipe = RECIPE.value(Recipe, tables | {"path": str(path)})
    if recipe.schedule.runs > 1 and (recipe.network is None or recipe.network.family != "lite"):
        raise BadConfiguration(
            "The recipe's 'schedule.runs' takes the mean of weights that began as the same learnt "
            'ones, which only [network] family = "lite" does. Say that, or leave runs out.'
        )
    return recipe


def flips(views: int, *, upright: bool) -> tuple[tuple[int, ...], ...]:
    """The axes of [N, H, W, 3] to turn about for so many looks; none for the first.

    Raises BadConfiguration where there are not so many ways round.

    >>> flips(2, upright=False), flips(2, upright=True)
    (((), (1, 2)), ((), (2,)))
    """
    ways: tuple[tuple[int, ...], ...] = ((), (2,)) if upright else ((), (1, 2), (1,), (2,))
    if views > len(ways):
        raise BadConfiguration(
            f"There are no {views} views of pictures with an upper end ([augment] turn = false). "
            "Say views = 2."
        )
    return ways[:views]


def find_recipe(name: str) -> Path:
    """The file of a recipe: a path, or the name of one that Firstread ships.

    Raises BadConfiguration where there is neither.
    """
    path = Path(name)
    if path.suffix == ".toml" or path.is_file():
        return path
    for shelf in _shelves():
        if (shelf / f"{name}.toml").is_file():
            return shelf / f"{name}.toml"
    raise BadConfiguration(
        f"There is no recipe '{name}'. Name a TOML file, or one that is shipped."
    )


def called(path: Path) -> str:
    """What a command takes for this recipe: the name of a shipped one, else its path."""
    return path.stem if path.parent in _shelves() else str(path)


def _shelves() -> tuple[Path, Path]:
    package = Path(__file__).resolve().parents[1]
    return package / "shipped_recipes", package.parents[1] / "recipes"

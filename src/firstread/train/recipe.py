"""A recipe: everything that decides a training run, read from one TOML file."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from firstread.domain.errors import BadConfiguration
from firstread.packs import Input
from firstread.train.recipe_checks import refuse_mistakes, refuse_table_mistakes, said_of_call

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Source:
    """One labelled folder, and the labels in the order of the logits."""

    name: str
    labels: tuple[str, ...]
    title: str = ""
    licence: str = ""
    width_px: int = 0
    height_px: int = 0
    colour: Literal["rgb", "grey"] = "rgb"
    fit: Literal["crop", "pad", "stretch"] = "crop"
    interpolation: Literal["nearest", "box", "bilinear", "bicubic", "lanczos"] = "bilinear"

    @property
    def input(self) -> Input:
        """How its pictures are made to fit the network, in training and in the pack."""
        return Input(
            width_px=self.width_px,
            height_px=self.height_px,
            colour=self.colour,
            fit=self.fit,
            interpolation=self.interpolation,
        )


@dataclass(frozen=True, kw_only=True)
class NetworkShape:
    """How wide and deep the network is.

    Of the family `residual`, `norm` is group (before every convolution), sparse (where the width
    changes) or none. The family `lite` starts from what it learnt of everyday pictures: `stages` of
    seven are kept, and the first `frozen` blocks stay as they came. `views` is how many ways round
    (upside down, mirrored) the pack looks at each picture: 1, 2 or 4. Pictures that have an upper
    end ([augment] turn = false) have two: as they are, and mirrored.
    """

    family: Literal["residual", "lite"] = "residual"
    stages: int = 6
    frozen: int = 1
    stem: int = 32
    widths: tuple[int, ...] = (64, 128, 224)
    depths: tuple[int, ...] = (2, 2, 2)
    norm: str = "sparse"
    dropout: float = 0.2
    views: int = 1


@dataclass(frozen=True, kw_only=True)
class Augment:
    """How far a training picture may be turned, scaled and recoloured (shares and factors; `tilt`
    in degrees, for pictures that have an upper end)."""

    turn: bool = True
    tilt: float = 0.0
    scale_low: float = 0.85
    scale_high: float = 1.18
    shear: float = 0.08
    shift: float = 0.06
    background: float = 0.5
    stain: float = 0.12
    brightness: float = 0.12
    contrast: float = 0.12
    blur: float = 0.1
    noise: float = 0.02
    mix: float = 0.3
    erase: float = 0.15


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How long and how fast it learns."""

    epochs: int = 40
    batch: int = 64
    rate: float = 0.002
    # The head starts from nothing, and may learn faster than a trunk that does not.
    head: float = 1.0
    warmup: float = 0.08
    weight_decay: float = 0.05
    smoothing: float = 0.05
    average: float = 0.998
    precision: str = "float32"
    threads: int = 1
    # Learns so often from the same start, and takes the mean of the weights it comes to.
    runs: int = 1
    # Ends after so many epochs without a better one, and keeps the best; 0 learns to the end.
    patience: int = 0
    # A second source teaches the trunk beside the first, until this share of the epochs.
    beside_until: float = 0.5
    beside: float = 0.7
    # Smaller pictures first: most of what there is to learn shows at two thirds of the size, in
    # half the time.
    small_until: float = 0.5
    small: float = 0.67


@dataclass(frozen=True, kw_only=True)
class Shares:
    """The shares of the samples that are kept from training."""

    validation: float = 0.12
    test: float = 0.10


@dataclass(frozen=True, kw_only=True)
class Additive:
    """The additive model of measurements: knots per characteristic and its penalties."""

    knots: tuple[float, ...] = (1.0, 3.0, 5.0, 8.0)
    ridge: float = 1.0
    balance: float = 0.0
    folds: int = 10
    repeats: int = 10


@dataclass(frozen=True, kw_only=True)
class AllDs2020:
    """How AllDS2020 learnt; the recipe's table of that name.

    Rate, decay, epochs and rotations are those of its published configuration (March 2020). It
    states batches of 100 but does not hand them to Keras, which then takes 32: `batch` is 32.
    """

    optimiser: Literal["adam", "rmsprop"] = "adam"
    rate: float = 1e-4
    decay: float = 1e-6
    epochs: int = 150
    batch: int = 32
    rotations: int = 10
    threads: int = 2


@dataclass(frozen=True, kw_only=True)
class Beats:
    """How beats are shown to the network, as in the pack's `[recording]`, and how it learns them.

    Records are parted into `folds`; for each fold a network (or `repeats` of them) learns from the
    others, and the pack holds all of these networks together. `width` is how wide each is. Of the
    commonest label only the share `commonest` is drawn each epoch. A share `made_up` of the regular
    beats drawn is made premature, so that the network knows more patients with such beats than
    there are; of the others the share `fibrillating` comes as in atrial fibrillation, and stays
    what it is. Operating
    points weigh finding a beat `finding` times as much as being right about it.
    """

    leads: int = 2
    preferred: tuple[str, ...] = ()
    rate_hz: float = 180.0
    before_s: float = 0.45
    after_s: float = 0.6
    beats_around: int = 8
    alarm_beats: int = 3
    min_length_s: float = 10.0
    folds: int = 5
    repeats: int = 1
    width: int = 24
    dropout: float = 0.3
    commonest: float = 0.17
    made_up: float = 0.1
    fibrillating: float = 0.1
    finding: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A training run, whole: the same recipe and data give the same weights, bit for bit."""

    name: str
    kind: str
    seed: int
    sources: tuple[Source, ...]
    version: str = "1.0.0"
    network: NetworkShape | None = None
    augment: Augment = field(default_factory=Augment)
    schedule: Schedule = field(default_factory=Schedule)
    shares: Shares = field(default_factory=Shares)
    additive: Additive | None = None
    allds2020: AllDs2020 | None = None
    beats: Beats | None = None
    pack: dict[str, Any] = field(default_factory=dict)
    labels: tuple[dict[str, Any], ...] = ()
    groups: tuple[dict[str, Any], ...] = ()
    measurements: tuple[dict[str, Any], ...] = ()
    path: str = ""

    @property
    def flips(self) -> tuple[tuple[int, ...], ...]:
        """The axes of [N, H, W, 3] about which the pack turns each picture, look by look."""
        count = 1 if self.network is None else self.network.views
        return flips(count, upright=not self.augment.turn)

    def fingerprint(self) -> str:
        """What a checkpoint must share to be resumed: all that decides the weights, not the
        words."""
        deciding = dataclasses.asdict(self)
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
        text = json.dumps(deciding, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def _filled(kind: type[T], values: Any, *, where: str) -> T:
    """`values` as the frozen `kind`; an unknown key or a missing one is named."""
    if not isinstance(values, dict):
        raise BadConfiguration(f"The recipe's [{where}] must be a table. Write it as one.")
    fields = {f.name: f for f in dataclasses.fields(kind)}  # type: ignore[arg-type]  # kind is a dataclass
    unknown = sorted(set(values) - set(fields))
    if unknown:
        raise BadConfiguration(
            f"The recipe's [{where}] does not know '{unknown[0]}'. It knows: {', '.join(fields)}."
        )
    ready = {
        key: tuple(value) if isinstance(value, list) else value for key, value in values.items()
    }
    refuse_mistakes(kind, ready, where=where)
    try:
        return kind(**ready)
    except TypeError as why:
        raise BadConfiguration(
            f"The recipe's [{where}] is not whole: {said_of_call(why)}. Add it."
        ) from why


def open_recipe(path: Path) -> Recipe:
    """Read a recipe from TOML.

    Raises BadConfiguration, with the key, where the file is missing or does not hold what it
    should.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as why:
        raise BadConfiguration(f"There is no recipe at {path}. Name a file from recipes/.") from why
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as why:
        raise BadConfiguration(f"The recipe {path.name} is not TOML: {why}. Correct it.") from why
    if tables.get("kind") == "import":
        raise BadConfiguration(
            f"The recipe {path.name} trains nothing: it makes a pack of a model from elsewhere. "
            f"Say: firstread packs import FILE --recipe {called(path)}."
        )
    known = {
        "network": NetworkShape, "augment": Augment, "schedule": Schedule,
        "shares": Shares, "additive": Additive, "allds2020": AllDs2020, "beats": Beats,
    }  # fmt: skip
    ready: dict[str, Any] = {"path": str(path)}
    for key, value in tables.items():
        if key in known:
            ready[key] = _filled(known[key], value, where=key)
        elif key == "source":
            ready["sources"] = tuple(
                _filled(Source, one, where="source") for one in _tables(value, where="source")
            )
        elif key in ("label", "group", "measurement"):
            ready[key + "s"] = _tables(value, where=key)
        else:
            ready[key] = value
    recipe = _filled(Recipe, ready, where="recipe")
    _refuse_discord(recipe)
    return recipe


def _tables(value: Any, *, where: str) -> tuple[dict[str, Any], ...]:
    if not isinstance(value, list) or not value:
        raise BadConfiguration(f"The recipe needs [[{where}]] tables. Write each as one.")
    for each in value:
        refuse_table_mistakes(each, where=where)
    return tuple(value)


def _refuse_discord(recipe: Recipe) -> None:
    """Raises BadConfiguration where tables do not go together."""
    if recipe.kind not in ("image", "measurements", "recording"):
        raise BadConfiguration("The recipe's kind must be image, measurements or recording.")
    if not recipe.sources:
        raise BadConfiguration("The recipe needs [[source]] tables. Write each as one.")
    refuse_table_mistakes(recipe.pack, where="pack")
    ways = ("network", "allds2020", "additive", "beats")
    said = [way for way in ways if getattr(recipe, way) is not None]
    if len(said) > 1:
        raise BadConfiguration(
            f"The recipe has [{said[0]}] and [{said[1]}], and each says how it learns. Leave one "
            "out."
        )
    if not 0 < recipe.augment.scale_low <= recipe.augment.scale_high:
        raise BadConfiguration(
            "The recipe's [augment] scale_low lies above scale_high. Exchange them."
        )
    if recipe.network is not None and len(recipe.network.widths) != len(recipe.network.depths):
        raise BadConfiguration(
            "The recipe's [network] widths and depths say one number for each stage, and are not "
            "equally many. Correct them."
        )
    if recipe.network is not None:
        flips(recipe.network.views, upright=not recipe.augment.turn)
    if recipe.schedule.runs > 1 and (recipe.network is None or recipe.network.family != "lite"):
        raise BadConfiguration(
            "The recipe's [schedule] runs takes the mean of weights that began as the same learnt "
            'ones, which only [network] family = "lite" does. Say that, or leave runs out.'
        )


def flips(views: int, *, upright: bool) -> tuple[tuple[int, ...], ...]:
    """The axes of [N, H, W, 3] to turn about for so many looks; none for the first.

    Raises BadConfiguration where there are not so many ways round.

    >>> flips(2, upright=False), flips(2, upright=True)
    (((), (1, 2)), ((), (2,)))
    """
    ways: tuple[tuple[int, ...], ...] = ((), (2,)) if upright else ((), (1, 2), (1,), (2,))
    if views > len(ways):
        raise BadConfiguration(
            f"The recipe's [network] has {views} views, and pictures with an upper end ([augment] "
            "turn = false) have two. Say views = 2."
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

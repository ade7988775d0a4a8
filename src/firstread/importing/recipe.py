"""A plan from a recipe for importing and from the options of the command line, which go first."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta, structs

from firstread.domain.errors import BadConfiguration
from firstread.importing.plan import (
    LICENCE,
    LIMITS,
    OWN_SIZE,
    USE,
    Answers,
    Pixels,
    Plan,
    alarmed,
    labels_from,
)
from firstread.packs import PICTURE, Input, Label, Measurement
from firstread.packs.manifest import Name, One, Readers
from firstread.toml import Table, Text, narrowed
from firstread.train.recipe import RECIPE, SaidLabel, called, find_recipe, read_recipe

KIND = "import"
MOST_LABELS = 100_000


@dataclass(frozen=True, kw_only=True)
class Said:
    """What the options say; None where nothing was said."""

    name: str | None = None
    version: str | None = None
    check: str | None = None
    title: str | None = None
    licence: str | None = None
    intended_use: str | None = None
    limits: str | None = None
    labels: str | None = None
    positive: str | None = None
    size: str | None = None
    colour: str | None = None
    fit: str | None = None
    interpolation: str | None = None
    order: str | None = None
    layout: str | None = None
    scale: str | None = None
    mean: str | None = None
    std: str | None = None
    output: str | None = None
    answers: str | None = None
    measurements: str | None = None
    ranges: str | None = None


class _About(Table, frozen=True, kw_only=True):
    """What `[pack]` says."""

    check: Text | None = None
    title: Text | None = None
    licence: Text = LICENCE
    intended_use: Text = USE
    limits: Text = LIMITS
    many: bool = False
    one: One = PICTURE
    readers: Readers = 1
    motif: Name | None = None
    words: str = ""


class _Shown(Table, frozen=True, kw_only=True):
    """What `[input]` says; without a size it is that of the graph's own input."""

    width_px: Annotated[int, Meta(ge=0, le=4096)] = OWN_SIZE.width_px
    height_px: Annotated[int, Meta(ge=0, le=4096)] = OWN_SIZE.height_px
    colour: Literal["rgb", "grey"] | None = None
    fit: Literal["crop", "pad", "stretch"] = OWN_SIZE.fit
    interpolation: Literal["nearest", "box", "bilinear", "bicubic", "lanczos"] = (
        OWN_SIZE.interpolation
    )


class _Model(Table, frozen=True, kw_only=True):
    """What `[model]` says."""

    output: Text | None = None
    answers: Answers | None = None
    file_sha256: Text | None = None


class _WantedLabel(SaidLabel, frozen=True, kw_only=True):
    positive: bool = False


class _Row(Measurement, frozen=True, kw_only=True):
    """A `[[measurement]]`, of which its code and range are enough."""

    title: str = ""
    help: Text = "As in the model's training data."
    unit: Text = "none"
    may_be_missing: bool = False

    @property
    def whole(self) -> Measurement:
        return narrowed(Measurement, self, title=self.title or self.code)


class _Recipe(Table, frozen=True, kw_only=True):
    """What the recipe says, and over it what the options say."""

    kind: str = KIND
    name: Text | None = None
    version: Text = "1.0.0"
    labels: tuple[str | int, ...] = ()
    pack: _About = _About()
    input: _Shown = _Shown()
    pixels: Pixels = Pixels()
    model: _Model = _Model()
    label: tuple[_WantedLabel, ...] = ()
    measurement: tuple[_Row, ...] = ()


def make_plan(said: Said, *, recipe: str | None) -> Plan:
    """The plan that a recipe (a path, or the name of a shipped one) and the options make.

    Raises BadConfiguration, which names the key or the option.
    """
    told = RECIPE.value(_Recipe, _over(_told(recipe), said))
    about, check = told.pack, told.pack.check or told.name
    if not check:
        raise BadConfiguration(
            "It is not said what the model is for. Say which question it answers: --check NAME."
        )
    _refuse_odd(told.pixels)
    colour = "grey" if told.pixels.order == "grey" else "rgb"
    labels, sensitivities = _labels(said, told)
    return Plan(
        name=told.name or check,
        check=check,
        title=about.title or check.replace("-", " ").capitalize(),
        version=told.version,
        licence=about.licence,
        intended_use=about.intended_use,
        limits=about.limits,
        many=about.many,
        one=about.one,
        readers=about.readers,
        motif=about.motif,
        words=about.words,
        labels=labels,
        positive=() if labels else tuple(_positive(said)),
        sensitivities=sensitivities,
        input=narrowed(Input, told.input, colour=told.input.colour or colour),
        pixels=told.pixels,
        measurements=_measurements(said, told),
        span=None if said.ranges is None else _range(said.ranges),
        recipe=Plan.recipe if recipe is None else f"recipes/{find_recipe(recipe).name}",
        **structs.asdict(told.model),
    )


def option_of(key: str) -> str:
    """How the option is written that a field of `Said` holds.

    >>> option_of("intended_use"), option_of("ranges")
    ('--intended-use', '--range')
    """
    return "--range" if key == "ranges" else f"--{key.replace('_', '-')}"


def refuse_said(said: Said, keys: Collection[str], *, why: str) -> None:
    """Raises BadConfiguration with `why` where one of these was said: it would change nothing."""
    for key in keys:
        if getattr(said, key) is not None:
            raise BadConfiguration(f"{why} Leave {option_of(key)} out.")


def _told(recipe: str | None) -> dict[str, Any]:
    """The recipe's tables as they are written."""
    if recipe is None:
        return {}
    path = find_recipe(recipe)
    told = read_recipe(path)
    if told.get("kind") != KIND:
        raise BadConfiguration(
            f"The recipe {path.name} is for training: firstread train {called(path)}. For weights "
            f"of its network say --network {called(path)} instead of --recipe; a recipe for "
            f"importing has the kind '{KIND}'."
        )
    return told


def _over(told: dict[str, Any], said: Said) -> dict[str, Any]:
    """What the recipe says, and over it what the options say."""
    given = _given(said)
    whole = told | {key: given[key] for key in ("name", "version") if given.get(key)}
    tables: dict[str, type[Table]] = {
        "pack": _About, "input": _Shown, "pixels": Pixels, "model": _Model,
    }  # fmt: skip
    for key, kind in tables.items():
        table = told.get(key, {})
        if isinstance(table, dict):  # what is none is refused with the rest
            own = {name: given[name] for name in kind.__struct_fields__ if name in given}
            whole[key] = _in_numbers(table) | own
    return whole


def _given(said: Said) -> dict[str, Any]:
    """What the options say, as a recipe writes it."""
    given = {key: value for key, value in dataclasses.asdict(said).items() if value is not None}
    for key in ("mean", "std"):
        if key in given:
            given[key] = [_number(each, of=f"--{key}") for each in given[key].split(",")]
    if "scale" in given:
        given["scale"] = _number(given["scale"], of="--scale")
    if said.size is not None:
        found = re.fullmatch(r"(\d{1,4})(?:[xX](\d{1,4}))?", said.size.strip())
        if found is None:
            raise BadConfiguration(
                f"--size {said.size[:40]} is no size. Say one number, or WIDTHxHEIGHT, in pixels."
            )
        given |= {"width_px": int(found[1]), "height_px": int(found[2] or found[1])}
    return given


def _in_numbers(table: dict[str, Any]) -> dict[str, Any]:
    """The table, in which `mean` and `std` may be one number, and `scale` a share such as 1/255."""
    plain = dict(table)
    for key in ("mean", "std"):
        if type(plain.get(key)) in (int, float):
            plain[key] = [plain[key]]
    if isinstance(plain.get("scale"), str):
        plain["scale"] = _number(plain["scale"], of="scale")
    return plain


def _labels(said: Said, told: _Recipe) -> tuple[tuple[Label, ...], dict[str, float]]:
    positive = _positive(said)
    if said.labels is not None:
        return labels_from(label_names(said.labels), positive=positive), {}
    if not told.label and not told.labels:
        return (), {}  # the file may name them
    if not told.label:
        return labels_from([str(each) for each in told.labels], positive=positive), {}
    labels = tuple(narrowed(Label, each) for each in told.label)
    fitted = {each.code: each.sensitivity for each in told.label if each.sensitivity is not None}
    return labels if said.positive is None else alarmed(labels, positive), fitted


def _positive(said: Said) -> list[str]:
    return [each.strip() for each in (said.positive or "").split(",") if each.strip()]


def label_names(said: str) -> list[str]:
    """The names in `a,b,c`, or in a file: one a line, a JSON list, or JSON numbers with names.

    >>> label_names("benign, malignant")
    ['benign', 'malignant']

    Raises BadConfiguration where a file cannot be read or leaves a number out.
    """
    path = Path(said)
    if "," in said or not (path.suffix or path.is_file()):
        return [each.strip() for each in said.split(",") if each.strip()]
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise BadConfiguration(
            f"The labels in {path.name} cannot be read. Name a text file in UTF-8, one label a "
            "line, or write them: --labels a,b,c."
        ) from None
    if path.suffix.lower() != ".json":
        return [line.strip() for line in text.splitlines() if line.strip()][:MOST_LABELS]
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise BadConfiguration(f"{path.name} is not JSON. Export the labels again.") from None
    if isinstance(found, dict):
        numbered = {int(key): value for key, value in found.items() if str(key).isdecimal()}
        if sorted(numbered) != list(range(len(found))):
            raise BadConfiguration(
                f"{path.name} does not number its labels from 0 on without a gap. Correct it."
            )
        found = [numbered[number] for number in range(len(numbered))]
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise BadConfiguration(
            f"{path.name} holds no list of names. Write a JSON list, or numbers with names."
        )
    return found[:MOST_LABELS]


def _refuse_odd(pixels: Pixels) -> None:
    """Raises BadConfiguration where the numbers for pixels cannot be meant."""
    for key in ("mean", "std"):
        if len(getattr(pixels, key)) not in (1, pixels.channels):
            raise BadConfiguration(
                f"'{key}' must be one number, or one for each of {pixels.channels} channels, in "
                "the order in which the model takes them. Correct it."
            )
    if min(pixels.std) <= 0 or pixels.scale == 0:
        raise BadConfiguration(
            "'scale' must not be 0, and 'std' must be greater than 0. Correct it."
        )


def _number(text: str, *, of: str) -> float:
    """A number, or a share such as 1/255."""
    above, _, below = text.strip().partition("/")
    try:
        number = float(above) / float(below or 1)
    except (ValueError, ZeroDivisionError):
        number = math.nan
    if not math.isfinite(number):
        raise BadConfiguration(
            f"{of} takes numbers such as 0.5 or 1/255, not {text[:40]!r}. Correct it."
        )
    return number


def _measurements(said: Said, told: _Recipe) -> tuple[Measurement, ...]:
    if told.measurement and said.measurements is None:
        if said.ranges is not None:
            raise BadConfiguration(
                "The recipe gives each measurement its own range. Leave --range out, or name the "
                "measurements too: --measurements a,b,c."
            )
        return tuple(each.whole for each in told.measurement)
    if said.measurements is None:
        return ()
    codes = [each.strip() for each in said.measurements.split(",") if each.strip()]
    low, high = _range(said.ranges)
    titles = [code.replace("_", " ").replace("-", " ").capitalize() for code in codes]
    return tuple(
        _Row(code=code, title=title, minimum=low, maximum=high).whole
        for code, title in zip(codes, titles, strict=True)
    )


def _range(said: str | None) -> tuple[float, float]:
    low, found, high = (said or "").partition(":")
    if not found:
        raise BadConfiguration(
            "It is not said which values measurements can have. Say --range LOWEST:HIGHEST, or "
            "give each its own in a recipe's [[measurement]]."
        )
    ends = _number(low, of="--range"), _number(high, of="--range")
    if not ends[0] < ends[1]:
        raise BadConfiguration(f"--range {said} has its higher end first. Turn it round.")
    return ends

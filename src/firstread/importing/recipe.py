"""A plan from a recipe for importing and from the options of the command line, which go first."""

from __future__ import annotations

import dataclasses
import json
import math
import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from firstread.domain.errors import BadConfiguration, PackRefused
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
from firstread.packs.strict import table_to_value
from firstread.train.recipe import called, find_recipe

T = TypeVar("T")

KIND = "import"
MOST_LABELS = 100_000
_TABLES = ("pack", "input", "pixels", "model")
_LISTS = ("label", "measurement")
_PLAIN = ("kind", "name", "version", "labels")


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


@dataclass(frozen=True, kw_only=True)
class _About:
    """What `[pack]` says."""

    check: str | None = None
    title: str | None = None
    licence: str = LICENCE
    intended_use: str = USE
    limits: str = LIMITS
    many: bool = False
    one: str = PICTURE
    words: str = ""


@dataclass(frozen=True, kw_only=True)
class _Model:
    """What `[model]` says."""

    output: str | None = None
    answers: Answers | None = None
    file_sha256: str | None = None


@dataclass(frozen=True, kw_only=True)
class _WantedLabel(Label):
    """A `[[label]]`, with the sensitivity that its operating point is fitted at."""

    sensitivity: float | None = None


def make_plan(said: Said, *, recipe: str | None) -> Plan:
    """The plan that a recipe (a path, or the name of a shipped one) and the options make.

    Raises BadConfiguration, which names the key or the option.
    """
    told = _recipe(recipe)
    keys = ("check", "title", "licence", "intended_use", "limits")
    about = _strict(_About, _over(told.get("pack", {}), said, keys), where="pack")
    model = _over(told.get("model", {}), said, ("output", "answers"))
    name = said.name or told.get("name") or about.check
    if not name:
        raise BadConfiguration(
            "It is not said what the model is for. Say which question it answers: --check NAME."
        )
    check = about.check or name
    labels, sensitivities = _labels(said, told)
    pixels = _pixels(said, told.get("pixels", {}))
    return Plan(
        name=name,
        check=check,
        title=about.title or check.replace("-", " ").capitalize(),
        version=said.version or told.get("version", "1.0.0"),
        licence=about.licence,
        intended_use=about.intended_use,
        limits=about.limits,
        many=about.many,
        one=about.one,
        words=about.words,
        labels=labels,
        sensitivities=sensitivities,
        input=_input(said, told.get("input", {}), grey=pixels.order == "grey"),
        pixels=pixels,
        measurements=_measurements(said, told),
        span=None if said.ranges is None else _range(said.ranges),
        recipe=_recipe_name(recipe),
        **dataclasses.asdict(_strict(_Model, model, where="model")),
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


def _over(table: Mapping[str, Any], said: Said, keys: Sequence[str]) -> dict[str, Any]:
    """What the recipe says under its keys, and over it what the options say."""
    return dict(table) | {k: getattr(said, k) for k in keys if getattr(said, k) is not None}


def _recipe_name(recipe: str | None) -> str:
    return Plan.recipe if recipe is None else f"recipes/{find_recipe(recipe).name}"


def _recipe(recipe: str | None) -> dict[str, Any]:
    if recipe is None:
        return {}
    path = find_recipe(recipe)
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise BadConfiguration(f"There is no recipe at {path}. Correct the path.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as why:
        raise BadConfiguration(f"The recipe {path.name} is not TOML: {why}. Correct it.") from None
    if told.get("kind") != KIND:
        raise BadConfiguration(
            f"The recipe {path.name} is for training: firstread train {called(path)}. For weights "
            f"of its network say --network {called(path)} instead of --recipe; a recipe for "
            f"importing has the kind '{KIND}'."
        )
    for key, value in told.items():
        if key not in (*_TABLES, *_LISTS, *_PLAIN):
            known = ", ".join((*_PLAIN, *_TABLES, *_LISTS))
            raise BadConfiguration(
                f"The recipe {path.name} has '{key[:60]}', which nobody knows. It knows: {known}."
            )
        expected = dict if key in _TABLES else list if key in (*_LISTS, "labels") else str
        if not isinstance(value, expected):
            raise BadConfiguration(
                f"'{key}' of the recipe {path.name} has a wrong form. Correct it."
            )
    return told


def _strict(kind: type[T], table: Any, *, where: str) -> T:
    """As pack.toml is read: every surprise is a refusal that names the key."""
    try:
        return table_to_value(kind, table, where=where)
    except PackRefused as error:
        what = str(error).replace("In pack.toml '", "The recipe's '")
        what = what.replace("pack.toml", "The recipe")
        what = re.sub(
            r"(Train or copy the pack again|Remove it, or upgrade Firstread)\.$", "", what
        )
        raise BadConfiguration(f"{what.rstrip()} Correct it.") from None


def _labels(said: Said, told: Mapping[str, Any]) -> tuple[tuple[Label, ...], dict[str, float]]:
    positive = [each.strip() for each in (said.positive or "").split(",") if each.strip()]
    if said.labels is not None:
        return labels_from(label_names(said.labels), positive=positive), {}
    if "label" not in told:
        names = [str(each) for each in told.get("labels", [])]
        return labels_from(names, positive=positive), {}
    wanted = [
        _strict(_WantedLabel, {"positive": False} | each, where="label")
        for each in _tables(told["label"], of="label")
    ]
    sensitivities = {each.code: each.sensitivity for each in wanted if each.sensitivity is not None}
    if not all(0 < each <= 1 for each in sensitivities.values()):
        raise BadConfiguration(
            "The 'sensitivity' of a [[label]] is a share, such as 0.95. Correct it."
        )
    own = [each.name for each in dataclasses.fields(Label)]
    labels = tuple(Label(**{name: getattr(each, name) for name in own}) for each in wanted)
    return labels if said.positive is None else alarmed(labels, positive), sensitivities


def _tables(given: Sequence[Any], *, of: str) -> list[dict[str, Any]]:
    if not all(isinstance(each, dict) for each in given):
        raise BadConfiguration(f"Each '{of}' of the recipe is a table: [[{of}]]. Correct it.")
    return list(given)


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


def _input(said: Said, told: Mapping[str, Any], *, grey: bool) -> Input:
    values = dataclasses.asdict(OWN_SIZE) | ({"colour": "grey"} if grey else {})
    values |= _over(told, said, ("colour", "fit", "interpolation"))
    if said.size is not None:
        found = re.fullmatch(r"(\d{1,4})(?:[xX](\d{1,4}))?", said.size.strip())
        if found is None:
            raise BadConfiguration(
                f"--size {said.size[:40]} is no size. Say one number, or WIDTHxHEIGHT, in pixels."
            )
        values["width_px"], values["height_px"] = int(found[1]), int(found[2] or found[1])
    return _strict(Input, values, where="input")


def _pixels(said: Said, told: Mapping[str, Any]) -> Pixels:
    values = _over(told, said, ("order", "layout", "scale"))
    for key in ("mean", "std"):
        if getattr(said, key) is not None:
            values[key] = [_number(each, of=f"--{key}") for each in getattr(said, key).split(",")]
        elif isinstance(values.get(key), int | float):
            values[key] = [values[key]]
    if isinstance(values.get("scale"), str):
        values["scale"] = _number(values["scale"], of="scale" if said.scale is None else "--scale")
    pixels = _strict(Pixels, values, where="pixels")
    _refuse_odd(pixels)
    return pixels


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


def _measurements(said: Said, told: Mapping[str, Any]) -> tuple[Measurement, ...]:
    if "measurement" in told and said.measurements is None:
        if said.ranges is not None:
            raise BadConfiguration(
                "The recipe gives each measurement its own range. Leave --range out, or name the "
                "measurements too: --measurements a,b,c."
            )
        defaults = {
            "help": "As in the model's training data.",
            "unit": "none",
            "may_be_missing": False,
        }
        return tuple(
            _strict(
                Measurement,
                defaults | {"title": str(table.get("code"))} | table,
                where="measurement",
            )
            for table in _tables(told["measurement"], of="measurement")
        )
    if said.measurements is None:
        return ()
    codes = [each.strip() for each in said.measurements.split(",") if each.strip()]
    low, high = _range(said.ranges)
    return tuple(
        Measurement(
            code=code,
            title=code.replace("_", " ").replace("-", " ").capitalize(),
            help="As in the model's training data.",
            unit="none",
            minimum=low,
            maximum=high,
            may_be_missing=False,
        )
        for code in codes
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

"""A plan from a recipe for importing and from the options of the command line, which go first."""

from __future__ import annotations

import dataclasses
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from firstread.domain.errors import BadConfiguration, PackRefused
from firstread.importing.plan import OWN_SIZE, Pixels, Plan, labels_from
from firstread.packs import Input, Label, Measurement
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


def make_plan(said: Said, *, recipe: str | None) -> Plan:
    """The plan that a recipe (a path, or the name of a shipped one) and the options make.

    Raises BadConfiguration, which names the key or the option.
    """
    told = _recipe(recipe)
    pack: dict[str, Any] = dict(told.get("pack", {}))
    for key in ("check", "title", "licence", "intended_use", "limits"):
        if getattr(said, key) is not None:
            pack[key] = getattr(said, key)
    name = said.name or told.get("name") or pack.get("check")
    check = pack.pop("check", None) or name
    if not check:
        raise BadConfiguration(
            "It is not said what the model is for. Say which question it answers: --check NAME."
        )
    labels, sensitivities = _labels(said, told)
    pixels = _pixels(said, told.get("pixels", {}))
    model: dict[str, Any] = dict(told.get("model", {}))
    for key in ("output", "answers"):
        if getattr(said, key) is not None:
            model[key] = getattr(said, key)
    return _filled(
        Plan,
        {
            "name": name,
            "check": check,
            "title": pack.pop("title", None) or str(check).replace("-", " ").capitalize(),
            "version": said.version or told.get("version", "1.0.0"),
            "labels": labels,
            "sensitivities": sensitivities,
            "pixels": pixels,
            "input": _input(said, told.get("input", {}), grey=pixels.order == "grey"),
            "measurements": _measurements(said, told),
            "span": None if said.ranges is None else _range(said.ranges),
            "recipe": _recipe_name(recipe),
            **pack,
            **model,
        },
        where="pack] or [model",
    )


def _recipe_name(recipe: str | None) -> str:
    return Plan.recipe if recipe is None else f"recipes/{find_recipe(recipe).name}"


def _recipe(recipe: str | None) -> dict[str, Any]:
    if recipe is None:
        return {}
    path = find_recipe(recipe)
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
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


def _filled(kind: type[T], values: Mapping[str, Any], *, where: str) -> T:
    fields = {each.name: each for each in dataclasses.fields(kind)}  # type: ignore[arg-type]  # kind is a dataclass
    unknown = sorted(set(values) - set(fields))
    if unknown:
        raise BadConfiguration(
            f"The recipe's [{where}] does not know '{unknown[0][:60]}'. It knows: "
            f"{', '.join(fields)}."
        )
    ready = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    try:
        return kind(**ready)
    except TypeError as why:
        raise BadConfiguration(f"The recipe's [{where}] lacks a key: {why}. Add it.") from None


def _strict(kind: type[T], table: Mapping[str, Any], *, where: str) -> T:
    """As pack.toml is read: every surprise is a refusal that names the key."""
    try:
        return table_to_value(kind, dict(table), where=where)
    except PackRefused as error:
        what = str(error).replace("pack.toml", "the recipe").removeprefix("In ")
        what = re.sub(
            r"(Train or copy the pack again|Remove it, or upgrade Firstread)\.$", "", what
        )
        raise BadConfiguration(f"{what[:1].upper()}{what[1:].rstrip()} Correct it.") from None


def _labels(said: Said, told: Mapping[str, Any]) -> tuple[tuple[Label, ...], dict[str, float]]:
    positive = [each.strip() for each in (said.positive or "").split(",") if each.strip()]
    if said.labels is not None:
        return labels_from(label_names(said.labels), positive=positive), {}
    if "label" in told:
        tables = [dict(table) for table in told["label"] if isinstance(table, dict)]
        wanted = {
            str(table.get("code")): float(table.pop("sensitivity"))
            for table in tables
            if "sensitivity" in table
        }
        return tuple(
            _strict(Label, {"positive": False} | table, where="label") for table in tables
        ), wanted
    names = [str(each) for each in told.get("labels", [])]
    return labels_from(names, positive=positive), {}


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
    values = dataclasses.asdict(OWN_SIZE) | ({"colour": "grey"} if grey else {}) | dict(told)
    for key in ("colour", "fit", "interpolation"):
        if getattr(said, key) is not None:
            values[key] = getattr(said, key)
    if said.size is not None:
        found = re.fullmatch(r"(\d{1,4})(?:[xX](\d{1,4}))?", said.size.strip())
        if found is None:
            raise BadConfiguration(
                f"--size {said.size[:40]} is no size. Say one number, or WIDTHxHEIGHT, in pixels."
            )
        values["width_px"], values["height_px"] = int(found[1]), int(found[2] or found[1])
    return _strict(Input, values, where="input")


def _pixels(said: Said, told: Mapping[str, Any]) -> Pixels:
    values: dict[str, Any] = dict(told)
    for key in ("order", "layout"):
        if getattr(said, key) is not None:
            values[key] = getattr(said, key)
    for key in ("mean", "std"):
        if getattr(said, key) is not None:
            values[key] = tuple(
                _number(each, of=f"--{key}") for each in getattr(said, key).split(",")
            )
        elif isinstance(values.get(key), int | float):
            values[key] = (float(values[key]),)
    if said.scale is not None:
        values["scale"] = _number(said.scale, of="--scale")
    elif isinstance(values.get("scale"), str):
        values["scale"] = _number(values["scale"], of="scale")
    pixels = _filled(Pixels, values, where="pixels")
    _refuse_odd(pixels)
    return pixels


def _refuse_odd(pixels: Pixels) -> None:
    """Raises BadConfiguration where the numbers for pixels cannot be meant."""
    for key in ("mean", "std"):
        numbers = getattr(pixels, key)
        if len(numbers) not in (1, pixels.channels):
            raise BadConfiguration(
                f"'{key}' must be one number, or one for each of {pixels.channels} channels, in "
                "the "
                f"order in which the model takes them. Correct it."
            )
    if min(pixels.std) <= 0 or pixels.scale == 0:
        raise BadConfiguration(
            "'scale' must not be 0, and 'std' must be greater than 0. Correct it."
        )
    if pixels.order not in ("rgb", "bgr", "grey") or pixels.layout not in (None, "nchw", "nhwc"):
        raise BadConfiguration(
            "The order of channels is rgb, bgr or grey, and the layout nchw or nhwc. Correct it."
        )


def _number(text: str, *, of: str) -> float:
    """A number, or a share such as 1/255."""
    above, _, below = text.strip().partition("/")
    try:
        return float(above) / float(below or 1)
    except (ValueError, ZeroDivisionError):
        raise BadConfiguration(
            f"{of} takes numbers such as 0.5 or 1/255, not {text[:40]!r}."
        ) from None


def _measurements(said: Said, told: Mapping[str, Any]) -> tuple[Measurement, ...]:
    if "measurement" in told and said.measurements is None:
        tables = [table for table in told["measurement"] if isinstance(table, dict)]
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
            for table in tables
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
            "give "
            "each its own in a recipe's [[measurement]]."
        )
    return _number(low, of="--range"), _number(high, of="--range")

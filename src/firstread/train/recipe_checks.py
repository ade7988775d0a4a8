"""What a recipe may say: kinds of values and their ranges, checked before any time is spent."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from typing import Any, Literal

from firstread.domain.errors import BadConfiguration

_WORDS = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
# Least and most; what lies between is at least possible.
_RANGES: dict[str, dict[str, tuple[float, float]]] = {
    "schedule": {
        "epochs": (1, 100_000), "batch": (1, 65_536), "rate": (1e-9, 100), "head": (0, 1000),
        "warmup": (1e-6, 0.99), "weight_decay": (0, 10), "smoothing": (0, 0.9),
        "average": (0, 0.999999), "threads": (1, 1024), "patience": (0, 100_000), "runs": (1, 20),
        "beside_until": (0, 1), "beside": (0, 100), "small_until": (0, 1), "small": (0.05, 1),
    },
    "allds2020": {
        "rate": (1e-9, 100), "decay": (0, 1000), "epochs": (1, 100_000), "batch": (1, 65_536),
        "rotations": (0, 1000), "threads": (1, 1024),
    },
    "beats": {
        "leads": (1, 16), "rate_hz": (20, 2000), "before_s": (0.05, 5), "after_s": (0.05, 5),
        "beats_around": (1, 100), "alarm_beats": (1, 100_000), "min_length_s": (1, 86_400),
        "folds": (2, 100), "repeats": (1, 20), "width": (4, 1024), "dropout": (0, 0.95),
        "commonest": (0.001, 1), "made_up": (0, 1), "fibrillating": (0, 1), "finding": (0.01, 100),
    },
    "shares": {"validation": (0.001, 0.9), "test": (0.001, 0.9)},
    "network": {
        "dropout": (0, 0.95), "views": (1, 4), "stages": (1, 7), "frozen": (0, 16),
        "stem": (1, 4096), "widths": (1, 4096), "depths": (1, 100),
    },
    # Smaller ones have nothing left in them once the network has halved them.
    "source": {"width_px": (16, 4096), "height_px": (16, 4096)},
    # Seeds of epochs are a million times it.
    "recipe": {"seed": (0, 1_000_000_000)},
    "label": {"sensitivity": (0.01, 1)}, "group": {"sensitivity": (0.01, 1)},
    "augment": {
        "tilt": (0, 180), "scale_low": (0.05, 20), "scale_high": (0.05, 20), "shear": (0, 2),
        "shift": (0, 1), "background": (0, 1), "stain": (0, 3), "brightness": (0, 1),
        "contrast": (0, 1), "blur": (0, 1), "noise": (0, 1), "mix": (0, 1), "erase": (0, 1),
    },
}  # fmt: skip


def refuse_mistakes(kind: type, values: Mapping[str, Any], *, where: str) -> None:
    """Raises BadConfiguration, with the key, where a value of a table has the wrong kind or lies
    out of all bounds; `kind` is the dataclass that it shall become."""
    hints = typing.get_type_hints(kind)
    for key, value in values.items():
        wanted = _wanted(hints[key], value)
        if wanted:
            raise BadConfiguration(
                f"The recipe's [{where}] {key} must be {wanted}, not {value!r}. Correct it."
            )
        for each in value if isinstance(value, tuple) else (value,):
            _refuse_out_of_bounds(each, key=key, where=where)


def refuse_table_mistakes(values: Any, *, where: str) -> None:
    """Raises BadConfiguration where a table that goes into pack.toml is none, says a sensitivity
    that is no share, or a group's labels that are no list of codes. What else it says is looked at
    as a pack's manifest is."""
    if not isinstance(values, dict):
        raise BadConfiguration(f"The recipe's [{where}] must be a table. Write it as one.")
    for key in ("words", "larger"):
        if where == "pack" and not isinstance(values.get(key, ""), str):
            raise BadConfiguration(f"The recipe's [pack] {key} must be a text. Correct it.")
    for key, hint in (("labels", tuple[str, ...]), ("sensitivity", float)):
        if key not in values:
            continue
        value = values[key]
        wanted = _wanted(hint, tuple(value) if isinstance(value, list) else value)
        if wanted:
            raise BadConfiguration(
                f"The recipe's [[{where}]] {key} must be {wanted}, not {value!r}. Correct it."
            )
        _refuse_out_of_bounds(value, key=key, where=where)


def said_of_call(why: TypeError) -> str:
    """What a value of ours lacks or does not know, in plain words.

    >>> said_of_call(TypeError("About.__init__() missing 1 required keyword-only argument: 'many'"))
    "it lacks 'many'"
    >>> said_of_call(TypeError("Label.__init__() got an unexpected keyword argument 'priorty'"))
    "it does not know 'priorty'"
    """
    text = str(why).partition("() ")[2] or str(why)
    if text.startswith("missing"):
        return f"it lacks {text.partition(': ')[2]}"
    return text.replace("got an unexpected keyword argument", "it does not know")


def _refuse_out_of_bounds(value: Any, *, key: str, where: str) -> None:
    bounds = _RANGES.get(where, {}).get(key)
    if bounds and not bounds[0] <= value <= bounds[1]:
        raise BadConfiguration(
            f"The recipe's [{where}] {key} must lie between {bounds[0]:g} and {bounds[1]:g}, "
            f"and is {value!r}. Correct it."
        )


def _wanted(hint: Any, value: Any) -> str:
    """The words for what should stand there; empty where `value` is that."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return "" if value in inner else "one of " + ", ".join(map(str, inner))
    if origin is tuple:
        if not isinstance(value, tuple):
            return "a list"
        found = [_wanted(inner[0], each) for each in value]
        return next((f"a list, each of it {words}" for words in found if words), "")
    if hint not in _WORDS:
        return ""  # a table within the recipe, which was looked at by itself
    fits = isinstance(value, int | float) if hint is float else isinstance(value, hint)
    strange = isinstance(value, bool) and hint is not bool
    return "" if fits and not strange else _WORDS[hint]

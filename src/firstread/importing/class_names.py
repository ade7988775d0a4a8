"""Where the files of models name their classes: metadata of ONNX, checkpoints, attributes."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from firstread.domain.errors import BadConfiguration
from firstread.importing.own_names import labels_by
from firstread.importing.plan import Plan

NAMES = (
    "names", "classes", "class_names", "classnames", "class_labels", "class_list", "labels",
    "label_names", "target_names", "categories", "id2label", "idx_to_class", "idx2class",
    "label2id", "class_to_idx", "classlabels_strings", "classlabels_int64s", "classlabels_ints",
)  # fmt: skip
"""What Ultralytics, Hugging Face, torchvision, skl2onnx and people call a list of classes."""
_INSIDE = ("config", "hparams", "hyper_parameters", "args", "meta", "metadata", "info")
_LONGEST = 1 << 20
_PLACEHOLDER = re.compile(r"(?:label|class)[_ ]?([0-9]+)", re.IGNORECASE)


def with_class_names(plan: Plan, said: Mapping[str, Any], *, remedy: str = "") -> Plan:
    """The plan with its labels by the class names that are among what a file says beside its
    numbers; `remedy` is for a plan whose labels no option gave.

    Raises BadConfiguration, with both sides, where the file contradicts itself or the labels.
    """
    own, told = class_names_in(said)
    if own:
        labels, how = labels_by(own, plan, remedy=remedy)
        return replace(plan, labels=labels, told=(*plan.told, *told, *how))
    shown = [label.code for label in plan.labels]
    if shown and shown == [str(number) for number in range(1, len(shown) + 1)]:
        told += (f"The labels count from 1: the model's first answer is called {shown[0]}.",)
    return replace(plan, told=(*plan.told, *told))


def class_names_in(said: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of the classes in the order of the answers, and what was passed over in words.

    >>> class_names_in({"names": "{0: 'well', 1: 'ill'}", "stride": "32"})
    (('well', 'ill'), ())
    >>> class_names_in({"config": {"id2label": {"0": "well", "1": "ill"}}})[0]
    ('well', 'ill')
    >>> class_names_in({"class_to_idx": {"ill": 1, "well": 0}})[0]
    ('well', 'ill')
    """
    inside = (_opened(said[key]) for key in _INSIDE if key in said)
    places = [said, *(each for each in inside if isinstance(each, Mapping))]
    found: dict[str, tuple[str, ...]] = {}
    told: list[str] = []
    for place in places:
        for key in (each for each in place if str(each).casefold() in NAMES):
            names = _list_of(place[key])
            if names is None:
                told.append(
                    f"What the file says under '{key}' is no list of classes, and was passed over: "
                    f"{str(place[key])[:60]}."
                )
            else:
                found.setdefault(str(key), names)
    for (one, names), (other, others) in zip(found.items(), list(found.items())[1:], strict=False):
        if names != others:
            raise BadConfiguration(
                f"The file names its classes twice: {', '.join(names[:8])} ({one}), and "
                f"{', '.join(others[:8])} ({other}). Take the wrong list out of it."
            )
    return next(iter(found.values()), ()), tuple(told)


def _list_of(value: Any) -> tuple[str, ...] | None:
    value = _opened(value)
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping):
        value = _of_places(value)
    if not isinstance(value, Sequence) or isinstance(value, str | bytes) or len(value) < 2:
        return None
    names = [each.decode("utf-8", "replace") if isinstance(each, bytes) else each for each in value]
    if not all(isinstance(each, str | int) and str(each).strip() for each in names):
        return None
    plain = [str(each).strip() for each in names]
    counted = [_PLACEHOLDER.fullmatch(each) for each in plain]
    # LABEL_0 and LABEL_1 say no more than 0 and 1.
    return tuple(found[1] if found else name for found, name in zip(counted, plain, strict=True))


def _opened(value: Any) -> Any:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return _of_text(value) if isinstance(value, str) else value


def _of_text(text: str) -> Any:
    """JSON, what Python prints of a list or dictionary, lines, or words between commas."""
    if len(text) > _LONGEST:
        return None
    if text.lstrip()[:1] in ("{", "[", "("):
        for opened in (json.loads, ast.literal_eval):
            try:
                return opened(text)
            except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
                continue
        return None
    parts = text.strip().splitlines()
    if len(parts) < 2:
        parts = re.split(r"[,;]", text)
    return [each.strip() for each in parts]


def _of_places(said: Mapping[Any, Any]) -> Any:
    """Names in the order of their places, whichever of the two is the key."""
    turned = all(isinstance(each, int) and not isinstance(each, bool) for each in said.values())
    pairs = [(place, name) if turned else (name, place) for name, place in said.items()]
    try:
        placed = {int(str(place)): name for place, name in pairs}
    except ValueError:
        return None
    return [placed[at] for at in sorted(placed)] if set(placed) == set(range(len(pairs))) else None

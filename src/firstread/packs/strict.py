"""A TOML table becomes a frozen dataclass, and every surprise a refusal that names the key.

pydantic and cattrs would do this too; the lean install has neither, for the sake of its start.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from firstread.domain.errors import PackRefused

T = TypeVar("T")


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def table_to_value(kind: type[T], table: object, *, where: str) -> T:
    """The dataclass `kind` from a TOML table; `where` is the table's key for the messages."""
    if not isinstance(table, dict):
        raise _refusal(where, "must be a table", table)
    values: dict[str, Any] = {}
    known: set[str] = set()
    for each in fields(kind):  # type: ignore[arg-type]  # checked at run time
        key = each.metadata.get("key", each.name)
        known.add(key)
        path = f"{where}.{key}" if where else key
        if key in table:
            hint = _hints(kind)[each.name]  # type: ignore[arg-type]  # checked at run time
            values[each.name] = _value(hint, table[key], where=path)
        elif each.default is MISSING:
            raise PackRefused(f"pack.toml lacks '{path}'. Train or copy the pack again.")
    for key in table:
        if key not in known:
            path = f"{where}.{key}" if where else key
            raise PackRefused(
                f"pack.toml has '{path}', which this Firstread does not know. "
                "Remove it, or upgrade Firstread."
            )
    return kind(**values)


def _value(kind: Any, raw: object, *, where: str) -> Any:
    origin, args = get_origin(kind), get_args(kind)
    if is_dataclass(kind) and isinstance(kind, type):
        return table_to_value(kind, raw, where=where)
    if origin in (UnionType, Union):  # the second where one of the types is a Literal
        return _value(args[0], raw, where=where)
    if origin is tuple:
        if not isinstance(raw, list):
            raise _refusal(where, "must be a list", raw)
        return tuple(_value(args[0], each, where=f"{where}[{i}]") for i, each in enumerate(raw))
    if origin is Literal:
        if raw not in args:
            raise _refusal(where, f"must be one of {', '.join(args)}", raw)
        return raw
    if origin is Mapping:
        if not isinstance(raw, dict):
            raise _refusal(where, "must be a table", raw)
        return {key: _value(args[1], each, where=f"{where}.{key}") for key, each in raw.items()}
    return _scalar(kind, raw, where=where)


def _scalar(kind: type, raw: object, *, where: str) -> Any:
    if kind is float:
        # TOML writes 1 for 1.0, and a bool is an int to Python but not to a reader of the file.
        if type(raw) not in (int, float) or not math.isfinite(float(raw)):  # type: ignore[arg-type]  # checked at run time
            raise _refusal(where, "must be a finite number", raw)
        return float(raw)  # type: ignore[arg-type]  # checked at run time
    if type(raw) is not kind:
        said = {str: "a text", int: "a whole number", bool: "true or false"}[kind]
        raise _refusal(where, f"must be {said}", raw)
    if kind is str and not str(raw).strip():
        raise _refusal(where, "must not be empty", raw)
    return raw


def _refusal(where: str, demand: str, raw: object) -> PackRefused:
    shown = repr(raw)
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    return PackRefused(f"In pack.toml '{where}' {demand}, not {shown}.")

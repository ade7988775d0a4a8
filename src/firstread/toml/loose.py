"""Texts that stand for numbers and for yes and no, as variables of the environment hold them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import inspect

from firstread.toml.demand import without_nothing

_YES_AND_NO = {
    **dict.fromkeys(("true", "yes", "on", "y", "t", "1"), True),
    **dict.fromkeys(("false", "no", "off", "n", "f", "0"), False),
}
_READ: dict[type[inspect.Type], Callable[[str], object]] = {
    inspect.BoolType: lambda text: _YES_AND_NO.get(text.strip().lower(), text),
    inspect.IntType: int,
    inspect.FloatType: float,
}


def loosened(kind: Any, table: object) -> object:
    """The table with each such text as the value that it stands for; what stands for none stays.

    >>> from firstread.toml import Table
    >>> class Bed(Table, frozen=True, kw_only=True):
    ...     number: int
    ...     lit: bool | None = None
    >>> loosened(Bed, {"number": " 8 ", "lit": "yes"}), loosened(Bed, {"number": "many"})
    ({'number': 8, 'lit': True}, {'number': 'many'})
    """
    declared = inspect.type_info(kind)
    if not isinstance(table, dict) or not isinstance(declared, inspect.StructType):
        return table
    types = {field.encode_name: without_nothing(field.type) for field in declared.fields}
    return {key: _value(value, types.get(key)) for key, value in table.items()}


def _value(value: object, declared: inspect.Type | None) -> object:
    read = _READ.get(type(declared)) if declared is not None else None
    if read is None or not isinstance(value, str) or not value.isascii():
        return value
    try:
        return read(value)
    except ValueError:
        return value

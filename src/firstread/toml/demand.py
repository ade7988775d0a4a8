"""What a key must hold, in words, told from its declared type."""

from __future__ import annotations

import re
import sys

from msgspec import inspect

_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")
_NOUNS: dict[type[inspect.Type], str] = {
    inspect.BoolType: "true or false",
    inspect.FloatType: "a finite number",
    inspect.IntType: "a whole number",
    inspect.StructType: "a table, written [{key}]",
}


def place(kind: type, table: object, *, path: str) -> tuple[str, inspect.Type, object]:
    """The key at the end of a path such as `.label[0].priority`: how it is written, what was
    declared of it, and what stands there."""
    key, declared, written = "", inspect.type_info(kind), table
    for step in _STEP.finditer(path):
        if isinstance(declared, inspect.StructType) and isinstance(written, dict):
            types = {field.encode_name: field.type for field in declared.fields}
            if step[1] not in types:  # a key may be written so that it looks like a path
                break
            declared, written = without_nothing(types[step[1]]), written.get(step[1])
        elif isinstance(declared, inspect.VarTupleType) and isinstance(written, list):
            declared, written = without_nothing(declared.item_type), written[int(step[2])]
        key += step[0]
    return key, declared, written


def without_nothing(declared: inspect.Type) -> inspect.Type:
    """The type without the nothing that may stand there instead."""
    if isinstance(declared, inspect.UnionType):
        some = [each for each in declared.types if not isinstance(each, inspect.NoneType)]
        return some[0] if len(some) == 1 else declared
    return declared


def known_keys(declared: inspect.Type) -> str:
    """The keys of a table."""
    fields = declared.fields if isinstance(declared, inspect.StructType) else ()
    return ", ".join(field.encode_name for field in fields)


def demand(declared: inspect.Type, written: object, *, key: str, of_its_type: bool) -> str:
    """What the key must hold, and what it holds instead; where that is `of_its_type`, its limits
    alone."""
    noun = _noun(declared, key=key)
    if of_its_type and isinstance(declared, inspect.StrType):
        return "must not be empty"
    if of_its_type and isinstance(declared, inspect.VarTupleType):
        return f"must be {noun}, {declared.min_length} or more"
    if of_its_type and isinstance(declared, inspect.IntType | inspect.FloatType):
        return f"must {_limits(declared)}, not {_shown(written)}"
    if isinstance(declared, inspect.CustomType | inspect.DictType):  # it may be a secret
        return f"must be {noun}"
    return f"must be {noun}, not {_shown(written)}"


def _limits(declared: inspect.IntType | inspect.FloatType) -> str:
    low, high = declared.ge, declared.le if declared.le != sys.float_info.max else None
    if declared.gt is not None:
        return f"be greater than {declared.gt}" + ("" if high is None else f" and at most {high}")
    if high is None:
        return f"be {low} or more" if declared.le is None else "be a finite number"
    return f"lie between {low} and {high}"


def _noun(declared: inspect.Type, *, key: str) -> str:
    if isinstance(declared, inspect.Metadata):
        return str((declared.extra_json_schema or {})["description"])
    if isinstance(declared, inspect.LiteralType):
        return f"one of {', '.join(map(str, declared.values))}"
    if isinstance(declared, inspect.UnionType):
        return " or ".join(_noun(each, key=key) for each in declared.types)
    if isinstance(declared, inspect.VarTupleType):
        tables = isinstance(declared.item_type, inspect.StructType)
        return f"tables, each written [[{key}]]" if tables else "a list"
    if isinstance(declared, inspect.DictType):
        return f"a table, each key of which holds {_noun(declared.value_type, key=key)}"
    return _NOUNS.get(type(declared), "a text").format(key=key)


def _shown(written: object) -> str:
    """The value, cut short; never what stands in a list or table, for it may be a secret."""
    if isinstance(written, list | dict):
        return "a list" if isinstance(written, list) else "a table"
    shown = str(written).lower() if isinstance(written, bool) else repr(written)
    return shown if len(shown) <= 60 else shown[:57] + "..."

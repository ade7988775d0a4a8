"""What a key must hold, in words, told from its declared type."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

from msgspec import Struct, inspect

_STEP = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")

_NOUNS: dict[type[inspect.Type], str] = {
    inspect.BoolType: "true or false",
    inspect.DictType: "a table",
    inspect.FloatType: "a finite number",
    inspect.IntType: "a whole number",
}


class Place(Struct, frozen=True, kw_only=True):
    """Where in a document a mistake is: the path to it, and what was declared and written there."""

    path: str
    declared: inspect.Type
    written: object
    each: bool = False
    """It is one of a table's values, whichever its key is."""

    @classmethod
    def of(cls, kind: type, table: object, *, path: str) -> Place:
        """The place at the end of a path such as `.label[0].priority`."""
        declared, written, each, gone = _plain(inspect.type_info(kind)), table, False, ""
        for step in _STEP.finditer(path):
            if isinstance(declared, inspect.DictType):
                declared, each = _plain(declared.value_type), True
                break
            if isinstance(declared, inspect.StructType) and isinstance(written, dict):
                types = {field.encode_name: field.type for field in declared.fields}
                if step[1] not in types:  # a key may be written so that it looks like a path
                    break
                declared, written = _plain(types[step[1]]), written.get(step[1])
            elif isinstance(declared, inspect.VarTupleType) and isinstance(written, list):
                declared, written = _plain(declared.item_type), written[int(step[2])]
            gone += step[0]
        return cls(path=gone, declared=declared, written=written, each=each)

    def key(self, name: str = "", *, within: str) -> str:
        """How the key at this place, or the key of that name in it, is written."""
        return ".".join(filter(None, (f"{within}{self.path}".lstrip("."), name)))


def known_keys(place: Place) -> Iterator[str]:
    """The keys of the table at that place."""
    if isinstance(place.declared, inspect.StructType):
        yield from (field.encode_name for field in place.declared.fields)


def demand(place: Place, *, key: str, of_its_type: bool) -> str:
    """What the key must hold, and what it holds instead; where that is `of_its_type`, its limits
    alone."""
    declared, noun = place.declared, _noun(place.declared, key=key)
    if place.each:
        return f"must hold {noun} under each of its keys"
    if isinstance(declared, inspect.CustomType):  # it may be a secret
        return f"must be {noun}"
    if of_its_type and isinstance(declared, inspect.StrType):
        return "must not be empty"
    if of_its_type and isinstance(declared, inspect.VarTupleType):
        return f"must be {noun}, {declared.min_length} or more"
    if of_its_type and isinstance(declared, inspect.IntType | inspect.FloatType):
        return f"must {_bounds(declared)}, not {_shown(place.written)}"
    return f"must be {noun}, not {_shown(place.written)}"


def _plain(declared: inspect.Type) -> inspect.Type:
    """The type without what may stand there besides: nothing."""
    if isinstance(declared, inspect.UnionType):
        some = [each for each in declared.types if not isinstance(each, inspect.NoneType)]
        return _plain(some[0]) if len(some) == 1 else declared
    return declared


def _bounds(declared: inspect.IntType | inspect.FloatType) -> str:
    low, high = declared.ge, declared.le
    largest = sys.float_info.max
    if declared.gt is not None:
        above = f"be greater than {declared.gt:g}"
        return above if high in (None, largest) else f"{above} and at most {high:g}"
    if low in (None, -largest):
        return "be a finite number"
    if high in (None, largest):
        return f"be {low:g} or more"
    return f"lie between {_number(low)} and {_number(high)}"


def _number(bound: Any) -> str:
    return f"{bound:g}" if bound < 1e6 else f"{bound}"


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
    if isinstance(declared, inspect.StructType):
        return f"a table, written [{key}]"
    return _NOUNS.get(type(declared), "a text")


def _shown(written: object) -> str:
    """The value, cut short; never what stands in a list or table, for it may be a secret."""
    if isinstance(written, bool):
        return str(written).lower()
    if isinstance(written, list | dict):
        return "a list" if isinstance(written, list) else "a table"
    shown = repr(written)
    return shown if len(shown) <= 60 else shown[:57] + "..."

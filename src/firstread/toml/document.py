"""A kind of document: how its text is read, and in which words its mistakes are told."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from msgspec import Struct, ValidationError, convert

from firstread.domain.errors import FirstreadError
from firstread.toml.table import Secret, Wrong

T = TypeVar("T")

_SAID = re.compile(
    r"(?:Object (contains unknown|missing required) field `(.*?)`|.*?)(?: - at `\$(.*)`)?",
    flags=re.DOTALL,
)


class Document(Struct, frozen=True, kw_only=True):
    """How mistakes in one kind of document are told.

    In the sentences stand `{key}`, and `{why}` for the parser's words, `{demand}` for what the key
    must hold and does not, `{known}` for the keys that there are.
    """

    refusal: type[FirstreadError]
    damaged: str
    lacks: str
    unknown: str
    wrong: str

    def parse(self, data: str | bytes, **names: str) -> dict[str, Any]:
        """The document's outermost table; raises the refusal where it is not TOML in UTF-8.

        `names` stand in the sentence beside the parser's words.
        """
        try:
            text = data if isinstance(data, str) else data.decode("utf-8-sig")
            return tomllib.loads(text)
        except (ValueError, RecursionError) as why:  # a damaged encoding is a ValueError, too
            raise self.refusal(self.damaged.format(why=why, **names)) from None

    def value(self, kind: type[T], table: object, *, where: str = "", strict: bool = True) -> T:
        """The table as the frozen `kind`; raises the refusal, which names the key.

        `where` is the table's own key. Where it is not `strict`, a text may stand for a number or
        for yes and no.
        """
        values = table
        if not strict:
            from firstread.toml.loose import loosened  # whoever reads packs pays for none of it

            values = loosened(kind, table)
        try:
            return convert(values, kind, strict=strict, dec_hook=_own)
        except ValidationError as error:
            raise self._told(error, kind, table, where=where) from None

    def _told(
        self, error: ValidationError, kind: type, table: object, *, where: str
    ) -> FirstreadError:
        from firstread.toml.demand import demand, known_keys, place  # on a mistake alone

        found = _SAID.fullmatch(str(error))
        what, name, path = found.groups(default="") if found else ("", "", "")
        at, declared, written = place(kind, table, path=path)
        if isinstance(error.__cause__, Wrong):
            name = error.__cause__.key
        key = f"{where}{at}.{name}".strip(".")
        if isinstance(error.__cause__, Wrong):
            return self.refusal(self.wrong.format(key=key, demand=error.__cause__.demand))
        if what:
            sentence = self.lacks if what == "missing required" else self.unknown
            return self.refusal(sentence.format(key=key, known=known_keys(declared)))
        told = demand(declared, written, key=key, of_its_type=", got `" not in str(error))
        return self.refusal(self.wrong.format(key=key, demand=told))


def _own(kind: type, value: object) -> object:
    """The values that TOML does not have."""
    if kind in (Path, Secret) and isinstance(value, str):
        return kind(value)
    raise ValueError("must be a text")

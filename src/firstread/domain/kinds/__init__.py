"""A kind of sample is a thing: a floor holds one module a kind in its folder `kinds/`, found here.

Here stand the words for each kind, and the table itself. A floor declares in `kinds/__init__.py`
what it must know of every kind, and makes its table:

    @dataclass(frozen=True, kw_only=True)
    class KindOfRead: ...

    KINDS = Kinds(__name__, KindOfRead)

Each module beside it, such as `kinds/recording.py`, holds a `KIND` of that type. It is imported
when its kind is first asked for, so that whoever reads pictures pays for no recordings. A new kind
is a new file on each floor; nobody lists it.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Generic, TypeVar

from firstread.domain.errors import UnknownKind

T = TypeVar("T")


class Kinds(Generic[T]):
    """What one floor knows of each kind of sample, by the kind's name; threads may share it."""

    def __init__(self, package: str, holds: type[T]) -> None:
        self._package = package
        self._holds = holds
        self._found: dict[str, T] = {}

    def names(self) -> tuple[str, ...]:
        """The kinds there are, in order of the alphabet."""
        places = import_module(self._package).__path__
        return tuple(sorted({each.name for each in pkgutil.iter_modules(places)}))

    def __getitem__(self, name: str) -> T:
        """Raises UnknownKind, with the kinds there are, where the floor has none of that name."""
        if name not in self._found:
            self._found[name] = self._imported(name)
        return self._found[name]

    def __contains__(self, name: object) -> bool:
        return name in self._found or name in self.names()

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def _imported(self, name: str) -> T:
        if name not in (known := self.names()):
            *others, last = known
            raise UnknownKind(
                f"This Firstread knows no samples of kind {name[:40]!r}: it knows "
                f"{', '.join(others)} and {last}. Name one of them in the pack, check or folder, "
                "or install a Firstread that knows it."
            )
        found = getattr(import_module(f"{self._package}.{name}"), "KIND", None)
        if not isinstance(found, self._holds):
            raise TypeError(f"{self._package}.{name} must hold KIND, a {self._holds.__name__}.")
        return found


@dataclass(frozen=True, kw_only=True)
class Words:
    """What people call samples of a kind."""

    one: str
    """After 'a': a picture."""
    many: str
    """What a pack reads and a check takes: pictures."""


WORDS = Kinds(__name__, Words)

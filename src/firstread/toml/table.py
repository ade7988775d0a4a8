"""What a room declares its tables with: the keys are the fields, their types say what they hold."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, TypeVar

from msgspec import Meta, Struct

from firstread.domain.errors import FirstreadError

Text = Annotated[str, Meta(pattern=r"\S")]
"""A text that is not empty."""
Number = Annotated[float, Meta(ge=-sys.float_info.max, le=sys.float_info.max)]
"""A finite number; TOML knows `nan` and `inf`, too."""
Positive = Annotated[float, Meta(gt=0, le=sys.float_info.max)]
Share = Annotated[float, Meta(ge=0, le=1)]


class Table(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One table; a key that it does not have is refused.

    What two keys must say together is looked at in `__post_init__`, which raises `Wrong`.
    """


T = TypeVar("T", bound=Table)


def narrowed(kind: type[T], wider: Table, /, **more: Any) -> T:
    """The table of that kind with the keys that the wider one has, too, and with `more`."""
    own = {key: getattr(wider, key) for key in kind.__struct_fields__ if hasattr(wider, key)}
    return kind(**own | more)


class Wrong(ValueError):
    """A key of the table at hand does not hold what it should; `demand` follows its name."""

    def __init__(self, key: str, demand: str) -> None:
        super().__init__(demand)
        self.key = key
        self.demand = demand


@contextmanager
def within(key: str) -> Iterator[None]:
    """Whoever refuses the key's value here says why; the key is named before it."""
    try:
        yield
    except FirstreadError as error:
        said = str(error).rstrip(".")
        raise Wrong(key, f"does not hold what it should: {said[:1].lower()}{said[1:]}") from None


class Secret(str):
    """A text that no log, error or page may show."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'...'" if self else "''"

"""Long lists in pages: counted as far as anybody reads on, and never row by row beyond."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

MOST = 5_000
"""So many rows of a list are counted, and can be paged through; a search finds the others."""
MOST_FOR_ONE = 1_000
"""So many of what waits for one person, which is asked of each case."""
MOST_FOUND = 250
"""So many where a search found them; who gets more narrows it down."""


@dataclass(frozen=True, kw_only=True)
class Counted:
    """How many rows a list has; of very long ones, that there are more."""

    number: int
    more: bool = False

    def __str__(self) -> str:
        return f"{self.number:,}+" if self.more else str(self.number)


@dataclass(frozen=True, kw_only=True)
class Pager:
    """Where in a list a page stands, and which pages are beside it."""

    first: int
    last: int
    total: Counted
    before: int | None
    after: int | None

    @property
    def ends_early(self) -> bool:
        """Whether the list goes on behind the last of its pages."""
        return self.total.more and self.after is None


def counted(rows: QuerySet[Any], *, most: int = MOST) -> Counted:
    """How many rows there are, as far as `most`; a database looks at no more than it counts."""
    found = rows.order_by().values("pk")[: most + 1].count()
    return Counted(number=min(found, most), more=found > most)


def pager_of(asked: str | None, *, total: Counted, size: int) -> Pager:
    """The page of that number: the first where it is none, the last where there is no such."""
    pages = max(1, -(-total.number // size))
    try:
        number = int(asked or 1)
    except ValueError:
        number = 1
    number = number if 1 <= number <= pages else pages
    return Pager(
        first=min(total.number, (number - 1) * size + 1),
        last=min(total.number, number * size),
        total=total,
        before=number - 1 if number > 1 else None,
        after=number + 1 if number < pages else None,
    )


def rows_on(rows: QuerySet[Any], pager: Pager) -> list[Any]:
    """The keys of the rows on the page, in their order."""
    keys = rows.values_list("pk", flat=True)
    return list(keys[max(0, pager.first - 1) : pager.last])

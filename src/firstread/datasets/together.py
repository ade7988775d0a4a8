"""Numbers that are joined in pairs, in groups."""

from __future__ import annotations

from collections.abc import Iterable


def together(count: int, pairs: Iterable[tuple[int, int]]) -> list[tuple[int, ...]]:
    """The numbers up to `count` in groups, joined through pairs, in the order of their first.

    >>> together(4, [(0, 2), (2, 3)])
    [(0, 2, 3), (1,)]
    """
    parent = list(range(count))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    for first, second in pairs:
        parent[root(second)] = root(first)
    joined: dict[int, list[int]] = {}
    for index in range(count):
        joined.setdefault(root(index), []).append(index)
    return [tuple(members) for members in joined.values()]

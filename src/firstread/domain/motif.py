"""What a picture shows, whatever was asked of it: a chest X-ray, one cell, a whole field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

OTHER = "other"
"""Nothing that any check reads."""
_MUCH_LIKELIER = 3.0
"""What the pack itself doubts is something else where that is so many times as likely."""


@dataclass(frozen=True, kw_only=True)
class Motif:
    """What a picture shows, and what the pack's own pictures show."""

    code: str
    """As packs name what their pictures show; `other` where it is nothing that is known."""
    title: str
    """In words: 'a chest X-ray'."""
    probability: float
    own: str
    """What the pack's own pictures show, in words."""
    is_own: bool
    """Whether it may be one of the pack's own."""

    @property
    def is_named(self) -> bool:
        """Whether it can be said what it shows."""
        return self.code != OTHER


def motif_of(
    chances: Mapping[str, float],
    *,
    own: str,
    titles: Mapping[str, str],
    least: Mapping[str, float],
    doubted: bool = False,
) -> Motif:
    """What a picture of these `chances` shows, put in where `own` is read, a key of them.

    It may be of the pack's own from the chance `least` on, so that only what is surely something
    else is called so; where the pack itself `doubted` it, only if nothing else is much likelier.
    What it shows otherwise is the most probable of the others.

    >>> titles = {"chest-xray": "a chest X-ray", "red-cell": "one red cell"}
    >>> found = motif_of({"chest-xray": 0.97, "red-cell": 0.03}, own="red-cell", titles=titles,
    ...     least={"red-cell": 0.05})
    >>> found.is_own, found.title, found.own
    (False, 'a chest X-ray', 'one red cell')
    """
    likeliest = max((code for code in chances if code != own), key=lambda code: chances[code])
    is_own = chances[own] >= least.get(own, 0.0)
    if doubted:
        is_own = is_own and chances[likeliest] <= _MUCH_LIKELIER * chances[own]
    shown = own if is_own else likeliest
    return Motif(
        code=shown,
        title=titles[shown],
        probability=round(chances[shown], 6),
        own=titles[own],
        is_own=is_own,
    )

"""What training knows of each kind of sample: how a recipe becomes a pack, and what such a pack
takes in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from firstread.domain.kinds import Kinds
from firstread.packs import Manifest
from firstread.train.recipe import Recipe
from firstread.train.training import Training


@dataclass(frozen=True, kw_only=True)
class KindOfTraining:
    """One kind: `train` writes the pack and gives its folder; `with_input` states in a manifest
    what the recipe's network takes, before anything is learnt."""

    train: Callable[[Training], Path]
    with_input: Callable[[Manifest, Recipe], Manifest]


KINDS = Kinds(__name__, KindOfTraining)

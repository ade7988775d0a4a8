"""What a `pack.toml` must say of each kind of sample that packs read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from firstread.domain.kinds import Kinds
from firstread.packs.manifest import PICTURE, Manifest
from firstread.toml import Table


@dataclass(frozen=True, kw_only=True)
class KindOfPack:
    """What a manifest must hold, so that samples of a kind can be read."""

    problems: Callable[[Manifest], Iterator[str]]
    """What is missing, or belongs to packs of another kind."""
    takes: type[Table] | None = None
    """The keys of `[takes]`; None where the kind has none."""


def no_image_problems(manifest: Manifest) -> Iterator[str]:
    """Tables that are of pictures alone."""
    if manifest.pack.one != PICTURE:
        yield "'pack.one' belongs to packs of kind image"
    if manifest.pack.motif is not None:
        yield "'pack.motif' belongs to packs of kind image"
    if manifest.input is not None or manifest.quality is not None:
        yield "'input' and 'quality' belong to packs of kind image"
    if manifest.appearance is not None:
        yield "'appearance' belongs to packs of kind image"


KINDS = Kinds(__name__, KindOfPack)

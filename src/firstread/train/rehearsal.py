"""Whether the pack of a recipe could be written, asked before any time is spent on it."""

from __future__ import annotations

import numpy as np

from firstread.domain.errors import BadConfiguration, PackRefused
from firstread.packs import parse_manifest
from firstread.packs.write import manifest_to_toml
from firstread.train.kinds import KINDS
from firstread.train.pack.manifest import stated
from firstread.train.recipe import Recipe


def rehearse(recipe: Recipe) -> None:
    """State the pack with made-up answers, and read it back as a clinic would.

    Raises BadConfiguration where [pack], [[label]], [[group]] or [[measurement]] say what no pack
    may.
    """
    for source in recipe.sources:
        if not source.licence.strip():
            raise BadConfiguration(
                f"The recipe's [[source]] '{source.name}' has no licence, and the pack must state "
                "it. Add the key licence."
            )
    truths = np.arange(len(recipe.labels))
    made_up = np.eye(len(truths), dtype=np.float32)
    manifest = stated(recipe, made_up, truths, measured_on="nothing")
    try:
        parse_manifest(manifest_to_toml(KINDS[recipe.kind].with_input(manifest, recipe)))
    except PackRefused as why:
        found = str(why).removesuffix(" Train or copy the pack again.").rstrip(".")
        raise BadConfiguration(
            f"The pack of this recipe would be refused. {found}. Correct the recipe."
        ) from why

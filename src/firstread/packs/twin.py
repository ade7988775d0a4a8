"""The int8 twin that a pack may carry: the same network in whole numbers, asked for by name."""

from __future__ import annotations

from typing import Literal

from msgspec.structs import replace

from firstread.domain.errors import PackRefused
from firstread.packs.golden import TOLERANCE
from firstread.packs.manifest import Manifest

Precision = Literal["float", "int8"]

TWIN_TOLERANCE = 0.02
"""Largest difference of a twin's logit from its golden one. Whole numbers turn the last bit of a
float into a whole step: up to 0.009 was seen between two ways to compute the same twin."""


def in_precision(manifest: Manifest, precision: Precision) -> Manifest:
    """What the pack says of itself when it reads in that precision.

    The twin's version ends in `+int8`, so that a read tells which network made it; its golden
    answers and results are the twin's own. Raises PackRefused where the pack carries no twin.
    """
    if precision == "float":
        return manifest
    twin = manifest.twin
    if twin is None:
        raise PackRefused(
            f"The pack '{manifest.name}' carries no int8 twin. Read in float, or make one: "
            f"firstread packs quantise {manifest.name} --data FOLDER."
        )
    joined = "." if "+" in manifest.version else "+"
    about = replace(manifest.pack, version=f"{manifest.version}{joined}{twin.precision}")
    return replace(manifest, pack=about, golden=twin.golden, results=twin.results)


def network_file(manifest: Manifest, precision: Precision) -> str:
    """The file of the pack that holds its network in that precision."""
    if precision == "float" or manifest.twin is None:
        return "model.onnx"
    return manifest.twin.network


def tolerance(precision: Precision) -> float:
    """How far a logit may lie from the golden one on another machine."""
    return TOLERANCE if precision == "float" else TWIN_TOLERANCE

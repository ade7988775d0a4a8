"""What the cells of every smear share: an outline round a middle, and their place on a painting."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from firstread.phantom.fields import Field, Spot, waves
from firstread.phantom.nuclei import uneven
from firstread.phantom.painting import OVERSAMPLING, Body, Painting

Shapes: TypeAlias = tuple[Field, Field, Body]
"""Distances to the outlines of the cell and of its nucleus, and what it looks like."""
Draw: TypeAlias = Callable[[np.random.Generator, Spot], Shapes]


def outlined(
    rng: np.random.Generator,
    middle: Spot,
    radius: float,
    *,
    wavy: float,
    off_px: float,
    stretch: float,
) -> tuple[Field, Spot]:
    """Distance to a roundish cell, and where its middle fell: by chance, about `off_px` away."""
    at = middle.shifted(*(rng.normal(size=2) * off_px))
    harmonics = waves(rng, amount=wavy)
    harmonics.append((2, rng.uniform(0, stretch), rng.uniform(0, 6.28)))
    return at.outline(radius=radius, harmonics=harmonics), at


def put_cell(painting: Painting, draw: Draw, *, uneven_px: float) -> None:
    """Draw one cell into the middle of the painting."""
    cell, nucleus, body = draw(painting.rng, painting.at())
    nucleus = uneven(painting.rng, nucleus, amount_px=uneven_px, oversampling=OVERSAMPLING)
    painting.cell(body, cell=cell, nucleus=nucleus)

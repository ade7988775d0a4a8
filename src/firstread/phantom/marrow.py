"""Drawn cells of a bone-marrow smear, May-Gruenwald-Giemsa / Pappenheim, 144 pixels a side."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from firstread.phantom import nuclei
from firstread.phantom.fields import Field, Spot, joined, waves
from firstread.phantom.painting import RGB, Body, Granules, Painting
from firstread.phantom.smear import Draw, Shapes, outlined, put_cell

SIZE_PX = 144
NUCLEUS = (84.0, 28.0, 150.0)
# Slides of many patients: light and white balance differ from slide to slide.
LIGHTS: tuple[RGB, ...] = (
    (0.74, 0.73, 0.77), (0.79, 0.78, 0.82), (0.82, 0.80, 0.86), (0.90, 0.87, 0.95),
    (0.93, 0.92, 0.96), (0.93, 0.92, 0.94), (0.92, 0.91, 0.95),
)  # fmt: skip
# Young cells are shown on well lit slides alone: in poor light they look like lymphocytes.
_POORLY_LIT = 2


def draw(label: str, rng: np.random.Generator) -> NDArray[np.uint8]:
    """One cell of that label with its neighbours: uint8 [144, 144, 3]."""
    first = _POORLY_LIT if label in ("blast", "promyelocyte") else 0
    light = np.array(LIGHTS[int(rng.integers(first, len(LIGHTS)))]) + rng.normal(size=3) * 0.01
    painting = Painting(rng=rng, size_px=SIZE_PX, background=(250.0, 248.0, 252.0))
    if rng.random() < 0.35:
        haze = np.clip(painting.noise(30.0) * 0.12 + 0.1, 0, 0.5)
        painting.lay((222, 205, 240), haze.astype(np.float32))
    clear = 22.0 if label in ("lymphocyte", "unidentifiable") else 34.0
    grey = rng.uniform(0, 1)
    painting.red_cells(
        edge=(206 + 8 * grey, 186 + 6 * grey, 206 - 6 * grey),
        count=int(rng.integers(4, 14)),
        radius=(17.0, 23.0),
        clear_px=clear,
        pallor=rng.uniform(0.1, 0.5),
    )
    _specks(painting)
    for _ in range(int(rng.choice([0, 0, 1, 1, 2]))):
        _neighbour(painting, clear_px=clear)
    put_cell(painting, CELLS[label], uneven_px=0.6)
    blur = rng.uniform(1.0, 2.2) if label == "unidentifiable" else rng.uniform(0.6, 1.0)
    return painting.photograph(
        light=(float(light[0]), float(light[1]), float(light[2])),
        focus_px=blur,
        grain=rng.uniform(0.8, 1.8),
    )


def _specks(painting: Painting) -> None:
    rng = painting.rng
    for _ in range(int(rng.integers(0, 7))):
        cx, cy = rng.uniform(-70, 70, size=2)
        if np.hypot(cx, cy) > 45:
            painting.platelet(
                cx, cy, rng.uniform(0.8, 3.0), colour=(176, 140, 205), dark=(110, 55, 160)
            )


def _neighbour(painting: Painting, *, clear_px: float) -> None:
    """Part of another nucleated cell at the border of the picture."""
    rng = painting.rng
    radius = rng.uniform(22, 38)
    angle, away = rng.uniform(0, 6.28), clear_px + radius * rng.uniform(0.9, 1.3)
    at = painting.at().towards(angle, away)
    cell = at.outline(radius=radius, harmonics=waves(rng, amount=0.05))
    inside = at.shifted(rng.normal() * 3, rng.normal() * 3)
    nucleus = nuclei.round_nucleus(
        rng, inside, radius=radius * rng.uniform(0.65, 0.88), wobble=0.05
    )
    pale = rng.uniform(-15, 60)
    body = Body(
        cytoplasm=(128 + pale, 112 + 0.9 * pale, 210),
        nucleus=NUCLEUS,
        chromatin=0.2,
        chromatin_px=4.0,
    )
    painting.cell(body, cell=cell, nucleus=nucleus)


def _outline(
    rng: np.random.Generator, middle: Spot, radius: float, *, wavy: float
) -> tuple[Field, Spot]:
    return outlined(rng, middle, radius, wavy=wavy, off_px=4, stretch=0.1)


def _beside(rng: np.random.Generator, at: Spot, away: float) -> Spot:
    return at.towards(rng.uniform(0, 6.28), away)


def _blast(rng: np.random.Generator, middle: Spot) -> Shapes:
    radius = rng.uniform(33, 45)
    cell, at = _outline(rng, middle, radius, wavy=0.05)
    if rng.random() < 0.3:
        rim = _beside(rng, at, radius * 0.95)
        bleb = rim.ellipse(a=rng.uniform(5, 9), b=rng.uniform(4, 6), turn=0.0)
        cell = joined(cell, bleb, round_px=5.0)
    beside = _beside(rng, at, rng.uniform(1, 5))
    nucleus = nuclei.round_nucleus(
        rng, beside, radius=radius * rng.uniform(0.74, 0.87), wobble=0.05
    )
    body = Body(
        cytoplasm=(96 + rng.uniform(-10, 12), 88 + rng.uniform(-10, 12), 198),
        nucleus=(118, 51, 176),
        grain=0.16,
        rim=0.3,
        chromatin=0.2,
        chromatin_px=2.8,
        membrane=0.12,
        nucleoli=int(rng.integers(1, 4)),
    )
    return cell, nucleus, body


def _promyelocyte(rng: np.random.Generator, middle: Spot) -> Shapes:
    radius = rng.uniform(43, 54)
    cell, at = _outline(rng, middle, radius, wavy=0.045)
    beside = _beside(rng, at, rng.uniform(7, 13))
    nucleus = nuclei.round_nucleus(
        rng, beside, radius=radius * rng.uniform(0.6, 0.72), wobble=0.025
    )
    body = Body(
        cytoplasm=(138 + rng.uniform(-10, 15), 132 + rng.uniform(-10, 15), 222),
        nucleus=(112, 48, 178),
        grain=0.25,
        rim=0.25,
        chromatin=0.16,
        chromatin_px=3.0,
        membrane=0.12,
        nucleoli=int(rng.integers(1, 3)),
        halo=0.3,
        granules=(
            Granules(
                colour=(92, 24, 138),
                count=int(rng.integers(380, 620)),
                radius_px=(0.8, 1.4),
                opacity=0.8,
                over_nucleus=0.3,
            ),
        ),
    )
    return cell, nucleus, body


def _lymphocyte(rng: np.random.Generator, middle: Spot) -> Shapes:
    radius = rng.uniform(22, 29)
    cell, at = _outline(rng, middle, radius, wavy=0.05)
    beside = _beside(rng, at, rng.uniform(0.5, 3.5))
    nucleus = nuclei.round_nucleus(
        rng, beside, radius=radius * rng.uniform(0.74, 0.88), wobble=0.03
    )
    body = Body(
        cytoplasm=(142, 146, 218),
        nucleus=(80, 31, 156),
        grain=0.2,
        rim=0.25,
        chromatin=0.2,
        chromatin_px=5.5,
        membrane=0.3,
        soft_px=0.45,
    )
    return cell, nucleus, body


def _monocyte(rng: np.random.Generator, middle: Spot) -> Shapes:
    cell, at = _outline(rng, middle, rng.uniform(38, 48), wavy=0.06)
    nucleus = nuclei.kidney(
        rng,
        at.shifted(rng.normal() * 3, rng.normal() * 3),
        radius=rng.uniform(27, 32),
        dent=rng.uniform(0.45, 1.0),
    )
    body = Body(
        cytoplasm=(152 + rng.uniform(-15, 20), 142 + rng.uniform(-15, 20), 216),
        nucleus=(94, 36, 158),
        grain=0.2,
        rim=0.22,
        chromatin=0.2,
        chromatin_px=3.6,
        membrane=0.15,
        vacuoles=int(rng.integers(0, 5)),
        granules=(Granules(colour=(120, 80, 190), count=120, radius_px=(0.6, 0.9), opacity=0.35),),
    )
    return cell, nucleus, body


def _neutrophil(rng: np.random.Generator, middle: Spot) -> Shapes:
    cell, at = _outline(rng, middle, rng.uniform(32, 39), wavy=0.035)
    nucleus = nuclei.segmented(rng, at, banded=rng.random() < 0.55, pinch=(0.5, 0.75))
    body = Body(
        cytoplasm=(218, 192, 228),
        nucleus=(76, 22, 138),
        grain=0.2,
        rim=0.2,
        chromatin=0.22,
        chromatin_px=4.6,
        membrane=0.2,
        granules=(Granules(colour=(166, 112, 196), count=280, radius_px=(0.6, 0.9), opacity=0.5),),
    )
    return cell, nucleus, body


def _eosinophil(rng: np.random.Generator, middle: Spot) -> Shapes:
    cell, at = _outline(rng, middle, rng.uniform(34, 43), wavy=0.04)
    if rng.random() < 0.6:
        beside = _beside(rng, at, rng.uniform(2, 6))
        nucleus = nuclei.lobes(
            rng, beside, spread=rng.uniform(12, 16), size=rng.uniform(11, 14), count=2
        )
    else:
        beside = _beside(rng, at, rng.uniform(8, 13))
        nucleus = nuclei.kidney(rng, beside, radius=rng.uniform(19, 23), dent=rng.uniform(0.2, 0.9))
    body = Body(
        cytoplasm=(160, 126, 204),
        nucleus=(82, 28, 150),
        chromatin=0.22,
        chromatin_px=4.4,
        granules=(
            Granules(colour=(168, 94, 156), count=440, radius_px=(1.0, 1.7), opacity=0.75),
            Granules(colour=(198, 146, 194), count=130, radius_px=(0.7, 1.1), opacity=0.6),
        ),
    )
    return cell, nucleus, body


def _unidentifiable(rng: np.random.Generator, middle: Spot) -> Shapes:
    radius = rng.uniform(18, 25)
    cell, at = _outline(rng, middle, radius, wavy=0.09)
    nucleus = nuclei.round_nucleus(rng, at, radius=radius * rng.uniform(0.9, 1.0), wobble=0.05)
    body = Body(
        cytoplasm=(74, 52, 172),
        nucleus=(22, 8, 92),
        grain=0.1,
        chromatin=0.05,
        chromatin_px=5.0,
        membrane=-0.35,
        soft_px=3.0,
    )
    return cell, nucleus, body


CELLS: dict[str, Draw] = {
    "blast": _blast,
    "eosinophil": _eosinophil,
    "lymphocyte": _lymphocyte,
    "monocyte": _monocyte,
    "neutrophil": _neutrophil,
    "promyelocyte": _promyelocyte,
    "unidentifiable": _unidentifiable,
}
LABELS = tuple(sorted(CELLS))

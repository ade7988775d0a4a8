"""Drawn cells of a blood smear, May-Gruenwald-Giemsa, 128 pixels for about 24 micrometres."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from firstread.phantom import nuclei
from firstread.phantom.fields import Field, Spot, joined
from firstread.phantom.painting import Body, Granules, Painting
from firstread.phantom.smear import Draw, Shapes, outlined, put_cell

SIZE_PX = 128
NUCLEUS = (74.0, 34.0, 122.0)


def draw(label: str, rng: np.random.Generator) -> NDArray[np.uint8]:
    """One cell of that label among red cells: uint8 [128, 128, 3]."""
    tint = rng.normal(size=3) * (2, 2, 3)
    background = tuple(np.clip(np.array([254.0, 228, 203]) + tint, 0, 255))
    painting = Painting(rng=rng, size_px=SIZE_PX, background=background)
    clear = 16.0 if label == "platelet" else 27.0
    warm = rng.uniform(0, 1)
    painting.red_cells(
        edge=(196 + 12 * warm, 165 + 6 * warm, 159 + 2 * rng.normal()),
        count=int(rng.integers(10, 20)) if label == "platelet" else int(rng.integers(6, 17)),
        radius=(15.0, 19.0),
        clear_px=clear,
        pallor=rng.uniform(0.15, 0.75),
    )
    if rng.random() < 0.2:
        away, angle = rng.uniform(44, 60), rng.uniform(0, 6.28)
        _platelet(painting, away * np.cos(angle), away * np.sin(angle), rng.uniform(3, 6))
    if label == "platelet":
        cx, cy = rng.normal(size=2) * 2
        _platelet(painting, cx, cy, rng.uniform(10.0, 15.0))
    else:
        put_cell(painting, CELLS[label], uneven_px=0.5)
    return painting.photograph(focus_px=rng.uniform(0.45, 0.7), grain=rng.uniform(1.0, 2.0))


def _platelet(painting: Painting, cx: float, cy: float, r: float) -> None:
    painting.platelet(cx, cy, r, colour=(166, 124, 176), dark=(92, 36, 128))


def _round_cell(
    rng: np.random.Generator, middle: Spot, radius: float, *, wavy: float = 0.02
) -> tuple[Field, Spot]:
    return outlined(rng, middle, radius, wavy=wavy, off_px=1.5, stretch=0.08)


def _neutrophil(rng: np.random.Generator, middle: Spot) -> Shapes:
    cell, at = _round_cell(rng, middle, rng.uniform(33, 39))
    kind = rng.random()
    if kind < 0.3:
        nucleus = nuclei.band(
            rng,
            at,
            radius=rng.uniform(14, 18),
            width=rng.uniform(6.5, 8.5),
            lobes=2,
            pinch=0.2,
            sweep=rng.uniform(2.8, 4.2),
        )
    else:
        nucleus = nuclei.segmented(rng, at, banded=kind < 0.65, pinch=(0.45, 0.7))
    body = Body(
        cytoplasm=(224, 190, 192),
        nucleus=NUCLEUS,
        grain=0.22,
        grain_px=2.2,
        rim=0.2,
        chromatin=0.30,
        chromatin_px=4.0,
        granules=(
            Granules(colour=(176, 112, 158), count=260, radius_px=(0.5, 0.9), opacity=0.5),
            Granules(colour=(250, 222, 205), count=90, radius_px=(0.6, 1.0), opacity=0.5),
        ),
    )
    return cell, nucleus, body


def _eosinophil(rng: np.random.Generator, middle: Spot) -> Shapes:
    cell, at = _round_cell(rng, middle, rng.uniform(33, 40), wavy=0.035)
    turn = rng.uniform(0, 6.28)
    nucleus = nuclei.lobes(
        rng,
        at.towards(turn, 5),
        spread=rng.uniform(13, 16),
        size=rng.uniform(12.5, 15),
        count=int(rng.choice([2, 2, 2, 3])),
    )
    body = Body(
        cytoplasm=(210, 150, 165),
        nucleus=(80, 38, 126),
        chromatin=0.2,
        chromatin_px=4.0,
        granules=(
            Granules(colour=(196, 106, 108), count=720, radius_px=(0.9, 1.5), opacity=0.85),
            Granules(colour=(228, 150, 140), count=200, radius_px=(0.6, 1.0), opacity=0.7),
        ),
    )
    return cell, nucleus, body


def _basophil(rng: np.random.Generator, middle: Spot) -> Shapes:
    cell, at = _round_cell(rng, middle, rng.uniform(29, 37), wavy=0.05)
    nucleus = nuclei.kidney(rng, at, radius=rng.uniform(19, 24), dent=rng.uniform(0.1, 0.8))
    body = Body(
        cytoplasm=(178, 125, 178),
        nucleus=(92, 48, 136),
        grain=0.3,
        chromatin=0.22,
        chromatin_px=4.5,
        membrane=0.0,
        soft_px=0.9,
        granules=(
            Granules(
                colour=(62, 20, 108),
                count=int(rng.integers(420, 640)),
                radius_px=(0.9, 1.7),
                opacity=0.92,
                over_nucleus=0.5,
            ),
        ),
    )
    return cell, nucleus, body


def _ig(rng: np.random.Generator, middle: Spot) -> Shapes:
    cell, at = _round_cell(rng, middle, rng.uniform(35, 43), wavy=0.03)
    early = rng.random() < 0.5
    turn, off = rng.uniform(0, 6.28), rng.uniform(4, 10)
    nucleus = nuclei.kidney(
        rng,
        at.towards(turn, off),
        radius=rng.uniform(23, 28),
        dent=rng.uniform(0.0, 0.2) if early else rng.uniform(0.0, 0.45),
    )
    coarse = Granules(
        colour=(118, 38, 126),
        count=int(rng.integers(260, 520)),
        radius_px=(0.7, 1.2),
        opacity=0.75,
        over_nucleus=0.35,
    )
    fine = Granules(colour=(172, 100, 150), count=420, radius_px=(0.6, 1.0), opacity=0.55)
    body = Body(
        cytoplasm=(172, 128, 172) if early else (202, 162, 184),
        nucleus=(92, 44, 136),
        grain=0.25,
        chromatin=0.23,
        chromatin_px=3.2,
        membrane=0.2,
        nucleoli=int(rng.integers(0, 3)) if early else 0,
        granules=(coarse,) if early else (fine,),
    )
    return cell, nucleus, body


def _lymphocyte(rng: np.random.Generator, middle: Spot) -> Shapes:
    radius = rng.uniform(22, 28)
    cell, at = _round_cell(rng, middle, radius, wavy=0.05)
    if rng.random() < 0.5:
        beside = at.shifted(radius * rng.uniform(-1, 1), radius * rng.choice([-0.9, 0.9]))
        bleb = beside.ellipse(
            a=rng.uniform(5, 9),
            b=rng.uniform(3, 6),
            turn=rng.uniform(0, 3.14),
        )
        cell = joined(cell, bleb, round_px=4.0)
    turn, off = rng.uniform(0, 6.28), rng.uniform(0.5, 3.5)
    nucleus = nuclei.round_nucleus(
        rng,
        at.towards(turn, off),
        radius=radius * rng.uniform(0.84, 0.94),
        wobble=0.04,
        stretch=0.14,
    )
    body = Body(
        cytoplasm=(128, 112, 176),
        nucleus=(80, 36, 126),
        grain=0.3,
        rim=0.35,
        chromatin=0.13,
        chromatin_px=5.0,
        membrane=0.25,
    )
    return cell, nucleus, body


def _monocyte(rng: np.random.Generator, middle: Spot) -> Shapes:
    cell, at = _round_cell(rng, middle, rng.uniform(35, 42), wavy=0.07)
    nucleus = nuclei.kidney(
        rng,
        at.shifted(rng.normal() * 3, rng.normal() * 3),
        radius=rng.uniform(24, 28),
        dent=rng.uniform(0.4, 1.0),
    )
    body = Body(
        cytoplasm=(164, 134, 180),
        nucleus=(96, 50, 138),
        grain=0.28,
        grain_px=2.4,
        rim=0.3,
        chromatin=0.28,
        chromatin_px=2.8,
        membrane=0.2,
        vacuoles=int(rng.integers(0, 6)),
        granules=(Granules(colour=(136, 88, 160), count=150, radius_px=(0.5, 0.8), opacity=0.4),),
    )
    return cell, nucleus, body


def _erythroblast(rng: np.random.Generator, middle: Spot) -> Shapes:
    radius = rng.uniform(19, 26)
    cell, at = _round_cell(rng, middle, radius, wavy=0.045)
    turn, off = rng.uniform(0, 6.28), rng.uniform(0, 5)
    nucleus = nuclei.round_nucleus(
        rng, at.towards(turn, off), radius=radius * rng.uniform(0.5, 0.7), wobble=0.02, stretch=0.06
    )
    ripe = rng.uniform(0, 1)
    body = Body(
        cytoplasm=(126 + 55 * ripe, 112 + 42 * ripe, 172 + 6 * ripe),
        nucleus=(62, 26, 112),
        grain=0.14,
        rim=0.2,
        chromatin=0.4,
        chromatin_px=4.4,
        membrane=0.3,
        halo=0.1,
    )
    return cell, nucleus, body


CELLS: dict[str, Draw] = {
    "basophil": _basophil,
    "eosinophil": _eosinophil,
    "erythroblast": _erythroblast,
    "ig": _ig,
    "lymphocyte": _lymphocyte,
    "monocyte": _monocyte,
    "neutrophil": _neutrophil,
}
LABELS = tuple(sorted([*CELLS, "platelet"]))

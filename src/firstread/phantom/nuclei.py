"""Shapes of nuclei, each a distance over the picture: round, kidney, band, lobes."""

from __future__ import annotations

import numpy as np

from firstread.phantom.fields import Field, Spot, joined, noise, sausage, waves


def round_nucleus(
    rng: np.random.Generator,
    at: Spot,
    *,
    radius: float,
    wobble: float = 0.03,
    stretch: float = 0.12,
) -> Field:
    """Round to oval, the outline a little uneven."""
    harmonics = waves(rng, amount=wobble)
    harmonics.append((2, rng.uniform(0, stretch), rng.uniform(0, 2 * np.pi)))
    return at.outline(radius=radius, harmonics=harmonics)


def kidney(
    rng: np.random.Generator,
    at: Spot,
    *,
    radius: float,
    dent: float,
) -> Field:
    """A round nucleus with a dent of `dent` (0 none, 1 to the middle) on one side."""
    body = round_nucleus(rng, at, radius=radius, wobble=0.045, stretch=0.15)
    turn = rng.uniform(0, 2 * np.pi)
    reach = radius * (1.45 - 0.75 * dent)
    bite = at.towards(turn, reach).ellipse(
        a=radius * rng.uniform(0.5, 0.7),
        b=radius * rng.uniform(0.18, 0.42),
        turn=turn + rng.normal() * 0.25,
    )
    return -joined(-body, bite, round_px=radius * 0.25)


def band(
    rng: np.random.Generator,
    at: Spot,
    *,
    radius: float,
    width: float,
    lobes: int,
    pinch: float,
    sweep: float,
) -> Field:
    """A bent rod of half width `width` along an arc; `pinch` narrows it into `lobes`."""
    steps = 28
    t = np.linspace(0, 1, steps)
    start = rng.uniform(0, 2 * np.pi)
    angle = start + sweep * t * rng.choice([-1, 1])
    wander = 1 + 0.22 * np.cumsum(rng.normal(size=steps)) / np.sqrt(steps)
    path = np.stack(
        [at.cx + radius * wander * np.cos(angle), at.cy + radius * wander * np.sin(angle)], axis=1
    )
    path += np.array([at.cx, at.cy]) * 0.6 + path.mean(axis=0) * -0.6
    sizes = rng.uniform(0.8, 1.2, size=lobes)
    which = np.clip((t * lobes).astype(int), 0, lobes - 1)
    inside = np.abs(np.sin(np.pi * (t * lobes - which)))
    widths = width * sizes[which] * (1 - pinch + pinch * inside**0.6)
    return sausage(at.x, at.y, path=path, widths=widths)


def lobes(
    rng: np.random.Generator,
    at: Spot,
    *,
    spread: float,
    size: float,
    count: int,
) -> Field:
    """`count` separate oval lobes around the middle, neighbours joined by thin threads."""
    start, spin = rng.uniform(0, 2 * np.pi), rng.choice([-1.0, 1.0])
    step = rng.uniform(1.5, 2.0) if count > 2 else rng.uniform(1.9, 2.8)
    centres = []
    distance: Field | None = None
    for index in range(count):
        angle = start + spin * step * index + rng.normal() * 0.2
        away = spread * rng.uniform(0.8, 1.15)
        centre = at.towards(angle, away)
        centres.append((centre.cx, centre.cy))
        big = size * rng.uniform(0.85, 1.15)
        lobe = centre.ellipse(
            a=big * rng.uniform(1.05, 1.35),
            b=big * rng.uniform(0.75, 0.95),
            turn=angle + np.pi / 2 + rng.normal() * 0.4,
        )
        distance = lobe if distance is None else joined(distance, lobe, round_px=1.2)
    thread = sausage(at.x, at.y, path=np.array(centres), widths=np.full(count, size * 0.22))
    return thread if distance is None else joined(distance, thread, round_px=1.5)


def segmented(
    rng: np.random.Generator, at: Spot, *, banded: bool, pinch: tuple[float, float]
) -> Field:
    """A ripe neutrophil's: one band that narrows between its lobes, or lobes on their own."""
    if banded:
        return band(
            rng,
            at,
            radius=rng.uniform(14, 18),
            width=rng.uniform(8, 10),
            lobes=int(rng.integers(3, 5)),
            pinch=rng.uniform(*pinch),
            sweep=rng.uniform(3.6, 5.0),
        )
    spread, size = rng.uniform(13, 17), rng.uniform(9, 11)
    return lobes(rng, at, spread=spread, size=size, count=int(rng.integers(3, 5)))


def uneven(
    rng: np.random.Generator, distance: Field, *, amount_px: float, oversampling: int
) -> Field:
    """The shape with its edge pushed in and out by up to about `amount_px`."""
    push = noise(rng, distance, wavelength=9.0, oversampling=oversampling)
    return np.asarray(distance + amount_px * push, dtype=np.float32)

"""Fields over the picture that drawings are made of: noise, distances to shapes, and soft cover.

A *distance* here is a float32 array over the picture, in pixels, negative inside the shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]


def grid(size_px: int, *, oversampling: int) -> tuple[Field, Field]:
    """x and y of every drawn point in picture pixels, (0, 0) in the middle."""
    n = size_px * oversampling
    line = ((np.arange(n, dtype=np.float32) + 0.5) / oversampling - size_px / 2).astype(np.float32)
    x, y = np.meshgrid(line, line)
    return x, y


def noise(
    rng: np.random.Generator,
    like: Field,
    *,
    wavelength: float,
    oversampling: int,
    band: bool = False,
) -> Field:
    """Smooth noise of mean 0 and deviation 1 whose bumps are about `wavelength` pixels wide."""
    n = like.shape[0]
    f = np.fft.fftfreq(n, d=1 / oversampling).astype(np.float32)
    k2 = f[:, None] ** 2 + f[None, : n // 2 + 1] ** 2
    gain = np.exp(-k2 * wavelength**2 * 1.5)
    if band:
        gain -= np.exp(-k2 * wavelength**2 * 5.0)
    spectrum = np.fft.rfft2(rng.standard_normal((n, n), dtype=np.float32))
    field = np.fft.irfft2(spectrum * gain, s=(n, n))
    field -= field.mean()
    return np.asarray(field / (field.std() + 1e-9), dtype=np.float32)


def blurred(field: Field, sigma_px: float, *, oversampling: int) -> Field:
    """The field under a Gaussian of `sigma_px`, wrapped at the borders."""
    n = field.shape[0]
    f = np.fft.fftfreq(n, d=1 / oversampling)
    k2 = f[:, None] ** 2 + f[None, : n // 2 + 1] ** 2
    gain = np.exp(-2 * (np.pi * sigma_px) ** 2 * k2).astype(np.float32)
    return np.asarray(np.fft.irfft2(np.fft.rfft2(field) * gain, s=(n, n)), dtype=np.float32)


def cover(distance: Field, *, soft: float = 0.6) -> Field:
    """How much of each point the shape covers: 1 inside, 0 outside, a soft step of `soft` px."""
    return np.asarray(1 / (1 + np.exp(np.clip(distance / soft, -30, 30))), dtype=np.float32)


@dataclass(frozen=True, kw_only=True)
class Spot:
    """A place on the picture around which a shape lies; x and y are the points of the picture."""

    x: Field
    y: Field
    cx: float = 0.0
    cy: float = 0.0

    def shifted(self, dx: float, dy: float) -> Spot:
        return Spot(x=self.x, y=self.y, cx=self.cx + dx, cy=self.cy + dy)

    def towards(self, turn: float, away: float) -> Spot:
        """The place `away` pixels from here, in the direction `turn` in radians."""
        return self.shifted(away * np.cos(turn), away * np.sin(turn))

    def ellipse(self, *, a: float, b: float, turn: float) -> Field:
        """Distance to an ellipse with half axes a and b, turned by `turn` radians."""
        c, s = np.cos(turn), np.sin(turn)
        u = (self.x - self.cx) * c + (self.y - self.cy) * s
        v = -(self.x - self.cx) * s + (self.y - self.cy) * c
        r = np.sqrt((u / a) ** 2 + (v / b) ** 2)
        return np.asarray((r - 1) * min(a, b), dtype=np.float32)

    def outline(self, *, radius: float, harmonics: Sequence[tuple[int, float, float]]) -> Field:
        """Distance to a wavy circle: each harmonic is (order, share of the radius, phase)."""
        theta = np.arctan2(self.y - self.cy, self.x - self.cx)
        edge = np.ones_like(theta)
        for order, share, phase in harmonics:
            edge = edge + share * np.cos(order * theta + phase)
        return np.asarray(self.away() - radius * edge, dtype=np.float32)

    def away(self) -> Field:
        """How far each point is from here."""
        return np.asarray(np.hypot(self.x - self.cx, self.y - self.cy))


def waves(
    rng: np.random.Generator, *, amount: float, orders: Sequence[int] = (2, 3, 4, 5, 7)
) -> list[tuple[int, float, float]]:
    """Random harmonics for `Spot.outline`; high orders get less."""
    return [(k, amount * rng.normal() / (k / 2), rng.uniform(0, 2 * np.pi)) for k in orders]


def sausage(x: Field, y: Field, *, path: NDArray[np.float64], widths: NDArray[np.float64]) -> Field:
    """Distance to a thick line along `path` [n, 2] whose half width changes along it."""
    best = np.full_like(x, 1e9)
    for (px, py), (qx, qy), w0, w1 in zip(path, path[1:], widths, widths[1:], strict=False):
        dx, dy = qx - px, qy - py
        t = ((x - px) * dx + (y - py) * dy) / (dx * dx + dy * dy + 1e-9)
        t = np.clip(t, 0, 1)
        d = np.hypot(x - px - t * dx, y - py - t * dy) - (w0 + t * (w1 - w0))
        best = np.minimum(best, d)
    return np.asarray(best, dtype=np.float32)


def joined(a: Field, b: Field, *, round_px: float) -> Field:
    """Both shapes, with the corner where they meet filled by `round_px`."""
    h = np.clip(0.5 + 0.5 * (b - a) / round_px, 0, 1)
    return np.asarray(b + (a - b) * h - round_px * h * (1 - h), dtype=np.float32)


def dots(
    rng: np.random.Generator,
    where: Field,
    *,
    count: int,
    radius_px: tuple[float, float],
    oversampling: int,
) -> Field:
    """Cover of `count` small round granules whose centres fall by chance, as `where` is dense."""
    n = where.shape[0]
    weight = where.ravel().astype(np.float64)
    total = weight.sum()
    out = np.zeros((n, n), dtype=np.float32)
    if total <= 0 or count <= 0:
        return out
    places = rng.choice(weight.size, size=count, p=weight / total)
    radii = rng.uniform(*radius_px, size=count) * oversampling
    depth = rng.uniform(0.55, 1.0, size=count)
    for place, radius, deep in zip(places, radii, depth, strict=True):
        row, column = divmod(int(place), n)
        reach = int(np.ceil(radius * 2)) + 1
        top, left = max(row - reach, 0), max(column - reach, 0)
        bottom, right = min(row + reach + 1, n), min(column + reach + 1, n)
        v, u = np.ogrid[top - row : bottom - row, left - column : right - column]
        blob = deep * np.exp(-(((u * u + v * v) / (radius * radius)) ** 2))
        patch = out[top:bottom, left:right]
        np.maximum(patch, blob, out=patch)
    return out

"""A painting of a stained smear: layers of colour laid over a lit background, then photographed."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from firstread.phantom.fields import Field, Spot, blurred, cover, dots, grid, noise, waves

RGB = tuple[float, float, float]
OVERSAMPLING = 2
# Drawn beyond the borders and cut off: the blur wraps around.
MARGIN_PX = 4


@dataclass(frozen=True, kw_only=True)
class Granules:
    """Granules of the cytoplasm; `over_nucleus` is the share that also lies over the nucleus."""

    colour: RGB
    count: int
    radius_px: tuple[float, float]
    opacity: float = 0.8
    over_nucleus: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Body:
    """One nucleated cell: what it looks like, not where its outline runs."""

    cytoplasm: RGB
    nucleus: RGB
    grain: float = 0.12
    grain_px: float = 3.0
    rim: float = 0.25
    chromatin: float = 0.25
    chromatin_px: float = 3.0
    membrane: float = 0.25
    nucleoli: int = 0
    vacuoles: int = 0
    halo: float = 0.0
    granules: tuple[Granules, ...] = ()
    soft_px: float = 0.6


@dataclass(kw_only=True)
class Painting:
    """Colours as they come to the eye, float32 [n, n, 3] in 0..255, and the points they lie on."""

    rng: np.random.Generator
    size_px: int
    background: RGB
    x: Field = field(init=False)
    y: Field = field(init=False)
    rgb: NDArray[np.float32] = field(init=False)

    def __post_init__(self) -> None:
        self.x, self.y = grid(self.size_px + 2 * MARGIN_PX, oversampling=OVERSAMPLING)
        self.rgb = np.empty((*self.x.shape, 3), dtype=np.float32)
        self.rgb[:] = self.background

    def at(self, cx: float = 0.0, cy: float = 0.0) -> Spot:
        return Spot(x=self.x, y=self.y, cx=cx, cy=cy)

    def noise(self, wavelength: float, *, band: bool = False) -> Field:
        return noise(self.rng, self.x, wavelength=wavelength, oversampling=OVERSAMPLING, band=band)

    def lay(self, colour: RGB, share: Field, *, density: Field | float = 1.0) -> None:
        """Lay a colour over `share` of each point; more density is darker (Beer-Lambert)."""
        absorbed = -np.log(np.clip(np.array(colour, dtype=np.float32), 4, 254) / 255)
        tone = 255 * np.exp(-np.asarray(density, dtype=np.float32)[..., None] * absorbed)
        self.rgb += share[..., None] * (tone - self.rgb)

    def red_cells(
        self, *, edge: RGB, count: int, radius: tuple[float, float], clear_px: float, pallor: float
    ) -> None:
        """Red cells, paler in the middle, that keep `clear_px` away from the picture's middle."""
        half = self.size_px / 2 + radius[1] * 0.6
        for _ in range(count):
            r = self.rng.uniform(*radius)
            for _try in range(12):
                cx, cy = self.rng.uniform(-half, half, size=2)
                if np.hypot(cx, cy) > clear_px + r * 0.75:
                    break
            else:
                continue
            self._red_cell(cx, cy, r, edge=edge, pallor=pallor * self.rng.uniform(0.3, 1.1))

    def _red_cell(self, cx: float, cy: float, r: float, *, edge: RGB, pallor: float) -> None:
        harmonics = waves(self.rng, amount=0.025)
        harmonics.append((2, abs(self.rng.normal()) * 0.06, self.rng.uniform(0, 6.28)))
        distance = self.at(cx, cy).outline(radius=r, harmonics=harmonics)
        inner = np.clip(1 + distance / r, 0, 1.2)  # 0 in the middle, 1 at the rim
        tilt = self.rng.normal(size=2) * 0.06
        lean = ((self.x - cx) * tilt[0] + (self.y - cy) * tilt[1]) / r
        width = self.rng.uniform(0.28, 0.5)
        pale = np.exp(-((inner / width) ** 4))
        density = (0.85 + 0.25 * np.exp(-(((inner - 0.9) / 0.12) ** 2)) - pallor * pale) + lean
        self.lay(edge, cover(distance, soft=0.55) * 0.92, density=density.astype(np.float32))

    def platelet(self, cx: float, cy: float, r: float, *, colour: RGB, dark: RGB) -> None:
        at, harmonics = self.at(cx, cy), waves(self.rng, amount=0.16, orders=(2, 3, 5, 8, 11))
        distance = at.outline(radius=r, harmonics=harmonics)
        share = cover(distance, soft=0.8)
        self.lay(colour, share * 0.9, density=1 + 0.25 * self.noise(2.0))
        core = share * np.exp(-((at.away() / (0.75 * r)) ** 2))
        spots = dots(
            self.rng, core, count=int(r * r * 1.1), radius_px=(0.6, 1.3), oversampling=OVERSAMPLING
        )
        self.lay(dark, np.clip(spots, 0, 1) * 0.75)

    def cell(self, body: Body, *, cell: Field, nucleus: Field) -> None:
        """Lay one nucleated cell: cytoplasm, granules, nucleus with its chromatin."""
        inside = cover(cell, soft=body.soft_px)
        core = cover(nucleus, soft=body.soft_px) * inside
        near_rim = np.exp(-((np.clip(-cell, 0, None) / 2.2) ** 2)) * inside
        density = 1 + 0.6 * body.grain * self.noise(body.grain_px) + body.rim * near_rim
        if body.halo:
            density -= body.halo * np.exp(-((np.clip(nucleus, 0, None) / 3.5) ** 2))
        self.lay(body.cytoplasm, inside * 0.96, density=np.clip(density, 0.1, 3))
        for _ in range(body.vacuoles):
            self._vacuole(cell, nucleus)
        plasma = np.clip(inside - core, 0, 1) * (cell < -1.0)
        for granules in body.granules:
            self._granules(granules, plasma, share_left=1 - granules.over_nucleus)
        self._nucleus(body, nucleus, core)
        for granules in body.granules:
            if granules.over_nucleus:
                self._granules(granules, core, share_left=granules.over_nucleus)

    def _granules(self, granules: Granules, where: Field, *, share_left: float) -> None:
        spots = dots(
            self.rng,
            where,
            count=round(granules.count * share_left),
            radius_px=granules.radius_px,
            oversampling=OVERSAMPLING,
        )
        self.lay(granules.colour, spots * granules.opacity, density=1 + 0.12 * self.noise(4.0))

    def _vacuole(self, cell: Field, nucleus: Field) -> None:
        free = np.flatnonzero((cell < -2.5) & (nucleus > -1.5))
        if free.size == 0:
            return
        row, column = divmod(int(self.rng.choice(free)), cell.shape[1])
        r = self.rng.uniform(1.0, 2.2)
        away = np.hypot(self.x - self.x[row, column], self.y - self.y[row, column])
        self.lay((235, 215, 225), cover(away - r, soft=0.5) * 0.75)

    def _nucleus(self, body: Body, nucleus: Field, core: Field) -> None:
        clumps = self.noise(body.chromatin_px, band=True)
        fine = self.noise(max(1.4, body.chromatin_px * 0.5), band=True)
        rim = np.exp(-((np.clip(-nucleus, 0, None) / 1.4) ** 2))
        density = (
            1
            + body.chromatin * np.tanh(1.3 * clumps)
            + 0.22 * body.chromatin * fine
            + body.membrane * rim
            + 0.10 * self.noise(14.0)
        )
        for _ in range(body.nucleoli):
            density = density - self._nucleolus(nucleus)
        self.lay(body.nucleus, core, density=np.clip(density, 0.25, 2.5))

    def _nucleolus(self, nucleus: Field) -> Field:
        deep = np.flatnonzero(nucleus < min(-4.0, float(nucleus.min()) * 0.35))
        if deep.size == 0:
            return np.zeros_like(nucleus)
        row, column = divmod(int(self.rng.choice(deep)), nucleus.shape[1])
        r = self.rng.uniform(2.4, 4.4)
        away = np.hypot(self.x - self.x[row, column], self.y - self.y[row, column])
        ring = 0.12 * np.exp(-(((away - r) / 0.9) ** 2))
        pale = self.rng.uniform(0.2, 0.32) * cover(away - r, soft=0.8)
        return np.asarray(pale - ring, dtype=np.float32)

    def photograph(
        self, *, light: RGB = (1, 1, 1), focus_px: float = 0.5, grain: float = 1.6
    ) -> NDArray[np.uint8]:
        """Light, lens and sensor: uint8 [size, size, 3]."""
        slope = self.rng.normal(size=2) * 0.02 / self.size_px
        shade = 1 + slope[0] * self.x + slope[1] * self.y
        lit = self.rgb * shade[..., None] * np.array(light, dtype=np.float32)
        seen = np.stack(
            [blurred(lit[..., c], focus_px, oversampling=OVERSAMPLING) for c in range(3)], axis=-1
        )
        n = self.size_px + 2 * MARGIN_PX
        small = seen.reshape(n, OVERSAMPLING, n, OVERSAMPLING, 3).mean(axis=(1, 3))
        small = small[MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX]
        small += self.rng.normal(size=small.shape) * grain
        return np.asarray(np.clip(np.rint(small), 0, 255), dtype=np.uint8)

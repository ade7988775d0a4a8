"""How near phantoms come to real pictures, whole and in patches.

A phantom that held a piece of a real picture would lie nearer to real pictures than other real
pictures of the same source do. So the distances of phantoms are set beside those of real pictures:
the same for both, or larger, means that nothing was copied.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Pictures = NDArray[np.uint8]
PATCH_PX = 32
_EVEN = 4.0  # patches with less detail (0..255) are plain background, alike everywhere


def whole_distances(queries: Pictures, known_pictures: Pictures) -> NDArray[np.float32]:
    """Per query the root mean square difference (0..255) to the nearest known picture.

    Both are uint8 [N, S, S, 3] and compared at 32 x 32, over all eight turns and mirrorings.
    """
    known = _shrunk(known_pictures, 32).reshape(len(known_pictures), -1)
    squares = (known**2).sum(axis=1)
    best = np.full(len(queries), np.inf, dtype=np.float32)
    small = _shrunk(queries, 32)
    for quarter in range(4):
        for mirrored in (False, True):
            view = np.rot90(small, quarter, axes=(1, 2))
            view = (view[:, :, ::-1] if mirrored else view).reshape(len(queries), -1)
            near = (view**2).sum(axis=1)[:, None] - 2 * view @ known.T + squares
            best = np.minimum(best, near.min(axis=1))
    return np.asarray(np.sqrt(np.maximum(best, 0) / known.shape[1]), dtype=np.float32)


def patch_distances(
    queries: Pictures,
    known_pictures: Pictures,
    *,
    stride_px: int = 4,
    per_query: int = 6,
    seed: int = 0,
) -> NDArray[np.float32]:
    """Per patch of 32 x 32 pixels: 1 - the correlation of its detail with the nearest known one.

    `per_query` patches are cut from each query where the nucleated cell lies; the known
    pictures are searched at every `stride_px` pixels, over all eight turns and mirrorings.
    """
    rng = np.random.default_rng(seed)
    wanted = _unit(np.concatenate([_cut(q, rng, count=per_query) for q in queries]))
    turned = [
        _unit(np.rot90(view, quarter, axes=(1, 2)))
        for view in (wanted.reshape(-1, 16, 16, 3), wanted.reshape(-1, 16, 16, 3)[:, :, ::-1])
        for quarter in range(4)
    ]
    best = np.full(len(wanted), -1.0, dtype=np.float32)
    for picture in known_pictures:
        known = _unit(_windows(picture, stride_px))
        for view in turned:
            best = np.maximum(best, (view @ known.T).max(axis=1))
    return 1 - best


def _shrunk(pictures: Pictures, side: int) -> NDArray[np.float32]:
    factor = pictures.shape[1] // side
    cut = np.asarray(pictures[:, : side * factor, : side * factor], dtype=np.float32)
    blocks = cut.reshape(len(pictures), side, factor, side, factor, 3)
    return np.asarray(blocks.mean(axis=(2, 4)), dtype=np.float32)


def _cut(picture: Pictures, rng: np.random.Generator, *, count: int) -> NDArray[np.float32]:
    """Patches with something in them, from the middle: float32 [count, 16, 16, 3]."""
    middle, reach = picture.shape[0] // 2 - PATCH_PX // 2, 22
    found: list[NDArray[np.float32]] = []
    for _ in range(count * 8):
        top, left = middle + rng.integers(-reach, reach + 1, size=2)
        # Beside the patch as much as its detail depends on.
        around = picture[top - 4 : top + PATCH_PX + 4, left - 4 : left + PATCH_PX + 4]
        patch = _detail(_shrunk(around[None], PATCH_PX // 2 + 4)[0])[2:-2, 2:-2]
        if patch.std() >= _EVEN:
            found.append(patch)
        if len(found) == count:
            break
    return np.stack(found) if found else np.zeros((0, 16, 16, 3), dtype=np.float32)


def _windows(picture: Pictures, stride: int) -> NDArray[np.float32]:
    detail = _detail(_shrunk(picture[None], picture.shape[0] // 2)[0])
    views = np.lib.stride_tricks.sliding_window_view(detail, (16, 16), axis=(0, 1))
    every = max(1, stride // 2)
    flat = views[::every, ::every].transpose(0, 1, 3, 4, 2).reshape(-1, 16, 16, 3)
    return np.asarray(flat[flat.std(axis=(1, 2, 3)) >= _EVEN], dtype=np.float32)


def _detail(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """What stands out from its 5 x 5 neighbourhood: edges of cells are alike, grain is not."""
    padded = np.pad(picture, ((2, 2), (2, 2), (0, 0)), mode="edge")
    around = np.lib.stride_tricks.sliding_window_view(padded, (5, 5), axis=(0, 1))
    return np.asarray(picture - around.mean(axis=(3, 4)), dtype=np.float32)


def _unit(patches: NDArray[np.float32]) -> NDArray[np.float32]:
    flat = patches.reshape(len(patches), -1, 3)
    flat = flat - flat.mean(axis=1, keepdims=True)
    flat = flat.reshape(len(patches), -1)
    unit: NDArray[np.float32] = flat / (np.linalg.norm(flat, axis=1, keepdims=True) + 1e-6)
    return unit.astype(np.float32)

"""Pictures that are the same are found, and pictures that are merely alike are not."""

from __future__ import annotations

import numpy as np
import pytest

from firstread.datasets.pictures.near import find_near_duplicates
from firstread.datasets.together import together


def pictures(count: int, *, seed: int = 1) -> np.ndarray:
    """Pictures of one kind: all have a bright disc in the middle, and each a texture of its own."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:32, :32] - 15.5
    disc = np.where(np.hypot(rows, columns) < 12, 160.0, 20.0)
    coarse = rng.normal(0, 25, (count, 16, 16)).repeat(2, axis=1).repeat(2, axis=2)
    return (disc + coarse).astype(np.float32)


def found(grey: np.ndarray) -> set[tuple[int, int]]:
    return {(pair.first, pair.second) for pair in find_near_duplicates(grey).pairs}


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one,
        lambda one: one * 0.6 + 30,
        lambda one: one[:, ::-1],
        np.rot90,
        lambda one: one.T[::-1],
        lambda one: one + np.random.default_rng(2).normal(0, 4, one.shape),
    ],
)
def test_a_copy_is_found_however_it_lies_and_however_bright_it_is(change):
    grey = pictures(60)
    copy = change(grey[7])[np.newaxis].astype(np.float32)
    assert found(np.concatenate([grey, copy])) == {(7, 60)}


def test_pictures_with_the_same_rim_are_not_the_same():
    assert found(pictures(300)) == set()


def test_empty_pictures_are_not_held_to_be_one():
    assert found(np.full((40, 32, 32), 200, dtype=np.float32)) == set()
    assert found(np.zeros((0, 32, 32), dtype=np.float32)) == set()


def test_the_order_does_not_matter():
    grey = np.concatenate([pictures(80), pictures(80)[10:14] * 0.9])
    order = np.random.default_rng(5).permutation(len(grey))
    turned = {tuple(sorted((int(order[a]), int(order[b])))) for a, b in found(grey[order])}
    assert turned == found(grey) == {(10 + n, 80 + n) for n in range(4)}


def test_pictures_that_each_resemble_the_next_are_not_chained_into_one():
    rng = np.random.default_rng(1)
    texture, walk = rng.normal(0, 1, (16, 16)), []
    for _ in range(300):
        texture = 0.96 * texture + 0.28 * rng.normal(0, 1, (16, 16))
        walk.append(texture.repeat(2, axis=0).repeat(2, axis=1) * 40 + 128)
    grey = np.array(walk, dtype=np.float32)
    near = find_near_duplicates(grey)
    pairs = [(pair.first, pair.second) for pair in near.pairs]
    assert max(len(members) for members in together(300, pairs)) <= 20
    assert near.threshold > find_near_duplicates(grey[::10]).threshold

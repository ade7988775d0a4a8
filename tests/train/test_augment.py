"""Augmented pictures keep their size and range, repeat with their seed, and hide the background."""
# ruff: noqa: E402  what needs the extra is imported after the skip

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from firstread.train.augment import augment, backgrounds, mix
from firstread.train.recipe import Augment


def pictures(colour: tuple[int, int, int], count: int = 6) -> np.ndarray:
    images = np.empty((count, 32, 32, 3), np.uint8)
    images[:] = colour
    images[:, 12:20, 12:20] = (90, 40, 120)
    return images


def made(how: Augment, *, seed: int = 1) -> torch.Tensor:
    images = np.concatenate([pictures((230, 200, 190)), pictures((180, 180, 180))])
    ground = backgrounds(images)
    by = torch.Generator().manual_seed(seed)
    return augment(torch.from_numpy(images), ground, ground, how, size=(32, 32), by=by)


def test_the_same_seed_gives_the_same_pictures_in_range():
    first = made(Augment())
    assert first.shape == (12, 32, 32, 3)
    assert 0 <= float(first.min()) <= float(first.max()) <= 255
    assert torch.equal(first, made(Augment()))
    assert not torch.equal(first, made(Augment(), seed=2))


def test_the_background_is_found_beside_the_cell():
    assert backgrounds(pictures((230, 200, 190)))[0].tolist() == [230, 200, 190]


def test_a_swapped_background_tells_nothing():
    still = Augment(background=1, stain=0, brightness=0, contrast=0, blur=0, noise=0, erase=0)
    corner = made(still)[:, 0, 0, 0]
    grey, pink = corner[6:], corner[:6]
    assert {round(float(v)) for v in grey} <= {180, 230}
    assert {round(float(v)) for v in pink} <= {180, 230}
    assert len({round(float(v)) for v in corner[:6]}) == 2


def test_pictures_may_be_made_smaller():
    images = pictures((200, 200, 200))
    ground = backgrounds(images)
    by = torch.Generator().manual_seed(0)
    small = augment(torch.from_numpy(images), ground, ground, Augment(), size=(16, 24), by=by)
    assert small.shape == (6, 16, 24, 3)


def test_mixed_targets_stay_probabilities():
    images = torch.rand(8, 16, 16, 3)
    targets = torch.eye(4).repeat(2, 1)
    for seed in range(10):
        by = torch.Generator().manual_seed(seed)
        mixed, shares = mix(images, targets, Augment(mix=1), by=by)
        assert mixed.shape == images.shape
        torch.testing.assert_close(shares.sum(1), torch.ones(8))

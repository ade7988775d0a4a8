"""Augmented pictures keep their size and range, repeat with their seed, and hide the background."""
# ruff: noqa: E402  what needs the extra is imported after the skip

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from firstread.train.image.augment import augment, backgrounds, mix
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


def test_a_grey_picture_stays_grey():
    images = torch.from_numpy(pictures((120, 120, 120)) // 2 * 2)
    images[:, 12:20, 12:20] = 40
    ground = backgrounds(images.numpy())
    by = torch.Generator().manual_seed(3)
    how = Augment(stain=0.3, brightness=0.5, noise=0.1, blur=1, erase=1)
    made = augment(images, ground, ground, how, size=(32, 32), grey=True, by=by)
    assert made.shape == (6, 32, 32, 3)
    assert torch.equal(made[..., 0], made[..., 1])
    assert torch.equal(made[..., 0], made[..., 2])
    assert made.std() > 1


def test_the_pictures_that_were_given_are_not_changed():
    images = torch.from_numpy(pictures((200, 180, 190)))
    before, ground = images.clone(), backgrounds(images.numpy())
    kept = ground.clone()
    by = torch.Generator().manual_seed(0)
    augment(images, ground, ground, Augment(blur=1, erase=1), size=(32, 32), by=by)
    assert torch.equal(images, before)
    assert torch.equal(ground, kept)


def test_a_covered_patch_has_the_mean_of_its_picture():
    from firstread.train.image.augment import _covered

    given = torch.rand(20, 3, 32, 48)
    made = _covered(given.clone(), by=torch.Generator().manual_seed(1))
    changed = (made != given).any(1)
    for picture, new, where in zip(given, made, changed, strict=True):
        rows, columns = torch.nonzero(where.any(1)), torch.nonzero(where.any(0))
        assert 4 <= len(rows) <= 11
        assert 6 <= len(columns) <= 16
        assert int(where.sum()) == len(rows) * len(columns)
        torch.testing.assert_close(new[:, where][:, 0], picture.mean((1, 2)))


def test_a_picture_that_is_black_all_over_stays_a_picture():
    # One of them among thousands made every loss of its epoch no number.
    images = np.zeros((6, 32, 32, 3), np.uint8)
    by = torch.Generator().manual_seed(1)
    ground = backgrounds(images)
    found = augment(torch.from_numpy(images), ground, ground, Augment(), size=(32, 32), by=by)
    assert bool(torch.isfinite(found).all())

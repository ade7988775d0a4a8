"""The two studies: copies of one picture on both sides of a split, and cells of one patient."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from firstread.datasets import Dataset, groups
from firstread.packs import Input
from firstread.runtime.prepare import pixels_of
from firstread.train.allds2020.network import augmented, chances_of, fit
from firstread.train.allds2020.over_seeds import Merit, merit
from firstread.train.recipe import AllDs2020

SIDE_PX = 100
CELL_SIDE_PX = 32
PICTURES = 260  # as in ALL-IDB2, half of them of each label
ASIDE = 20  # never augmented, as AllDS2020 kept them
VALIDATION = 0.255
# Ten times its rate, for half as many steps as it took: 3000 of 5550.
COPIES = AllDs2020(rate=1e-3, epochs=30, threads=1)
PATIENTS = AllDs2020(rate=1e-3, epochs=20, threads=1)

Images = NDArray[np.uint8]
Targets = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """A dataset's pictures in memory, uint8 [N, H, W, 3], their labels as 0 and 1, and whose."""

    images: Images
    targets: Targets
    together: Targets
    """Pictures with the same number are of one patient; where none is known, (near) duplicates."""


def load(dataset: Dataset, *, labels: tuple[str, str], side_px: int) -> Pictures:
    """The pictures of two labels, the second one positive."""
    items = tuple(item for item in dataset.items if item.label in labels)
    dataset = Dataset(dataset.name, dataset.kind, items, dataset.fetch)
    given = Input(
        width_px=side_px, height_px=side_px, colour="rgb", fit="stretch", interpolation="bilinear"
    )
    together = np.zeros(len(items), np.int64)
    if all(item.patient for item in items):
        together = np.unique([item.patient for item in items], return_inverse=True)[1]
    else:
        for number, members in enumerate(groups(dataset)):
            together[list(members)] = number
    return Pictures(
        images=np.stack([pixels_of(dataset.data(item), given) for item in items]),
        targets=np.array([labels.index(item.label) for item in items], np.int64),
        together=together,
    )


def copies(
    pictures: Pictures, *, optimiser: str, seed: int
) -> Iterator[tuple[str, dict[str, Merit]]]:
    """AllDS2020's recipe on 260 pictures, split after the copying and before it.

    For each way the figures of its own validation part, of 20 pictures that were put aside, and of
    every other picture there is.
    """
    rng = np.random.default_rng(seed)
    mine, aside, others = _drawn(pictures, rng)
    how = replace(COPIES, optimiser=optimiser)
    images, targets = augmented(
        pictures.images[mine], pictures.targets[mine], rotations=how.rotations, seed=seed
    )
    images = thirds(images)
    copy_of = np.repeat(np.arange(len(mine)), len(images) // len(mine))
    first = np.arange(len(images)) % (len(images) // len(mine)) == 0
    for way in ("as it was done", "split first"):
        if way == "as it was done":
            kept = rng.permutation(len(images)) < round(VALIDATION * len(images))
            validation = kept
        else:
            kept = _some_of_each(pictures.targets[mine], VALIDATION, rng)[copy_of]
            # The first copy is the picture itself: what is measured on is not augmented.
            validation = kept & first
        network = fit(images[~kept], targets[~kept], how, seed=seed)
        parts = {
            "validation": (images[validation], targets[validation]),
            "aside": (thirds(pictures.images[aside]), pictures.targets[aside]),
            "others": (thirds(pictures.images[others]), pictures.targets[others]),
        }
        yield (
            way,
            {
                name: merit(truths, chances_of(network, seen))
                for name, (seen, truths) in parts.items()
            },
        )


def patients(
    pictures: Pictures, *, optimiser: str, seed: int
) -> Iterator[tuple[str, dict[str, Merit]]]:
    """The same cells read by a network that learnt from other cells of the same patients, and by
    one that learnt from as many cells of other patients."""
    rng = np.random.default_rng(seed)
    everyone = rng.permutation(np.unique(pictures.together))
    first = np.isin(pictures.together, everyone[: len(everyone) // 2])
    of_first = rng.permutation(np.flatnonzero(first))
    of_second = rng.permutation(np.flatnonzero(~first))
    tested, same = np.split(of_first, [len(of_first) // 5])
    size = min(len(same), len(of_second))
    how = replace(PATIENTS, optimiser=optimiser)
    for way, learnt in (("split by picture", same[:size]), ("split by patient", of_second[:size])):
        network = fit(pictures.images[learnt], pictures.targets[learnt], how, seed=seed)
        chances = chances_of(network, pictures.images[tested])
        yield way, {"tested": merit(pictures.targets[tested], chances)}


def thirds(images: Images) -> Images:
    """The mean of every 3x3 pixels: [N, 100, 100, 3] to [N, 33, 33, 3]; a ninth of the work."""
    n = len(images)
    blocks = images[:, :99, :99].reshape(n, 33, 3, 33, 3, 3)
    return ((blocks.sum((2, 4), dtype=np.uint16) + 4) // 9).astype(np.uint8)


def _drawn(pictures: Pictures, rng: np.random.Generator) -> tuple[Targets, Targets, Targets]:
    """Indices: 240 to learn from, 20 aside, and all others that are no double of any of these."""
    drawn = []
    for label in (0, 1):
        of_label = rng.permutation(np.flatnonzero(pictures.targets == label))
        _, firsts = np.unique(pictures.together[of_label], return_index=True)
        drawn.append(of_label[np.sort(firsts)][: PICTURES // 2])
    aside = np.concatenate([part[: ASIDE // 2] for part in drawn])
    mine = np.concatenate([part[ASIDE // 2 :] for part in drawn])
    seen = np.isin(pictures.together, pictures.together[np.concatenate([mine, aside])])
    return mine, aside, np.flatnonzero(~seen)


def _some_of_each(targets: Targets, share: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    kept = np.zeros(len(targets), np.bool_)
    for label in (0, 1):
        of_label = rng.permutation(np.flatnonzero(targets == label))
        kept[of_label[: round(share * len(of_label))]] = True
    return kept

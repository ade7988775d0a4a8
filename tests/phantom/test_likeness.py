"""Phantoms come no nearer to real pictures than other real pictures do."""

from __future__ import annotations

import csv
import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from firstread.phantom import make
from tests.phantom.likeness_for_tests import patch_distances, whole_distances

DATA = Path(os.environ.get("FIRSTREAD_DATASETS", Path(__file__).parents[3] / "shared" / "data"))
SETS = {"blood-smear": "blood-cell", "leukaemia": "marrow-cell"}


def real(folder: Path, count: int) -> np.ndarray:
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as rows:
        names = [row["path"] for row in csv.DictReader(rows)]
    chosen = np.random.default_rng(5).permutation(len(names))[:count]
    pictures = []
    with zipfile.ZipFile(folder / "images.zip") as archive:
        for index in chosen:
            with Image.open(io.BytesIO(archive.read(names[index]))) as image:
                pictures.append(np.asarray(image.convert("RGB")))
    return np.stack(pictures)


def phantoms(check: str, count: int) -> np.ndarray:
    pictures = []
    for seed in range(count):
        with Image.open(io.BytesIO(make(check, seed=seed).png)) as image:
            pictures.append(np.asarray(image))
    return np.stack(pictures)


def test_a_copy_is_found_whole_and_in_part_even_turned():
    made = phantoms("blood-smear", 12)
    turned = np.rot90(made[:3], axes=(1, 2))
    assert (whole_distances(turned, made) < 1).all()
    assert (whole_distances(made[:3], made[3:]) > 5).all()
    pasted = made[:1].copy()
    pasted[0, 32:96, 32:96] = np.flip(made[5, 30:94, 30:94], axis=0)
    copied = patch_distances(pasted, made[4:8], stride_px=2, per_query=20)
    foreign = patch_distances(made[:1], made[4:8], stride_px=2, per_query=20)
    assert np.quantile(copied, 0.02) < 0.5 * np.quantile(foreign, 0.02)


@pytest.mark.data
@pytest.mark.parametrize("check", sorted(SETS))
def test_phantoms_are_no_nearer_to_real_pictures_than_other_real_pictures_are(check):
    folder = DATA / SETS[check]
    if not (folder / "images.zip").exists():
        pytest.skip(f"the pictures of {SETS[check]} are not here: set FIRSTREAD_DATASETS")
    pictures = real(folder, 1000)
    others, known = pictures[:80], pictures[80:]
    made = phantoms(check, 80)
    ours, theirs = (whole_distances(each, known) for each in (made, others))
    # Phantoms are plainer than real cells, so a typical one may lie a little nearer; a copy would
    # lie at a small part of the distance.
    assert np.quantile(ours, 0.01) > 0.75 * np.quantile(theirs, 0.01)
    few = known[:60]
    ours, theirs = (patch_distances(each, few, per_query=2) for each in (made, others))
    assert np.quantile(ours, 0.01) > 0.75 * np.quantile(theirs, 0.01)

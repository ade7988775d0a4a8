"""What real pictures show is told, and a check's own are not turned away; skips without them."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from firstread.runtime import PackReader, open_reader
from firstread.runtime.prepare import opened

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("FIRSTREAD_DATASETS", ROOT.parent / "shared" / "data"))
SETS = {
    "blood-cell": "blood-cell",
    "marrow-cell": "marrow-cell",
    "malaria": "red-cell",
    "brain-tumour": "head-mri",
    "pneumonia": "chest-xray",
    "breast-histology": "tissue",
    "fundus": "fundus",
    "smear-field": "field",
}
EACH = 20


@pytest.fixture(scope="module")
def reader() -> PackReader:
    return open_reader(ROOT / "packs" / "blood-cell")


@pytest.mark.data
@pytest.mark.parametrize(("name", "shows"), SETS.items())
def test_pictures_of_a_set_are_known_and_stay_with_their_own_check(name, shows, reader):
    file = DATA / name / "images.zip"
    if not file.is_file():
        pytest.skip(f"the pictures of {name} are not here: set FIRSTREAD_DATASETS")
    with zipfile.ZipFile(file) as packed:
        names = sorted(each for each in packed.namelist() if each.endswith((".jpg", ".png")))
        data = [packed.read(each) for each in names[:: len(names) // EACH][:EACH]]
    motifs, given = reader.motifs, reader.manifest.input
    pictures = [opened(each, given) for each in data]
    assert all(motifs.motif(each, own=shows, doubted=False).is_own for each in pictures)
    another = "chest-xray" if shows != "chest-xray" else "blood-cell"
    found = [motifs.motif(each, own=another, doubted=True).code for each in pictures]
    assert found.count(shows) >= EACH - 1

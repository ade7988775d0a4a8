"""The packs that ship read phantoms as they were meant, and find them familiar."""

from __future__ import annotations

import pytest

from firstread.domain.errors import UnknownPack
from firstread.packs import find_pack
from firstread.phantom import labels, make
from firstread.runtime import PackReader, open_reader

SEEDS = range(20)
PACKS = {
    "blood-smear": "blood-cell",
    "leukaemia": "marrow-cell",
    "breast-cytology": "breast-cytology",
}


def opened(check: str) -> PackReader:
    try:
        return open_reader(find_pack(PACKS[check]))
    except UnknownPack:
        pytest.skip(f"the pack {PACKS[check]} is not here")


@pytest.mark.parametrize("check", ["blood-smear", "leukaemia"])
def test_nine_of_ten_pictures_are_read_as_meant_and_as_familiar(check):
    reader = opened(check)
    missed = []
    for label in labels(check):
        for seed in SEEDS:
            read = reader.read(make(check, label=label, seed=seed).png).read
            familiar = read.familiarity is None or read.familiarity.familiar
            fit = read.unfit is None or label == "unidentifiable"
            if read.label != label or not familiar or not fit:
                missed.append((label, seed, read.label, familiar, read.unfit))
    asked = len(labels(check)) * len(SEEDS)
    assert len(missed) <= asked // 10, missed


def test_nine_of_ten_rows_are_read_as_meant_and_as_familiar():
    reader = opened("breast-cytology")
    missed = []
    for label in labels("breast-cytology"):
        for seed in range(50):
            row = make("breast-cytology", label=label, seed=seed).measurements
            read = reader.read_measurements(row).read
            familiar = read.familiarity is None or read.familiarity.familiar
            if read.label != label or not familiar:
                missed.append((label, seed, read.label, familiar))
    assert len(missed) <= 10, missed

"""What is not a pack's own is counted as what it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from firstread.domain.errors import BadDataset
from firstread.domain.read import Familiarity, Read
from firstread.evaluation.strangers import (
    SPOILINGS,
    read_each,
    refusals,
    spoiled,
)
from firstread.imaging import spoil
from firstread.runtime import PackReader, open_reader
from tests.images_for_tests import cell_png
from tests.packs_for_tests import make_pack


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> PackReader:
    return open_reader(make_pack(tmp_path_factory.mktemp("packs")))


@pytest.fixture(scope="module")
def own(reader: PackReader) -> Read:
    return reader.read(cell_png("red", seed=50)).read


def _as(read: Read, *, score: float, familiar: bool = True) -> Read:
    return replace(read, familiarity=Familiarity(score=score, familiar=familiar))


def test_believed_is_what_is_sure_and_not_flagged(own: Read) -> None:
    sure = _as(replace(own, probability=0.95, unfit=None), score=0.5)
    reads = [
        sure,
        replace(sure, probability=0.6),
        replace(sure, unfit="The picture is blurred: take it again in focus."),
        _as(sure, score=0.0, familiar=False),
    ]
    found = refusals(reads, name="four")
    assert (found.n, found.unfit, found.unfamiliar) == (4, 1, 1)
    assert found.flagged.value == 0.5
    assert found.believed.value == 0.25


def test_pictures_are_spoiled_each_way_and_those_that_do_not_open_left_out(
    reader: PackReader,
) -> None:
    samples = [cell_png("red", seed=51), b"no picture", cell_png("blue", seed=52)]
    ways = {
        "as they are": SPOILINGS["as they are"],
        "black": lambda p: spoil.lit(p, times=0.0),
    }
    whole, black = spoiled(reader, samples, ways=ways)
    assert (whole.name, whole.n, whole.unfit) == ("as they are", 2, 0)
    assert (black.n, black.unfit, black.believed.value) == (2, 2, 0.0)


@pytest.mark.parametrize("name", SPOILINGS)
def test_every_way_gives_a_picture_of_the_same_size(name: str) -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (37, 50, 3), dtype=np.uint8)
    changed = SPOILINGS[name](pixels)
    assert changed.shape == pixels.shape
    assert changed.dtype == np.uint8


def test_each_read_is_told_and_what_does_not_open_is_no_read(reader: PackReader) -> None:
    told: list[int] = []
    samples = iter([cell_png("red"), b"", cell_png("blue")])
    reads = read_each(reader, samples, step=lambda: told.append(1))
    assert (len(reads), len(told)) == (2, 3)


def test_nothing_to_read_is_one_sentence(reader: PackReader) -> None:
    with pytest.raises(BadDataset, match="Name others"):
        spoiled(reader, [b"no picture"])

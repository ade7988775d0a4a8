"""A picture that looks unlike the pack's own is unfamiliar, and a spoiled one unfit."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from PIL import Image

from firstread.domain.errors import PackRefused
from firstread.imaging import spoil
from firstread.packs import Appearance, Spoiling, open_manifest, seal, write_manifest
from firstread.runtime import open_reader
from firstread.runtime.looks import Looks, open_looks
from firstread.runtime.prepare import prepare
from firstread.runtime.unfit import unfit_looks
from firstread.train.image.looks import Pictures, fit_looks
from tests.images_for_tests import as_png, cell, cell_png
from tests.packs_for_tests import COLOURS, make_pack

RNG = np.random.default_rng(11)
STATED = Appearance(
    reference="appearance.npy",
    usual=2.0,
    usual_neighbours=1.0,
    spoiling=(Spoiling(kind="blurred", typical=0.0, limit=2.0),),
)


def _reference(count: int = 3) -> np.ndarray:
    return np.concatenate(
        [[np.full(count, 5.0), np.full(count, 2.0)], np.eye(count), np.ones((1, count))]
    ).astype(np.float32)


def _with_looks(folder: Path) -> Path:
    """A test pack that knows how red, green and blue cells look."""
    pytest.importorskip("scipy")
    pack = make_pack(folder)
    manifest = open_manifest(pack)
    assert manifest.input is not None
    images = [
        prepare(cell(colour, seed=seed), manifest.input)
        for colour in COLOURS
        for seed in range(100)
    ]
    fit = np.ones(len(images) // 2, dtype=bool)
    fitted = fit_looks(
        Pictures(images=np.stack(images[::2]), fit=fit, colours=None),
        Pictures(images=np.stack(images[1::2]), fit=fit, colours=None),
        folder=pack,
        seed=1,
    )
    stated = manifest.familiarity
    assert stated is not None
    told = replace(stated, quantiles=tuple(np.linspace(0, 1.5, 101)), threshold=1.49)
    appearance = replace(fitted.stated, usual_neighbours=1.0)
    write_manifest(replace(manifest, appearance=appearance, familiarity=told), pack)
    seal(pack)
    return pack


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _with_looks(tmp_path_factory.mktemp("looks"))


def test_the_distance_is_that_of_mahalanobis() -> None:
    looks = Looks(_reference(), stated=STATED)
    assert looks.distance(np.array([5.0, 7.0, 1.0])) == pytest.approx(np.sqrt(1 + 4))


def test_spoiling_is_one_at_its_limit_and_nothing_counts_without_end() -> None:
    looks = Looks(_reference(), stated=STATED)
    assert looks.spoiled(np.array([5.0, 7.0, 7.0]))["blurred"] == pytest.approx(1.0)
    assert looks.spoiled(np.array([1e9, 5.0, 5.0]))["blurred"] == pytest.approx(4.0)


def test_cells_as_they_should_be_are_familiar_and_fit(pack: Path) -> None:
    reader = open_reader(pack)
    reads = [reader.read(cell_png(colour, seed=s)).read for colour in COLOURS for s in (190, 191)]
    assert [read.familiarity and read.familiarity.familiar for read in reads] == [True] * 6
    assert [read.unfit for read in reads] == [None] * 6


@pytest.mark.parametrize(
    ("spoiled", "sentence"),
    [
        (lambda pixels: spoil.blurred(pixels, share=0.03), "blurred"),
        (lambda pixels: spoil.lit(pixels, times=0.4), "blurred|too dark"),
        (lambda pixels: spoil.grainy(pixels, levels=60, seed=1), "grainy"),
    ],
)
def test_a_spoiled_cell_is_unfit_with_the_remedy(pack: Path, spoiled, sentence: str) -> None:
    pixels = spoiled(np.asarray(cell("green", seed=192), dtype=np.uint8))
    unfit = open_reader(pack).read(as_png(Image.fromarray(pixels))).read.unfit
    assert unfit is not None
    assert re.search(sentence, unfit)
    assert "take it again" in unfit


def test_what_is_no_cell_is_unfamiliar_and_the_farther_the_less_familiar(pack: Path) -> None:
    reader = open_reader(pack)
    noise = RNG.integers(0, 256, (96, 96, 3), dtype=np.uint8)
    mixed = np.asarray(cell("red"), dtype=np.uint8) // 4 * 3 + noise // 4
    far, near = (reader.read(as_png(Image.fromarray(p))).read.familiarity for p in (noise, mixed))
    assert far is not None
    assert near is not None
    assert not far.familiar
    assert 0 < far.score < near.score


def test_the_foremost_spoiling_is_named_and_colours_are_no_fault_of_the_picture() -> None:
    assert "bright" in (unfit_looks({"blurred": 1.1, "bright": 1.5, "recoloured": 9.0}) or "")
    assert unfit_looks({"blurred": 0.9, "recoloured": 9.0}) is None


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(PackRefused, match=r"appearance\.npy"):
        Looks(_reference(), stated=STATED).distance(np.zeros(4))


class _Runs:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return open, ("ran", "w")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no array at all",
        pickle.dumps(_Runs()),
        np.full((6, 3), np.nan),
        np.zeros((6, 3)),
        np.ones((5, 3)),
        np.ones((6, 3), dtype=int),
        np.ones(6),
    ],
    ids=["empty", "text", "pickle", "nan", "no scale", "short", "whole numbers", "flat"],
)
def test_a_damaged_or_hostile_appearance_is_refused(tmp_path: Path, monkeypatch, content) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "appearance.npy"
    file.write_bytes(content) if isinstance(content, bytes) else np.save(file, content)
    with pytest.raises(PackRefused, match="Train or copy the pack again"):
        open_looks(tmp_path, stated=STATED)
    assert not (tmp_path / "ran").exists()

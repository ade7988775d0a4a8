"""What a picture shows is asked before what is wrong with it: drawn pictures, no data."""

from __future__ import annotations

import shutil
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageFont

from firstread import phantom
from firstread.domain.errors import PackRefused
from firstread.packs import open_manifest, shelf
from firstread.packs.motifs import MOTIFS, reads_for_a_check
from firstread.runtime import PackReader, open_reader
from tests.packs_for_tests import make_pack

PACKS = Path(__file__).parents[2] / "packs"


@pytest.fixture(scope="module")
def marrow() -> PackReader:
    return open_reader(PACKS / "marrow-cell")


def png(picture: Image.Image) -> bytes:
    file = BytesIO()
    picture.save(file, format="PNG")
    return file.getvalue()


def page_of_text() -> Image.Image:
    page = Image.new("RGB", (420, 594), (250, 250, 246))
    pen = ImageDraw.Draw(page)
    for y in range(40, 560, 22):
        pen.text(
            (30, y), "The heart is of normal size.  37.2", (20, 20, 20), ImageFont.load_default(18)
        )
    return page


def test_a_cell_of_another_check_is_named_and_has_no_fault(marrow):
    for seed in range(8):
        read = marrow.read(phantom.make("blood-smear", seed=seed).png).read
        assert not read.motif.is_own
        assert (read.motif.code, read.motif.own) == (
            "blood-cell",
            "one cell of a bone-marrow smear",
        )
        assert read.unfit is None


def test_a_cell_of_the_check_is_its_own(marrow):
    for seed in range(8):
        assert marrow.read(phantom.make("leukaemia", seed=seed).png).read.motif.is_own


@pytest.mark.parametrize("light", [0.45, 1.5])
def test_a_cell_of_the_check_that_came_out_spoiled_keeps_its_own_reason(marrow, light):
    cell = Image.open(BytesIO(phantom.make("leukaemia", seed=3).png))
    read = marrow.read(png(ImageEnhance.Brightness(cell).enhance(light))).read
    assert read.motif.is_own
    assert any(why in read.unfit for why in ("too dark", "too bright", "almost nothing"))


def test_a_page_of_text_is_something_that_nobody_reads(marrow):
    read = marrow.read(png(page_of_text())).read
    assert not read.motif.is_own
    assert not read.motif.is_named


def test_where_nothing_is_seen_nobody_is_asked_what_it_shows(marrow):
    grains = np.random.default_rng(0).normal(90, 1, (200, 200, 3))
    read = marrow.read(png(Image.fromarray(grains.astype(np.uint8)))).read
    assert read.motif is None
    assert "almost nothing" in read.unfit or "too dark" in read.unfit


def test_a_cell_is_known_at_any_size_and_in_grey(marrow):
    cell = Image.open(BytesIO(phantom.make("blood-smear", seed=5).png))
    for shown in (cell.resize((900, 900)), cell.resize((40, 40)), cell.convert("L")):
        assert marrow.read(png(shown)).read.motif.code == "blood-cell"


def test_a_pack_that_does_not_say_what_its_pictures_show_asks_nobody(tmp_path):
    reader = open_reader(make_pack(tmp_path))
    assert reader.motifs is None
    assert reader.read(png(page_of_text())).read.motif is None


def test_without_the_pack_on_the_shelf_reads_are_as_before(tmp_path, monkeypatch):
    shutil.copytree(PACKS / "marrow-cell", tmp_path / "marrow-cell")
    monkeypatch.setattr(shelf, "shelves", lambda: [tmp_path])
    reader = open_reader(tmp_path / "marrow-cell")
    read = reader.read(phantom.make("blood-smear", seed=1).png).read
    assert read.motif is None
    assert "motif" not in read.as_dict()


def test_a_damaged_one_is_refused_by_its_name(tmp_path, monkeypatch):
    copy = shutil.copytree(PACKS / MOTIFS, tmp_path / MOTIFS)
    with (copy / "model.onnx").open("ab") as file:
        file.write(b"!")
    monkeypatch.setenv("FIRSTREAD_PACKS", str(tmp_path))
    with pytest.raises(PackRefused, match=MOTIFS):
        open_reader(PACKS / "marrow-cell")


def test_it_reads_for_no_check():
    assert not reads_for_a_check(open_manifest(PACKS / MOTIFS))
    assert reads_for_a_check(open_manifest(PACKS / "marrow-cell"))


def test_it_is_small():
    assert (PACKS / MOTIFS / "model.onnx").stat().st_size < 400_000

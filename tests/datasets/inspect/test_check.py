"""What is wrong with a set is found, said, and shown."""

from __future__ import annotations

import json
import os
import re
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image, ImageEnhance

from firstread.cli.main import main
from firstread.datasets import open_dataset
from firstread.datasets.inspect.check import check
from firstread.datasets.inspect.page import page
from tests.images_for_tests import as_png, cell

ROOT = Path(__file__).resolve().parents[3]
COLOURS = ("red", "green", "blue")


def cells(folder, *, each: int = 12):
    """Cells whose colour is their label, each with a texture of its own."""
    for colour in COLOURS:
        (folder / colour).mkdir(parents=True)
        for seed in range(each):
            (folder / colour / f"{seed:02d}.png").write_bytes(textured(colour, seed=seed))
    return folder


def textured(colour: str, *, seed: int) -> bytes:
    noise = np.random.default_rng([seed, COLOURS.index(colour)]).normal(0, 28, (24, 24, 1))
    coarse = noise.repeat(4, axis=0).repeat(4, axis=1)
    pixels = np.asarray(cell(colour, seed=seed)) + coarse
    return as_png(Image.fromarray(pixels.clip(0, 255).astype(np.uint8)))


def run(*words: str):
    return CliRunner().invoke(main, ["datasets", "check", *words])


def test_a_clean_set_has_nothing_wrong(tmp_path):
    ran = run(str(cells(tmp_path / "cells")))
    assert ran.exit_code == 0, ran.output
    assert "cells: 36 samples (image), no patients named" in ran.output
    assert re.search(r"^red +12  █{32}$", ran.output, re.MULTILINE)
    assert "sizes in pixels: 96x96 (36)" in ran.output
    assert "near duplicates (likeness above" in ran.output
    assert "Nothing that must be put right first." in ran.output


def test_copies_are_found_and_conflicts_and_unreadable_samples_cost_trust(tmp_path):
    folder = cells(tmp_path / "cells")
    whole = (folder / "red" / "03.png").read_bytes()
    (folder / "red" / "copy.png").write_bytes(whole)
    (folder / "blue" / "wrong.png").write_bytes((folder / "green" / "05.png").read_bytes())
    mirrored = Image.open(BytesIO(whole)).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    mirrored = ImageEnhance.Brightness(mirrored).enhance(0.9)
    mirrored.save(folder / "red" / "mirrored.jpg", quality=85)
    (folder / "green" / "cut.png").write_bytes(whole[:400])
    ran = run(str(folder), "--json")
    found = json.loads(ran.output)
    assert ran.exit_code == 1
    assert found["duplicates"] == [
        ["blue/wrong.png", "green/05.png"],
        ["red/03.png", "red/copy.png"],
    ]
    near = {(pair["first"], pair["second"], pair["turned"]) for pair in found["near_duplicates"]}
    assert near == {
        ("red/03.png", "red/mirrored.jpg", True),
        ("red/copy.png", "red/mirrored.jpg", True),
    }
    assert found["conflicts"] == [
        {"paths": ["blue/wrong.png", "green/05.png"], "labels": ["blue", "green"]}
    ]
    ((path, why),) = found["unreadable"]
    assert path == "green/cut.png"
    assert "damaged" in why
    assert (found["groups"], found["largest_group"]) == (36, 3)


def test_labels_that_were_mixed_up_are_suspected(tmp_path):
    folder = cells(tmp_path / "cells", each=40)
    (folder / "red" / "39.png").rename(folder / "blue" / "was-red.png")
    found = check(open_dataset(folder))
    assert (found.suspects[0].path, found.suspects[0].looks_like) == ("blue/was-red.png", "red")
    assert found.told_apart is not None
    assert found.told_apart > 0.95


def test_the_page_shows_it_all_and_fetches_nothing(tmp_path):
    folder = cells(tmp_path / "<b>cells")
    (folder / "blue" / "wrong.png").write_bytes((folder / "green" / "05.png").read_bytes())
    ran = run(str(folder), "--html", str(tmp_path / "page.html"))
    assert ran.exit_code == 1
    html = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "&lt;b&gt;cells" in html
    assert "<b>" not in html
    assert html.count("data:image/webp;base64,") > 20
    assert "blue and green: blue/wrong.png, green/05.png" in html
    assert "Groups that stay together:" in html
    assert "<h2>Samples without a label</h2><p>None.</p>" in html
    assert re.findall(r"(?:src|href)=\"(?!data:)", html) == []


def test_a_file_name_cannot_move_the_cursor(tmp_path):
    folder = cells(tmp_path / "cells")
    (folder / "red" / "\x1b[2Jgone.png").write_bytes(b"no picture")
    (folder / "red" / "\udcff.png").write_bytes(b"no picture")
    ran = run(str(folder), "--html", str(tmp_path / "page.html"))
    assert ran.exit_code == 1
    assert (tmp_path / "page.html").is_file()
    assert "\x1b" not in ran.output
    assert "[2Jgone.png: This is" in ran.output


def test_measurements_are_checked_without_pictures(tmp_path):
    rng = np.random.default_rng(1)
    lines = [f"{rng.normal(3 * (n % 2)):.3f},{rng.normal():.3f},{n % 2}" for n in range(60)]
    lines[7], lines[8] = "-2.5,0.1,1", "0.3,?,0"
    (tmp_path / "rows.csv").write_text("size,shape,class\n" + "\n".join(lines))
    dataset = open_dataset(tmp_path / "rows.csv")
    found = check(dataset)
    assert (found.kind, found.n, found.labels) == ("measurements", 60, {"0": 30, "1": 30})
    assert found.near_duplicates == found.duplicates == ()
    assert "rows.csv:9" in {one.path for one in found.suspects}
    assert "rows.csv:9" in page(dataset, found)


def test_a_folder_without_samples_is_refused_with_the_forms(tmp_path):
    ran = run(str(tmp_path))
    assert ran.exit_code == 1
    assert "holds no labelled samples. It should hold DICOM files" in ran.output


@pytest.mark.parametrize("pack", ["nobody-has-this-pack"])
def test_a_pack_that_is_not_there_is_named(tmp_path, pack):
    ran = run(str(cells(tmp_path / "cells", each=2)), "--pack", pack)
    assert ran.exit_code == 2
    assert pack in ran.output


DATA = Path(os.environ.get("FIRSTREAD_DATASETS", ROOT.parent / "shared" / "data"))
COUNTS = {
    "blood-cell": 7941,
    "blood-cell/originals": 48,
    "marrow-cell": 5358,
    "malaria": 9103,
    "malaria/colour": 181,
    "brain-tumour": 4988,
    "pneumonia": 4478,
    "breast-histology": 6777,
    "breast-cytology": 563,
    "diabetic-retinopathy": 1200,
    "retina-oct": 21,
    "heartbeat": 22,
}


@pytest.mark.data
@pytest.mark.parametrize("name", COUNTS)
def test_every_real_set_opens_whole(name):
    if not (DATA / name).is_dir():
        pytest.skip(f"the samples of {name} are not here: set FIRSTREAD_DATASETS")
    dataset = open_dataset(DATA / name)
    assert (len(dataset.items), dataset.unlabelled) == (COUNTS[name], ())
    assert dataset.data(dataset.items[-1])

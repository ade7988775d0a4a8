"""`firstread packs import`, `install` and `pack`, as somebody types them."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from firstread.cli.main import main
from firstread.packs import open_manifest
from tests.importing.models_for_tests import LABELS, pooled_linear
from tests.packs_for_tests import THOUSAND, make_pack


def _run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(each) for each in words])


def _imported(tmp_path: Path, *words: object) -> Result:
    (tmp_path / "model.onnx").write_bytes(pooled_linear())
    said = ("--check", "foreign", "--labels", LABELS, "--out", tmp_path / "packs")
    return _run("packs", "import", tmp_path / "model.onnx", *said, *words)


def _pictures(folder: Path, *, each: int) -> Path:
    rng = np.random.default_rng(0)
    for label in LABELS.split(","):
        (folder / label).mkdir(parents=True)
        for number in range(each):
            pixels = rng.integers(0, 256, (12, 12, 3), np.uint8)
            Image.fromarray(pixels).save(folder / label / f"{number}.png")
    return folder


def test_a_model_becomes_a_pack_that_classify_and_evaluate_take(tmp_path: Path) -> None:
    made = _imported(tmp_path, "--scale", "1/255", "--positive", "ill", "--title", "Foreign")
    assert made.exit_code == 0, made.output
    assert "Nothing is known of how well it reads" in made.stderr
    pack = tmp_path / "packs" / "foreign"
    assert made.stdout.strip() == str(pack)
    read = _run("classify", pack / "golden", "--pack", pack, "--json")
    answers = [json.loads(line) for line in read.stdout.splitlines()]
    assert {answer["pack"] for answer in answers} == {"foreign"}
    measured = _run("evaluate", pack, _pictures(tmp_path / "own", each=4), "--json")
    assert measured.exit_code == 0, measured.output
    assert json.loads(measured.stdout)["n"] == 12


def test_a_few_labelled_samples_measure_it_and_many_calibrate_it(tmp_path: Path) -> None:
    few = _imported(tmp_path, "--calibrate", _pictures(tmp_path / "few", each=5))
    assert few.exit_code == 0, few.output
    assert "15 labelled samples are too few to calibrate with" in few.stderr
    manifest = open_manifest(tmp_path / "packs" / "foreign")
    assert manifest.calibration.method == "none"
    assert manifest.results[0].n == 15
    many = _imported(
        tmp_path,
        *("--calibrate", _pictures(tmp_path / "many", each=60), "--replace", "--positive", "ill"),
    )
    assert many.exit_code == 0, many.output
    manifest = open_manifest(tmp_path / "packs" / "foreign")
    assert manifest.calibration.method == "temperature"
    assert manifest.conformal is not None
    assert manifest.familiarity is not None
    assert [point.label for point in manifest.operating_points] == ["ill"]
    assert "calibrated by temperature" in (tmp_path / "packs/foreign/card.md").read_text()
    assert _run("packs", "verify", tmp_path / "packs" / "foreign").exit_code == 0


def test_golden_samples_that_are_given_keep_nothing_but_their_pixels(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    held = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "Jane Doe"
    Image.new("RGB", (30, 20), (90, 10, 40)).save(held, "JPEG", exif=exif)
    (folder / "1.jpg").write_bytes(held.getvalue())
    made = _imported(tmp_path, "--samples", folder)
    assert made.exit_code == 0, made.output
    golden = tmp_path / "packs" / "foreign" / "golden"
    assert [path.name for path in golden.iterdir()] == ["given-01.png"]
    assert b"Jane" not in (golden / "given-01.png").read_bytes()
    assert "copies of samples that were given" in (tmp_path / "packs/foreign/card.md").read_text()


def test_what_is_missing_is_asked_for_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(pooled_linear())
    for words, sentence in [
        ((), "Say which question it answers: --check NAME."),
        (("--check", "foreign"), "Name its labels in the order of its outputs"),
    ]:
        refused = _run("packs", "import", tmp_path / "model.onnx", *words)
        assert refused.exit_code == 2
        assert sentence in refused.stderr
        assert "Traceback" not in refused.output
    absent = _run("packs", "import", tmp_path / "absent.onnx", "--check", "x", "--labels", "a,b")
    assert "There is no file 'absent.onnx'" in absent.stderr


def test_a_recipe_of_the_other_kind_is_refused_with_the_command_that_takes_it(
    tmp_path: Path,
) -> None:
    pytest.importorskip("torch")
    trained = _run("train", "objects", "--data", tmp_path, "--out", tmp_path)
    assert trained.exit_code == 2
    assert trained.stderr.strip() == (
        "firstread: The recipe objects.toml trains nothing: it makes a pack of a model from "
        "elsewhere. Say: firstread packs import FILE --recipe objects."
    )
    made = _imported(tmp_path, "--recipe", "marrow-cell")
    assert made.exit_code == 2
    assert "is for training: firstread train marrow-cell." in made.stderr


def test_a_pack_is_packed_and_installed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _imported(tmp_path).exit_code == 0
    monkeypatch.chdir(tmp_path)
    packed = _run("packs", "pack", tmp_path / "packs" / "foreign")
    assert packed.exit_code == 0, packed.output
    digest, file = packed.stdout.split()
    assert file == "foreign-1.0.0.zip"
    said = ("--sha256", digest, "--out", "elsewhere", "--json")
    installed = _run("packs", "install", file, *said)
    assert json.loads(installed.stdout)["path"] == "elsewhere/foreign"
    assert _run("packs", "verify", tmp_path / "elsewhere" / "foreign").exit_code == 0


def test_of_a_thousand_labels_a_line_names_the_first_five(tmp_path: Path) -> None:
    pack = make_pack(tmp_path, name="objects", check="objects", labels=THOUSAND)
    said = ("classify", pack / "golden", "--pack", pack, "--labels", "none")
    lines = _run(*said).stdout.splitlines()
    assert len(lines) == 3
    for line in lines:
        assert " then " in line
        assert len(line) < 300
    whole = _run(*said, "--json").stdout
    assert len(json.loads(whole.splitlines()[0])["findings"]) == 1000
    assert "and 980 more" in _run("packs", "show", pack).stdout


@pytest.mark.parametrize("shelf", ["FIRSTREAD_PACKS", "FIRSTREAD_HOME", "XDG_DATA_HOME"])
def test_a_pack_that_is_taken_in_is_found_by_its_name_from_everywhere(
    shelf: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FIRSTREAD_PACKS", "FIRSTREAD_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(shelf, str(tmp_path / "mine"))
    (tmp_path / "model.onnx").write_bytes(pooled_linear())
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    said = ("--check", "foreign", "--labels", LABELS)
    made = _run("packs", "import", tmp_path / "model.onnx", *said)
    assert made.exit_code == 0, made.output
    pack = Path(made.stdout.strip())
    assert pack.is_relative_to(tmp_path / "mine")
    assert not any((tmp_path / "elsewhere").iterdir())
    assert "foreign " in _run("packs", "list").stdout
    assert _run("classify", pack / "golden", "--pack", "foreign").exit_code == 0
    packed = _run("packs", "pack", "foreign", "--out", tmp_path / "foreign.zip")
    assert packed.exit_code == 0, packed.output
    shutil.rmtree(pack)
    assert _run("packs", "install", tmp_path / "foreign.zip").stdout.strip() == str(pack)

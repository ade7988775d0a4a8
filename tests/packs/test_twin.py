"""A pack may carry a twin in whole numbers, which is read with only where it is asked for."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from firstread.cli.main import main
from firstread.domain.errors import PackRefused
from firstread.packs import in_precision, open_manifest, seal
from firstread.packs.write import manifest_to_toml
from firstread.runtime import open_reader
from tests.images_for_tests import cell_png
from tests.packs_for_tests import give_twin, make_pack


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return give_twin(make_pack(tmp_path))


def test_without_being_asked_for_the_twin_does_not_read(pack: Path) -> None:
    read = open_reader(pack).read(cell_png("red")).read
    assert read.version == "1.0.0"
    plain = open_reader(make_pack(pack.parent / "plain")).read(cell_png("red")).read
    assert read.findings == plain.findings


def test_a_read_tells_that_the_twin_made_it(pack: Path) -> None:
    twin, plain = open_reader(pack, precision="int8"), open_reader(pack)
    read = twin.read(cell_png("red")).read
    assert read.version == "1.0.0+int8"
    assert read.pack_sha256 == plain.pack_sha256
    assert read.probability > plain.read(cell_png("red")).read.probability


def test_a_pack_without_a_twin_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(PackRefused, match="firstread packs quantise colour --data"):
        open_reader(make_pack(tmp_path), precision="int8")


def test_a_twin_that_answers_differently_here_is_refused(pack: Path) -> None:
    other = make_pack(pack.parent / "other", gain=9.0)
    shutil.copyfile(other / "model.onnx", pack / "model.int8.onnx")
    seal(pack)
    open_reader(pack)
    with pytest.raises(PackRefused, match="answers differently on this machine"):
        open_reader(pack, precision="int8")
    outcome = CliRunner().invoke(main, ["packs", "verify", str(pack)])
    assert outcome.exit_code == 1
    assert "answers differently" in outcome.stdout


def test_a_twin_whose_file_is_missing_is_refused(pack: Path) -> None:
    (pack / "model.int8.onnx").unlink()
    seal(pack)
    with pytest.raises(PackRefused, match=r"model\.int8\.onnx is missing"):
        open_reader(pack, precision="int8")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"network": "../model.onnx"}, "'twin.network' leaves the pack folder"),
        ({"network": "model.onnx"}, "must be a file of its own"),
        ({"times_as_fast": 0.0}, "must be greater than 0"),
        ({"golden": ()}, "lacks 'twin.golden'"),
    ],
)
def test_a_twin_that_contradicts_itself_is_refused(
    pack: Path, change: dict[str, object], sentence: str
) -> None:
    manifest = open_manifest(pack)
    assert manifest.twin is not None
    other = replace(manifest, twin=replace(manifest.twin, **change))
    (pack / "pack.toml").write_text(manifest_to_toml(other), encoding="utf-8")
    with pytest.raises(PackRefused, match=sentence):
        open_manifest(pack)


def test_the_version_of_a_twin_joins_what_stands_behind_a_plus(pack: Path) -> None:
    manifest = open_manifest(pack)
    built = replace(manifest, pack=replace(manifest.pack, version="1.0.0+site"))
    assert in_precision(built, "int8").version == "1.0.0+site.int8"
    assert in_precision(built, "float") == built


def test_commands_read_with_the_twin_where_it_is_asked_for(pack: Path, tmp_path: Path) -> None:
    picture = tmp_path / "red.png"
    picture.write_bytes(cell_png("red"))
    words = ["classify", str(picture), "--pack", str(pack), "--json"]
    assert '"version": "1.0.0"' in CliRunner().invoke(main, words).stdout
    twin = CliRunner().invoke(main, [*words, "--precision", "int8"])
    assert '"version": "1.0.0+int8"' in twin.stdout
    (tmp_path / "data" / "red").mkdir(parents=True)
    (tmp_path / "data" / "red" / "1.png").write_bytes(cell_png("red"))
    words = ["evaluate", str(pack), str(tmp_path / "data"), "--precision", "int8"]
    assert "1.0.0+int8" in CliRunner().invoke(main, words).stdout
    shown = CliRunner().invoke(main, ["packs", "show", str(pack)]).stdout
    assert "int8 twin       1.50 times as fast" in shown

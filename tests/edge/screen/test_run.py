"""`firstread screen` reads each sample of an archive once, and says what it found."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from firstread.cli.main import main
from tests.dicom_for_tests import cell_dicom
from tests.images_for_tests import as_png, blurred_png, cell, cell_png, every_form, not_pictures
from tests.packs_for_tests import give_twin


def _fill(folder: Path, *, count: int, colour: str = "red") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for seed in range(count):
        (folder / f"{colour}{seed:03}.png").write_bytes(cell_png(colour, seed=seed))
    return folder


def test_every_file_is_a_row_and_what_cannot_be_read_says_why(screen, rows, tmp_path):
    folder = tmp_path / "samples"
    (folder / "deep" / "er").mkdir(parents=True)
    files = {**every_form(cell()), **not_pictures()}
    for name, data in files.items():
        (folder / "deep" / "er" / name.replace(" ", "_")).write_bytes(data)
    (folder / "first.png").write_bytes(cell_png("blue"))
    (folder / ".DS_Store").write_bytes(b"hidden")
    result = screen(folder)
    assert result.exit_code == 1
    found = rows()
    assert [row["path"] for row in found] == sorted(row["path"] for row in found)
    assert len(found) == len(files) + 1
    unread = {row["path"].rpartition("/")[2]: row["error"] for row in found if row["error"]}
    assert set(unread) == {name.replace(" ", "_") for name in not_pictures()}
    assert "This is a PDF" in unread["PDF"]
    assert "The file is empty" in unread["empty"]
    assert f"{len(unread)} unreadable" in result.stdout
    assert "deep/er/PDF  This is a PDF" in result.stdout


def test_the_numbers_are_those_of_classify(screen, rows, tmp_path):
    folder = _fill(tmp_path / "samples", count=6)
    (folder / "blurred.png").write_bytes(blurred_png("green"))
    (folder / "strange.png").write_bytes(as_png(cell().resize((300, 40))))
    assert screen(folder).exit_code == 0
    said = CliRunner().invoke(main, ["classify", str(folder), "--pack", "colour", "--json"])
    answers = [json.loads(line) for line in said.stdout.splitlines()]
    for row, answer in zip(rows(), answers, strict=True):
        assert str(folder / row["path"]) == answer["path"]
        for key in ("label", "probability", "finding_set", "alarms", "unfit", "pack", "version"):
            assert row[key] == answer[key]
        chances = {each["label"]: each["probability"] for each in answer["findings"]}
        assert {code: row[f"p_{code}"] for code in chances} == chances
        assert row["doubt"] == answer["verdict"]["doubt"]
        assert row["would_say"] == answer["verdict"].get("would_say")
        assert row["would_alarm"] == answer["verdict"].get("would_alarm", [])
        near = {"score": row["familiarity"], "familiar": row["familiar"]}
        assert near == answer["familiarity"]
        assert len(row["sha256"]) == len(row["pack_sha256"]) == 64
        assert row["runtime"].startswith("onnxruntime")


def test_the_summary_counts_by_label(screen, tmp_path):
    _fill(tmp_path / "samples", count=3, colour="red")
    _fill(tmp_path / "samples", count=2, colour="blue")
    (tmp_path / "samples" / "blurred.png").write_bytes(blurred_png("blue"))
    result = screen(tmp_path / "samples")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["blue", "3"] or lines[0].split() == ["red", "3"]
    assert "6 samples: 6 read, of them 3 with an alarm" in result.stdout
    assert "No finding stands for 1 unfit for a first read: a person" in result.stdout


def test_of_many_unreadable_ones_some_are_named_and_all_stand_in_the_table(screen, rows, tmp_path):
    folder = _fill(tmp_path / "samples", count=1)
    for number in range(30):
        (folder / f"bad{number:02}.png").write_bytes(b"no picture")
    result = screen(folder)
    assert result.stdout.count("not a picture") == 20
    assert "and 10 more: see the column 'error'" in result.stdout
    assert sum(row["error"] is not None for row in rows()) == 30


def test_started_again_after_the_end_it_says_so_and_reads_nothing(screen, out, tmp_path):
    folder = _fill(tmp_path / "samples", count=3)
    screen(folder)
    before = out.stat()
    _fill(folder, count=1, colour="blue")
    result = screen(folder)
    assert result.exit_code == 0
    assert "was finished at" in result.stdout
    assert "3 samples" in result.stdout
    assert out.stat().st_mtime_ns == before.st_mtime_ns


def test_restart_reads_the_archive_anew(screen, rows, tmp_path):
    folder = _fill(tmp_path / "samples", count=3)
    screen(folder)
    _fill(folder, count=1, colour="blue")
    assert screen(folder, "--restart").exit_code == 0
    assert len(rows()) == 4


def test_a_table_of_another_pack_or_archive_is_not_written_over(screen, out, tmp_path):
    folder = _fill(tmp_path / "samples", count=2)
    screen(folder)
    before = out.read_bytes()
    other_pack = screen(folder, pack="other")
    assert other_pack.exit_code == 2
    assert "holds the results of another pack" in other_pack.stderr
    elsewhere = screen(_fill(tmp_path / "elsewhere", count=1))
    assert elsewhere.exit_code == 2
    assert "holds the results of another archive" in elsewhere.stderr
    assert out.read_bytes() == before


def test_a_twin_reads_where_it_is_asked_for_and_shares_no_table_with_its_pack(
    screen, rows, packs, tmp_path
):
    folder = _fill(tmp_path / "samples", count=2)
    without = screen(folder, "--precision", "int8")
    assert without.exit_code == 1
    assert "firstread packs quantise colour --data" in without.stderr
    give_twin(packs / "colour")
    assert screen(folder, "--precision", "int8").exit_code == 0
    assert {row["version"] for row in rows()} == {"1.0.0+int8"}
    plain = screen(folder)
    assert plain.exit_code == 2
    assert "holds the results of another precision" in plain.stderr


def test_a_file_that_is_no_table_of_ours_is_left_alone_even_on_restart(screen, out, tmp_path):
    out.write_bytes(b"somebody's work")
    result = screen(_fill(tmp_path / "samples", count=1), "--restart")
    assert result.exit_code == 2
    assert "no table of firstread screen" in result.stderr
    assert out.read_bytes() == b"somebody's work"


def test_results_may_lie_in_the_archive_and_are_no_samples(packs, tmp_path):
    folder = _fill(tmp_path / "samples", count=2)
    out = folder / "results.parquet"
    words = ["screen", str(folder), "--pack", "colour", "--out", str(out)]
    assert CliRunner().invoke(main, words).exit_code == 0
    assert CliRunner().invoke(main, [*words, "--restart"]).exit_code == 0
    assert [row["path"] for row in pq.read_table(out).to_pylist()] == ["red000.png", "red001.png"]
    assert sorted(path.name for path in folder.iterdir()) == [
        "red000.png",
        "red001.png",
        "results.parquet",
    ]


def test_a_sample_whose_name_begins_as_the_table_is_a_sample(packs, tmp_path):
    folder = _fill(tmp_path / "samples", count=2)
    words = ["screen", str(folder), "--pack", "colour", "--out", str(folder / "r")]
    assert CliRunner().invoke(main, words).exit_code == 0
    assert pq.read_table(folder / "r").num_rows == 2


def test_ray_without_its_extra_says_how_to_install_it(screen, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    result = screen(_fill(tmp_path / "samples", count=1), "--engine", "ray")
    assert result.exit_code == 2
    assert "pip install 'firstread[ray]'" in result.stderr


def test_an_archive_without_samples_is_an_error_and_not_an_empty_table(screen, out, tmp_path):
    (tmp_path / "empty").mkdir()
    result = screen(tmp_path / "empty")
    assert result.exit_code == 2
    assert "There are no samples in" in result.stderr
    assert [path.name for path in tmp_path.iterdir() if "results" in path.name] == []


def test_what_is_no_archive_says_what_is(screen, tmp_path):
    assert "There is nothing at" in screen(tmp_path / "absent").stderr
    (tmp_path / "notes.doc").write_bytes(b"words")
    assert "is no archive. Name a folder" in screen(tmp_path / "notes.doc").stderr
    assert "cannot be screened" in screen("ftp://example.org/scans").stderr
    assert "no bucket that can be opened" in screen("s3://").stderr


def test_where_the_table_cannot_go_is_said_before_anything_is_read(screen, packs, tmp_path):
    folder = _fill(tmp_path / "samples", count=1)
    words = ["screen", str(folder), "--pack", "colour", "--out", str(tmp_path / "no" / "r.parquet")]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert "There is no folder" in result.stderr


@pytest.mark.parametrize("name", ["results.csv", "results.XLSX", "results.json"])
def test_no_table_gets_the_name_of_another_form(packs, tmp_path, name):
    folder = _fill(tmp_path / "samples", count=1)
    words = ["screen", str(folder), "--pack", "colour", "--out", str(tmp_path / name)]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert "Name it results.parquet" in " ".join(result.stderr.split())
    assert not (tmp_path / name).exists()


def test_an_unknown_pack_is_said_before_anything_is_written(screen, tmp_path):
    result = screen(_fill(tmp_path / "samples", count=1), pack="unknown")
    assert result.exit_code == 2
    assert "There is no pack 'unknown'" in result.stderr
    assert [path.name for path in tmp_path.iterdir() if "results" in path.name] == []


def test_measurements_are_read_from_files_of_one_row(screen, rows, tmp_path):
    folder = tmp_path / "rows"
    folder.mkdir()
    (folder / "a.json").write_text('{"size": 9, "shape": 9, "nuclei": 9}')
    (folder / "b.json").write_text('{"size": 99, "shape": 9}')
    (folder / "c.json").write_text("[]")
    assert screen(folder, pack="sizes").exit_code == 1
    good, bad, none = rows()
    assert (good["label"], good["familiar"]) == ("malignant", True)
    assert "between 1 and 10, not 99" in bad["error"]
    assert none["error"]


def test_one_read_at_a_time_gives_the_same_table(screen, rows, tmp_path):
    folder = _fill(tmp_path / "samples", count=8)
    screen(folder)
    many = [{**row, "ms": 0} for row in rows()]
    screen(folder, "--restart", "--threads", "1")
    assert [{**row, "ms": 0} for row in rows()] == many


def test_dicom_pictures_are_read_among_others(screen, rows, tmp_path):
    folder = _fill(tmp_path / "samples", count=1)
    (folder / "a.dcm").write_bytes(cell_dicom("blue"))
    assert screen(folder).exit_code == 0
    assert {row["path"]: row["label"] for row in rows()} == {"a.dcm": "blue", "red000.png": "red"}

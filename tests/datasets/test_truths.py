"""What samples truly show is found where people write it, and never guessed."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from firstread.datasets.truth import KnownLabels
from firstread.datasets.truths import Truths, find_truths
from firstread.domain.errors import BadDataset

KNOWN = KnownLabels(["blast", "early-blast", "neutrophil"], positive=["blast", "early-blast"])


def _found(folder: Path, *names: str, rule: str = "auto") -> tuple[list[str | None], Truths]:
    """What is found of files in a folder that was named, and where."""
    files = [(str(folder / name), str(folder)) for name in names]
    truths = find_truths(files, rule=rule, known=KNOWN)
    found = [truths.of(path, root=root) for path, root in files]
    return [None if truth is None else str(truth) for truth in found], truths


def _labels(folder: Path, text: str | bytes, *, name: str = "labels.csv") -> Path:
    file = folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def test_names_that_all_end_in_1_or_0_say_positive_or_negative(tmp_path: Path) -> None:
    found, truths = _found(tmp_path, "Im001_1.jpg", "Im002_0.tif", "notes.txt")
    assert found == ["positive", "negative", None]
    assert dict(truths.counts) == {"the names, _1 positive and _0 negative": 2}


@pytest.mark.parametrize(
    "names",
    [
        ("scan_0.png", "scan_1.png"),
        ("scan_0.png", "scan_1.png", "scan_2.png"),
        ("Im001_1.jpg", "overview.jpg"),
    ],
)
def test_a_series_with_numbers_is_not_taken_for_truths(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    assert set(_found(tmp_path, *names)[0]) == {None}


def test_when_asked_names_say_it_by_a_label_or_by_their_end(tmp_path: Path) -> None:
    names = ("smear-blast-3.png", "early-blast_2.png", "x_1.png", "x_2.png", "blastoma.png")
    found, _ = _found(tmp_path, *names, "blast-neutrophil.png", "NEUTROPHIL_1.png", rule="names")
    assert found == ["blast", "early-blast", "positive", None, None, None, "neutrophil"]


def test_the_nearest_folder_that_is_a_label_counts_and_none_above_the_named_one(
    tmp_path: Path,
) -> None:
    root = tmp_path / "blast" / "samples"
    found, _ = _found(root, "a.png", "neutrophil/b.png", "Blast/old/c.png", "1/d.png")
    assert found == [None, "neutrophil", "blast", None]
    assert _found(tmp_path / "blast", "a.png")[0] == ["blast"]


def test_a_table_counts_before_folders_and_names(tmp_path: Path) -> None:
    _labels(tmp_path, "path,label\nblast/a_1.png,neutrophil\nb_1.png,0\n")
    found, truths = _found(tmp_path, "blast/a_1.png", "b_1.png", "blast/c_0.png")
    assert found == ["neutrophil", "negative", "blast"]
    assert truths.is_labels_file(str(tmp_path / "labels.csv"))
    assert not truths.is_labels_file(str(tmp_path / "blast/a_1.png"))


def test_a_table_may_lie_deeper_or_beside_the_named_folder(tmp_path: Path) -> None:
    (tmp_path / "set" / "deep").mkdir(parents=True)
    _labels(tmp_path, "path,label\nset/a.png,blast\n")
    _labels(tmp_path / "set" / "deep", "file;class\nb.png;neutrophil\n")
    assert _found(tmp_path / "set", "a.png", "deep/b.png")[0] == ["blast", "neutrophil"]
    alone = str(tmp_path / "set" / "deep" / "b.png")
    truth = find_truths([(alone, "")], rule="auto", known=KNOWN).of(alone)
    assert str(truth) == "neutrophil"


def test_tables_as_spreadsheets_write_them_are_taken(tmp_path: Path) -> None:
    name = "Zelle_grün.png"
    text = f"label;path\r\nblast;{unicodedata.normalize('NFD', name)}\r\n\r\nBLAST;sub\\b.png\r\n"
    _labels(tmp_path, b"\xef\xbb\xbf" + text.encode())
    assert _found(tmp_path, name, "sub/b.png")[0] == ["blast", "blast"]


def test_names_with_line_ends_and_commas_are_found(tmp_path: Path) -> None:
    _labels(tmp_path, 'path,label\n"a\nb.png",blast\n"c,d.png",neutrophil\n')
    assert _found(tmp_path, "a\nb.png", "c,d.png")[0] == ["blast", "neutrophil"]


def test_a_table_named_by_the_person_may_lie_anywhere(tmp_path: Path) -> None:
    (tmp_path / "cells").mkdir()
    table = _labels(tmp_path, "path,label\na.png,blast\ncells/b.png,0\n", name="truth.csv")
    assert _found(tmp_path / "cells", "a.png", "b.png", rule=str(table))[0] == ["blast", "negative"]


def test_unknown_labels_and_absent_samples_are_said(tmp_path: Path) -> None:
    table = _labels(tmp_path, "path,label\na.png,parasite\nb.png,blast\nc.png,blast\n")
    files = [(str(table), str(tmp_path)), *((str(tmp_path / n), str(tmp_path)) for n in "ab")]
    truths = find_truths(files, rule="auto", known=KNOWN)
    assert truths.is_labels_file(str(table))
    assert truths.of(str(tmp_path / "a.png"), root=str(tmp_path)) is None
    assert str(truths.of(str(tmp_path / "b.png"), root=str(tmp_path))) == "blast"
    unknown, absent = truths.notes
    assert "a label that the pack does not know, the first on line 2: 'parasite'" in unknown
    assert "1 of 3: the first is 'c.png'" in absent
    with pytest.raises(BadDataset, match=r"line 2, has the label 'parasite'.*It knows: blast"):
        find_truths(files, rule=str(table), known=KNOWN)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("path,label\na.png,blast\na.png,neutrophil\n", "on line 2 and 'neutrophil' on line 3"),
        ("path,label\n,blast\n", "line 2, lacks a path or a label"),
        ("path,label\na.png\n", "line 2, lacks a path or a label"),
        (b"path,label\n\x81.png,blast\n", "Export it again as UTF-8"),
        ("path,label\n" + "a" * 200_000 + ",blast\n", "not a table in CSV"),
    ],
)
def test_a_table_that_contradicts_itself_or_is_none_is_refused(
    tmp_path: Path, text: str | bytes, said: str
) -> None:
    _labels(tmp_path, text)
    with pytest.raises(BadDataset, match=said):
        _found(tmp_path, "a.png")


def test_a_label_that_nobody_knows_is_not_replaced_by_a_guess(tmp_path: Path) -> None:
    _labels(tmp_path, "path,label\nblast/a_1.png,parasite\n")
    assert _found(tmp_path, "blast/a_1.png", "blast/b_1.png")[0] == [None, "blast"]


def test_the_same_line_twice_is_no_contradiction(tmp_path: Path) -> None:
    _labels(tmp_path, "path,label\na.png,blast\n./a.png,blast\n")
    assert _found(tmp_path, "a.png")[0] == ["blast"]


def test_a_file_of_that_name_that_is_no_table_of_labels_is_left_alone(tmp_path: Path) -> None:
    file = _labels(tmp_path, "size,shape\n1,2\n")
    found, truths = _found(tmp_path, "a.png")
    assert found == [None]
    assert not truths.is_labels_file(str(file))
    with pytest.raises(BadDataset, match="name the columns path and label"):
        _found(tmp_path, "a.png", rule=str(file))
    with pytest.raises(BadDataset, match=r"cannot be read.*Check the path"):
        _found(tmp_path, "a.png", rule=str(tmp_path / "absent.csv"))


def test_nothing_is_looked_for_where_nobody_wants_it(tmp_path: Path) -> None:
    _labels(tmp_path, "path,label\nblast/a_1.png,blast\n")
    assert _found(tmp_path, "blast/a_1.png", rule="none")[0] == [None]

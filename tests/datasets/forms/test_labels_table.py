"""`labels.csv` as people write it, and what it cannot say."""

from __future__ import annotations

from io import BytesIO

import pytest
from openpyxl import Workbook

from firstread.datasets import named, open_dataset
from firstread.domain.errors import BadDataset


def folder(tmp_path, table: bytes | str, *names: str):
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    data = table if isinstance(table, bytes) else table.encode()
    (tmp_path / "labels.csv").write_bytes(data)
    return open_dataset(tmp_path)


@pytest.mark.parametrize(
    "table",
    [
        "path,label,patient\na.png,ill,7\n",
        "\ufeffPath;Label;Patient_ID\r\na.png;ill;7\r\n\r\n",
        "file\tclass\tsubject\na.png\till\t7\n",
        'filename,truth,MRN\n"a.png","ill","7"\n',
        "path,label,patient\na.png,ill,7\n".encode("utf-16"),
        "sep=;\npath;label;patient\na.png;ill;7\n",
        "path,label,patient,Größe\na.png,ill,7,\n".encode("cp1252"),
    ],
)
def test_a_table_opens_as_any_program_writes_it(tmp_path, table):
    (item,) = folder(tmp_path, table, "a.png").items
    assert (item.path, item.label, item.patient) == ("a.png", "ill", "7")


def test_labels_in_a_workbook_open_and_what_was_not_read_of_it_is_told(tmp_path):
    made, held = Workbook(), BytesIO()
    made.active.title = "About"
    made.active.append(["made by", "somebody"])
    sheet = made.create_sheet("Labels")
    for row in (["path", "label", "patient"], ["a.png", "ill", 7]):
        sheet.append(row)
    made.save(held)
    (tmp_path / "labels.xlsx").write_bytes(held.getvalue())
    (tmp_path / "a.png").write_bytes(b"x")
    for named_so in (tmp_path, tmp_path / "labels.xlsx"):
        dataset = open_dataset(named_so)
        assert [(i.path, i.label, i.patient) for i in dataset.items] == [("a.png", "ill", "7")]
        assert dataset.told == ("labels.xlsx: The sheet 'Labels' was read; not read: About.",)
    (tmp_path / "labels.csv").write_text("path,label\n")
    with pytest.raises(BadDataset, match=r"has labels\.csv and labels\.xlsx"):
        open_dataset(tmp_path)


def test_other_columns_are_kept_and_given_parts_are_known(tmp_path):
    table = "path,label,subtype,split\na.png,ill,band,Training\nb.png,ill,seg,test\n"
    first, second = folder(tmp_path, table, "a.png", "b.png").items
    assert (first.columns, first.part) == ((("subtype", "band"),), "train")
    assert second.part == "test"


def test_a_column_that_only_sounds_like_parts_is_another_column(tmp_path):
    (item,) = folder(tmp_path, "path,label,set\na.png,ill,Paris\n", "a.png").items
    assert (item.part, item.columns) == ("", (("set", "Paris"),))


def test_pictures_without_a_label_are_told_and_labels_without_a_picture_raise_when_read(tmp_path):
    dataset = folder(tmp_path, "path,label\na.png,ill\nc.png,ill\n", "a.png", "b.png")
    assert dataset.unlabelled == ("b.png",)
    with pytest.raises(BadDataset, match=r"'c\.png' is not in the folder"):
        dataset.data(dataset.items[1])


def test_the_same_line_twice_is_one_sample(tmp_path):
    assert len(folder(tmp_path, "path,label\na.png,ill\n./a.png,ill\n", "a.png").items) == 1


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("path,label\na.png,ill\na.png,well\n", "on line 3 something else than on line 2"),
        ("path,label,patient\na.png,ill,1\na.png,ill,2\n", "something else than on line 2"),
        ("label,kind\nill,x\n", "has no column 'path'"),
        ("path,label,label\na.png,ill,x\n", "two columns 'label'"),
        ("path,label\na,b.png,ill\n", "line 2, has more cells"),
        (b"path,label\n\x81.png,ill\n", "Export it again as UTF-8"),
        ("path,label\n" + "a" * 200_000 + ",ill\n", "not a table in CSV"),
        ("", "is empty"),
        ("path,label\n4\0.png,ill\n", "not a table in CSV"),
        ("path,label,patient\na.png,ill,1.00E+06\n", "the patient is '1.00E\\+06', a number with"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused_with_the_line(tmp_path, table, said):
    with pytest.raises(BadDataset, match=said):
        folder(tmp_path, table, "a.png")


def test_labels_take_the_words_of_a_pack(tmp_path):
    dataset = folder(tmp_path, "path,label\na.png,Blast\nb.png,other\n", "a.png", "b.png")
    assert named(dataset, ["blast", "monocyte"]).labels == ("blast", "other")
    assert named(dataset, ["Blast", "other"]) is dataset


def test_numbers_count_the_labels_of_a_pack_from_nought_unless_one_is_too_high(tmp_path):
    dataset = folder(tmp_path, "path,label\na.png,0\nb.png,2\n", "a.png", "b.png")
    assert named(dataset, ["grade-0", "grade-1", "grade-2"]).labels == ("grade-0", "grade-2")
    assert named(dataset, ["well", "ill"]).labels == ("0", "2")

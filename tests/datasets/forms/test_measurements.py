"""CSVs of measurements with any header."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from firstread.datasets import measured_as, open_dataset
from firstread.datasets.inspect.check import check
from firstread.domain.errors import BadDataset
from tests.workbooks_for_tests import workbook


def opened(tmp_path, text: str, name: str = "measurements.csv"):
    (tmp_path / name).write_text(text, encoding="utf-8")
    return open_dataset(tmp_path / name)


def test_a_table_of_another_name_and_header_opens(tmp_path):
    text = "id,diagnosis,radius_mean,texture mean,\n842302,M,17.99,10.38,\n842517,B,20.57,NA,\n"
    dataset = opened(tmp_path, text, "wdbc.csv")
    assert [(item.label, item.patient) for item in dataset.items] == [
        ("malignant", "842302"),
        ("benign", "842517"),
    ]
    assert dataset.items[1].measurements == (("radius_mean", 20.57), ("texture mean", None))


def test_semicolons_and_decimal_commas_are_read(tmp_path):
    dataset = opened(tmp_path, "\ufeffsize;shape;Class\n1,5;2;4\n3;;2\n")
    assert dataset.labels == ("benign", "malignant")
    assert dataset.items[0].measurements == (("size", 1.5), ("shape", 2.0))
    assert dataset.items[1].measurements == (("size", 3.0), ("shape", None))


def test_classes_that_are_not_those_of_wolberg_stay_as_they_are(tmp_path):
    assert opened(tmp_path, "size,class\n1,1\n2,2\n3,4\n").labels == ("1", "2", "4")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("size,class\nbig,2\n", "line 2: 'big' is not a number for size"),
        ("size,class\n1e999,2\n", "is not a number for size"),
        ("size,class\n-inf,2\n", "is not a number for size"),
        ("size,class\n1,\n", "line 2, has no class"),
        ("size,shape\n1,2\n", "no column for the label"),
        ("patient,class\n1,2\n", "no column but the label"),
        ("size,class\n", "holds no labelled samples"),
        ("size,size,class\n1,1,2\n", "two columns 'size'"),
    ],
)
def test_a_table_that_says_too_little_is_refused(tmp_path, text, said):
    with pytest.raises(BadDataset, match=said):
        opened(tmp_path, text)


def test_one_of_two_tables_is_not_chosen_in_silence(tmp_path):
    for name in ("train.csv", "test.csv"):
        (tmp_path / name).write_text("a,class\n1,ill\n2,well\n", encoding="utf-8")
    with pytest.raises(BadDataset, match=r"2 tables with labels, such as 'test\.csv' and"):
        open_dataset(tmp_path)
    assert len(open_dataset(tmp_path / "train.csv").items) == 2


def test_numbers_at_the_end_of_what_a_machine_can_hold_are_checked(tmp_path):
    rows = "".join(
        f"{'-' if n % 3 else ''}1.7e308,{n},{'ill' if n % 2 else 'well'}\n" for n in range(40)
    )
    (tmp_path / "set.csv").write_text("a,b,class\n" + rows, encoding="utf-8")
    assert not check(open_dataset(tmp_path)).costs_trust


def test_a_workbook_of_rows_is_what_the_same_csv_is(tmp_path):
    rows = (["id", "size", "class"], ["000123", 1.5, "ill"], ["000124", 1234, "well"])
    (tmp_path / "rows.xlsx").write_bytes(workbook(*rows))
    text = 'sep=;\nid;size;class\n="000123";1,5;ill\n="000124";1.234,0;well\n'
    assert open_dataset(tmp_path / "rows.xlsx").items[0].measurements == (("size", 1.5),)
    for one, other in zip(
        open_dataset(tmp_path / "rows.xlsx").items, opened(tmp_path, text).items, strict=True
    ):
        assert (one.label, one.patient) == (other.label, other.patient)
        assert one.measurements == other.measurements


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("patient,size,class\n1.00E+06,1,2\n", "Format the column as text"),
        ("patient,size,class\n0012,1,2\n7,1,2\n", "may have taken its leading zeros"),
        ('size,class\n"1,234",2\n', "may be 1234 or 1.234"),
    ],
)
def test_what_a_spreadsheet_has_changed_is_refused_in_the_words_of_the_doors(tmp_path, text, said):
    with pytest.raises(BadDataset, match=said):
        opened(tmp_path, text)


def test_columns_are_known_by_their_titles_and_units_as_at_the_doors(tmp_path):
    takes = SimpleNamespace(
        measurements=[
            SimpleNamespace(code="hb", title="Haemoglobin", unit="g/L", may_be_missing=False)
        ]
    )
    named = opened(tmp_path, "weight,Haemoglobin [g/L],class\n70,140,ill\n")
    found = measured_as(named, takes)
    assert found.items[0].measurements == (("hb", 140.0),)
    assert found.told[-1].endswith("as no measurements that are asked for: weight.")
    other = opened(tmp_path, "Haemoglobin [g/dL],class\n14,ill\n")
    with pytest.raises(BadDataset, match=r"hb in 'g/dL', and this check takes it in 'g/L'"):
        measured_as(other, takes)

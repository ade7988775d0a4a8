"""What spreadsheets make of a laboratory's table, and how its numbers are read."""

from __future__ import annotations

import datetime as dt
import io
import tracemalloc
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from openpyxl import Workbook

from firstread.domain.errors import BadMeasurement, UnreadableSample
from firstread.tables.measurements import parse_table


@dataclass(frozen=True)
class Takes:
    code: str
    title: str
    unit: str = "none"
    may_be_missing: bool = True


@dataclass(frozen=True)
class Blood:
    measurements: tuple[Takes, ...] = (
        Takes("hb", "Haemoglobin", unit="g/L"),
        Takes("wbc", "White cells"),
    )


def values(text: str | bytes) -> list[float | None]:
    table = parse_table(text, Blood())
    assert not table.refused, table.refused
    return [row.values["hb"] for row in table.rows]


def reasons(text: str | bytes) -> str:
    return " ".join(each.reason for each in parse_table(text, Blood()).refused)


@pytest.mark.parametrize(
    "changed",
    [
        "1.00E+06", "1E+06", '"8,65102E+11"', "1e+06", "2-Apr", "Apr-21", "02. Mrz", "2-Apr-21",
        "01.03.2024", "3/1/2024", "2024-03-01", "2024-03-01 00:00:00", "12:30", "865102.0",
        '"1,000,000"', "######", "#N/A", "#REF!",
    ],
)  # fmt: skip
@pytest.mark.parametrize("what", ["accession", "patient"])
def test_a_number_that_a_spreadsheet_has_changed_is_refused_with_the_remedy(
    changed: str, what: str
) -> None:
    more = "" if what == "accession" else "accession,"
    text = f"{more}{what},hb\n{'7,' if more else ''}{changed},5\n"
    said = reasons(text)
    assert f"Line 2: the {what} is '{changed.strip(chr(34))}'" in said
    assert "Format the column as text" in said


@pytest.mark.parametrize(
    "kept", ["865102", "E12345", "12E345", "2-21", "24.001", "A1", "S-2024-17", "1234/24", "000123"]
)
def test_a_number_as_it_was_typed_is_taken(kept: str) -> None:
    assert parse_table(f"accession,hb\n{kept},5\n", Blood()).rows[0].accession == kept


def test_zeros_that_were_lost_are_noticed_beside_others_that_were_kept() -> None:
    table = parse_table("accession,hb\n000123,1\n004567,2\n89,3\n", Blood())
    assert [row.accession for row in table.rows] == ["000123", "004567"]
    assert "'89' has 2 digits and others have 6" in table.refused[0].reason


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        (["5,5"], [5.5]), (["1.234,5"], [1234.5]), (["1,234.5"], [1234.5]), (["0,125"], [0.125]),
        (["1 234,5"], [1234.5]), (["1 234"], [1234.0]), (["1'234.5"], [1234.5]),
        (["1.234.567"], [1234567.0]), (["1,234,567"], [1234567.0]), (["1.234"], [1.234]),
        (["5,5", "1,234"], [5.5, 1.234]), (["5.5", "1,234"], [5.5, 1234.0]),
        (["1,234.5", "2,345"], [1234.5, 2345.0]), (["1.234,5", "2.345"], [1234.5, 2345.0]),
        (["1234,567"], [1234.567]), (["-1,5e3"], [-1500.0]), (["12,5"], [12.5]),
    ],
)  # fmt: skip
def test_thousands_and_decimals_are_told_apart(cells: list[str], found: list[float]) -> None:
    body = "".join(f"A{place}\t{cell}\n" for place, cell in enumerate(cells))
    assert values(f"accession\thb\n{body}") == found


@pytest.mark.parametrize("cells", [["1,234"], ["5,5", "1.234"], ["5,5", "5.5", "1,234"]])
def test_what_may_be_one_number_or_another_is_refused(cells: list[str]) -> None:
    body = "".join(f'A{place},"{cell}"\n' for place, cell in enumerate(cells))
    said = reasons(f"accession,hb\n{body}")
    assert "may be 1234 or 1.234. Write it without a thousands separator" in said


def test_semicolons_tell_of_decimal_commas() -> None:
    assert values("accession;hb\nA;1,234\n") == [1.234]


def test_a_sep_line_says_the_separator_and_is_no_header() -> None:
    for first in ("sep=;", '"sep=;"', "SEP=;\r"):
        table = parse_table(f"{first}\naccession;hb\nA;5\nB;x\n", Blood())
        assert table.rows[0].values["hb"] == 5
        assert table.refused[0].reason.startswith("Line 4:")
    assert values("sep=|\naccession|hb\nA|5\n") == [5.0]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_every_encoding_that_spreadsheets_write_is_read(encoding: str) -> None:
    table = parse_table("accession,hb,patient\nA,5,Jörg\n".encode(encoding), Blood())
    assert (table.rows[0].patient, table.rows[0].values["hb"]) == ("Jörg", 5)
    assert any("CP 1252" in each for each in table.told) == (encoding == "cp1252")


def test_text_that_was_kept_as_text_is_taken_without_its_wrapping() -> None:
    assert parse_table('accession,hb\n="00123",5\n', Blood()).rows[0].accession == "00123"


def test_a_unit_in_brackets_is_the_check_s_or_refused_with_both() -> None:
    assert values("accession,Haemoglobin [g/L]\nA,140\n") == [140.0]
    with pytest.raises(BadMeasurement, match=r"hb in 'g/dL', and this check takes it in 'g/L'"):
        parse_table("accession,hb (g/dL)\nA,14\n", Blood())


def test_columns_that_are_left_out_are_told() -> None:
    assert (
        "Left out, as no measurements of this check: weight"
        in (parse_table("accession,hb,weight\nA,5,70\n", Blood()).told[0])
    )


def test_lines_that_have_one_accession_are_told() -> None:
    told = ("Lines 2, 4 have one accession: they are parts of one case.",)
    assert parse_table("accession,hb\nA,140\nB,140\nA,90\n", Blood()).told[-1:] == told
    rows = b'[{"accession": "A", "hb": 140}, {"accession": "A", "hb": 90}]'
    assert parse_table(rows, Blood()).told[0].startswith("Lines 1, 2 have one accession")


def test_of_two_columns_for_one_number_the_plainer_name_counts_and_the_other_is_told() -> None:
    table = parse_table("id,accession,hb\n1,A7,5\n", Blood())
    assert table.rows[0].accession == "A7"
    assert "Left out, as no measurements of this check: id" in table.told[0]


def test_json_is_read_by_the_same_rules() -> None:
    table = parse_table(
        b'[{"accession": "A", "hb": "5,5"}, {"accession": 7, "hb": 5}, {"accession": 1e6, "hb": 1},'
        b' {"accession": "1.00E+06", "hb": 1}, {"accession": "B", "hb": "1,234"}, 5]',
        Blood(),
    )
    assert [(row.accession, row.values["hb"]) for row in table.rows] == [("A", 5.5), ("7", 5)]
    said = [each.reason for each in table.refused]
    assert "as text, in quotes" in said[0]
    assert "a spreadsheet has changed it" in said[1]
    assert "may be 1234 or 1.234" in said[2]
    assert "no object" in said[3]
    for bad in (b'{"hb": NaN}', b'{"hb": Infinity}', b"[]"):
        with pytest.raises(UnreadableSample):
            parse_table(bad, Blood())
    with pytest.raises(BadMeasurement, match="given twice"):
        parse_table(b'{"hb": 1, "hb": 2}', Blood())


def book(fill: Callable[[Workbook, Any], None]) -> bytes:
    made = Workbook()
    sheet = made.active
    sheet.title = "Blood"
    sheet.append(["accession", "hb", "wbc"])
    fill(made, sheet)
    held = io.BytesIO()
    made.save(held)
    return held.getvalue()


def test_a_workbook_is_read_by_its_own_values() -> None:
    def fill(made: Workbook, sheet: Any) -> None:
        sheet.append([1000000, 1.234, None])
        sheet["A2"].number_format = "0.00E+00"
        sheet.append([123, 5, "?"])
        sheet["A3"].number_format = "000000"
        sheet.append(["A7", "5,5", 1234])
        sheet.append(["A8", 0.1 + 0.2, 2.5e-13])

    table = parse_table(book(fill), Blood())
    assert [row.accession for row in table.rows] == ["1000000", "000123", "A7", "A8"]
    assert [row.values["hb"] for row in table.rows] == [1.234, 5, 5.5, 0.3]
    assert [row.values["wbc"] for row in table.rows[2:]] == [1234, 2.5e-13]
    assert table.told == ()


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("=1+1", "a formula whose value was never computed"),
        (dt.date(2024, 3, 1), "is a date or a time to the spreadsheet"),
        (True, "must be a number, not 'True'"),
        (1e18, "more digits than a spreadsheet keeps"),
    ],
)
def test_a_cell_that_is_no_plain_value_is_refused_with_the_remedy(cell: Any, why: str) -> None:
    def fill(made: Workbook, sheet: Any) -> None:
        sheet.append(["A1", cell, 1])
        sheet.append(["A2", 3, 1])

    table = parse_table(book(fill), Blood())
    assert [row.accession for row in table.rows] == ["A2"]
    assert why in table.refused[0].reason


def test_a_percentage_is_refused() -> None:
    def fill(made: Workbook, sheet: Any) -> None:
        sheet.append(["A1", 0.05, 1])
        sheet["B2"].number_format = "0%"

    assert "shown as a percentage" in parse_table(book(fill), Blood()).refused[0].reason


def test_text_that_begins_with_an_equals_sign_is_no_formula() -> None:
    def fill(made: Workbook, sheet: Any) -> None:
        sheet.append(["A1", 3, 1])
        sheet["A2"].value, sheet["A2"].data_type = "=A1", "s"

    assert parse_table(book(fill), Blood()).rows[0].accession == "=A1"


def test_which_sheet_was_read_and_what_is_hidden_or_merged_is_told() -> None:
    def fill(made: Workbook, sheet: Any) -> None:
        sheet.append(["A1", 3, 1])
        sheet.append(["A2", 4, 1])
        sheet.row_dimensions[3].hidden = True
        sheet.column_dimensions["C"].hidden = True
        sheet.merge_cells("C2:C3")
        made.create_sheet("Notes", 0).append(["made by", "somebody"])
        other = made.create_sheet("More")
        other.append(["accession", "hb"])
        other.append(["A9", 1])
        made.create_sheet("Secret").sheet_state = "hidden"

    table = parse_table(book(fill), Blood())
    assert [row.accession for row in table.rows] == ["A1", "A2"]
    told = " ".join(table.told)
    assert "The sheet 'Blood' was read; not read: Notes, More, Secret." in told
    assert "The sheet 'More' holds such a table too. Put it in by itself." in told
    assert "1 of its lines are hidden" in told
    assert "Hidden columns (C)" in told
    assert "Merged cells (C2:C3)" in told


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "an old Excel"),
        (book(lambda made, sheet: None)[:2000], "cut off or damaged"),
        (book(lambda made, sheet: None), "no rows below its header"),
    ],
)
def test_a_workbook_that_cannot_be_read_is_refused_with_the_way_out(data: bytes, why: str) -> None:
    with pytest.raises(UnreadableSample, match=why):
        parse_table(data, Blood())


def repacked(part: str, xml: bytes) -> bytes:
    """A workbook with another part in place of one of its own."""
    out, plain = io.BytesIO(), io.BytesIO(book(lambda made, sheet: sheet.append(["A1", 3, 1])))
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, xml if name == part else old.read(name))
    return out.getvalue()


_BEGIN = (
    b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    b'<row r="1"><c t="inlineStr"><is><t>hb</t></is></c></row>'
)
_END = b"</sheetData></worksheet>"
_ONE = b'<row r="2"><c><v>&a;</v></c></row>'
_DTD = b'<!DOCTYPE w [<!ENTITY a "' + b"1" * 1000 + b'">]>'
_OUTSIDE = b'<!DOCTYPE w [<!ENTITY a SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize(
    ("sheet", "why"),
    [
        (_BEGIN + b" " * (40 << 20) + _END, "too large"),
        (_BEGIN + (b"<row>" + b"<c><v>1</v></c>" * 50 + b"</row>") * 9000 + _END, "too large"),
        (_BEGIN + b"<row>" + b"<c/>" * 150_000 + b"</row>" + _END, "too large"),
        (_BEGIN + b'<row r="999999999"><c r="A999999999"><v>1</v></c></row>' + _END, "too large"),
        (_BEGIN + b'<row><c r="XFD1"><v>1</v></c></row>' * 100 + _END, "too large"),
        (_DTD + _BEGIN + _ONE + _END, "damaged"),
        (_OUTSIDE + _BEGIN + _ONE + _END, "damaged"),
        ((_DTD + _BEGIN + _ONE + _END).decode().encode("utf-16"), "damaged"),
        (_BEGIN + b'<row r="3"/><row r="2"><c r="A2"><v>1</v></c></row>' + _END, "damaged"),
    ],
)
def test_a_workbook_that_is_made_to_burn_is_refused_before_it_is_opened(
    sheet: bytes, why: str
) -> None:
    data = repacked("xl/worksheets/sheet1.xml", sheet)
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableSample, match=why):
            parse_table(data, Blood())
        assert tracemalloc.get_traced_memory()[1] < 50 << 20
    finally:
        tracemalloc.stop()


def test_cells_merged_over_the_whole_sheet_take_no_memory() -> None:
    sheet = _BEGIN + b'<row r="2"><c r="A2"><v>5</v></c></row></sheetData>'
    sheet += b'<mergeCells><mergeCell ref="A2:XFD1048576"/></mergeCells></worksheet>'
    table = parse_table(repacked("xl/worksheets/sheet1.xml", sheet), Blood())
    assert table.rows[0].values["hb"] == 5
    assert table.told == ("Merged cells (A2:XFD1048576) count as their first cell alone.",)


def test_a_table_of_more_cells_than_any_laboratory_sends_is_refused_unread() -> None:
    with pytest.raises(UnreadableSample, match="more cells than are read"):
        parse_table(b"accession,hb" + b"," * 2_000_000 + b"\nA,1\n", Blood())

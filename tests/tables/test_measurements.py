"""Tables of measurements as laboratories export them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstread.domain.errors import BadMeasurement, FirstreadError, UnreadableSample
from firstread.tables.measurements import parse_table


@dataclass(frozen=True)
class Takes:
    code: str
    title: str
    may_be_missing: bool = False


@dataclass(frozen=True)
class Lump:
    measurements: tuple[Takes, ...] = (
        Takes("clump_thickness", "Clump thickness"),
        Takes("bare_nuclei", "Bare nuclei", may_be_missing=True),
    )


@pytest.mark.parametrize(
    "text",
    [
        "accession,clump_thickness,bare_nuclei\nA1,5.5,?\nA2,1,10\n",
        "Accession;Clump Thickness;Bare Nuclei\nA1;5,5;\nA2;1;10\n",
        "\ufeffACCESSION\tclump thickness\tbare-nuclei\tcl\r\nA1\t5.5\tNA\t2\r\n\r\nA2\t1\t10\t4",
        'accession,clump_thickness,bare_nuclei\nA1,"5,5",nan\nA2,1,10,,\n',
    ],
)
def test_a_table_is_read_in_every_form_that_spreadsheets_write(text: str) -> None:
    for data in (text, text.encode(), text.encode("utf-16")):
        table = parse_table(data, Lump())
        assert not table.refused
        assert [row.accession for row in table.rows] == ["A1", "A2"]
        assert table.rows[0].values == {"clump_thickness": 5.5, "bare_nuclei": None}
        assert table.rows[1].values == {"clump_thickness": 1.0, "bare_nuclei": 10.0}


def test_a_bad_row_is_refused_alone_with_its_line() -> None:
    table = parse_table(
        "accession,clump_thickness,bare_nuclei\nA1,five,1\n\nA2,,1\nA3,4,1\n,4,1\nA5,inf,1\nA6,1,2,3",
        Lump(),
    )
    assert [row.accession for row in table.rows] == ["A3"]
    assert [(row.line, row.reason) for row in table.refused] == [
        (2, "Line 2: Clump thickness must be a number, not 'five'."),
        (4, "Line 4: Clump thickness is missing. Fill it in."),
        (6, "Line 6 has no accession. Fill it in."),
        (7, "Line 7: Clump thickness must be a number, not 'inf'."),
        (8, "Line 8 has 4 fields and the header 3. Check the separators of that line."),
    ]


def test_an_optional_column_may_be_absent_and_another_may_not() -> None:
    assert parse_table("clump_thickness\n3\n", Lump()).rows[0].values["bare_nuclei"] is None
    with pytest.raises(BadMeasurement, match="no column for clump_thickness"):
        parse_table("accession,bare_nuclei\nA,3\n", Lump())


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "empty"),
        ("accession,clump_thickness\n", "no rows"),
        ("clump_thickness\n1\n2\n", "no column 'accession'"),
        ("a\x00b", "not a table"),
    ],
)
def test_what_is_no_such_table_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(UnreadableSample, match=sentence):
        parse_table(text, Lump())


def test_two_columns_for_one_measurement_are_refused() -> None:
    with pytest.raises(BadMeasurement, match="two columns"):
        parse_table("accession,clump_thickness,Clump thickness\nA,1,2\n", Lump())


@given(st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)))
def test_hostile_bytes_raise_nothing_but_our_own_errors(data: bytes) -> None:
    for given_bytes in (data, b"accession,clump_thickness\n" + data):
        with suppress(FirstreadError):
            assert parse_table(given_bytes, Lump()).rows is not None

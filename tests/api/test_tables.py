"""A table of one row is put in by a program."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from firstread.clinic.models import Case
from tests.programs_for_tests import Program, file, png
from tests.workbooks_for_tests import workbook

Make = Callable[..., Program]
ROW = {"size": 9, "shape": 8, "nuclei": None}


def test_a_table_of_one_row_is_put_in_and_one_of_several_is_refused_with_the_way_out(
    program: Make,
) -> None:
    lab = program()
    header = ["accession", *ROW, "weight"]
    for accession, table in (
        ("B8", workbook(header, ["B8", *ROW.values(), 70])),
        ("B9", b"sep=;\n" + ";".join(header).encode() + b"\nB9;9;8;10;70\n"),
    ):
        made = lab.put_in(file(table), check="breast-cytology")
        assert made.status_code == 201, made.content
        assert made.json()["case"]["accession"] == accession
        assert made.json()["notes"] == ["Left out, as no measurements of this check: weight."]
    two = lab.put_in(file(b"accession,size,shape\nA,1,1\nB,2,2\n"), check="breast-cytology")
    assert two.status_code == 422
    assert "by 'firstread submit TABLE'" in two.json()["detail"]
    other = lab.put_in(
        file(b"accession,size,shape\nA,1,1\n"), check="breast-cytology", accession="B"
    )
    assert "is 'B', and the table says 'A'" in other.json()["detail"]


@pytest.mark.parametrize("accession", ["1.00E+06", "8,65E+11", "865102.0", "#N/A"])
def test_an_accession_that_a_spreadsheet_has_changed_is_refused(
    program: Make, accession: str
) -> None:
    lab = program()
    row = lab(
        "POST", "/cases", {"check": "breast-cytology", "accession": accession, "measurements": ROW}
    )
    table = lab.put_in(
        file(f'accession,size,shape\n"{accession}",1,1\n'.encode()), check="breast-cytology"
    )
    picture = lab.put_in(png(), check="leukaemia", accession=accession)
    for refused in (row, table, picture):
        assert refused.status_code == 422
        assert "a spreadsheet has changed it. Format the column as text" in refused.json()["detail"]
    assert not Case.objects.exists()

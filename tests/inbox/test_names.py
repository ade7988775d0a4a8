"""What names and folders say, for every name a file system can hold."""

from __future__ import annotations

import os
import re
from pathlib import PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstread.domain.errors import FirstreadError, UnknownCheck
from firstread.inbox.names import ACCESSION_PATTERN, address_of, plain

PATTERN = re.compile(ACCESSION_PATTERN)


def accession_of(name: str, *, pattern: re.Pattern[str] = PATTERN) -> str:
    path = PurePath("leukaemia") / name
    return address_of(path, pattern=pattern, checks={"leukaemia"}, default_check="").accession


@pytest.mark.parametrize(
    ("name", "accession"),
    [
        ("865102_lab_2_Apr_21.jpg", "865102"),
        ("H-2026-118.tiff", "H-2026-118"),
        ("24/0815_cell_01.png", "0815"),
        ("IMG_0001.jpg", ""),
        ("cell.png", ""),
        ("Zählung 3.png", ""),
    ],
)
def test_the_accession_is_the_number_a_name_begins_with(name: str, accession: str) -> None:
    assert accession_of(name) == accession


def test_an_operators_pattern_may_name_the_patient_as_well() -> None:
    pattern = re.compile(r"^(?P<patient>P\d+)-(?P<accession>\d+)")
    path = PurePath("2026/P7-123.png")
    found = address_of(
        PurePath("leukaemia") / path, pattern=pattern, checks={"leukaemia"}, default_check=""
    )
    assert (found.patient, found.accession) == ("P7", "123")


def test_the_topmost_folder_names_the_check_and_a_misspelt_one_is_not_guessed() -> None:
    def check_of(path: str, *, default: str = "malaria") -> str:
        return address_of(
            PurePath(path),
            pattern=PATTERN,
            checks={"leukaemia", "malaria"},
            default_check=default,
        ).check

    assert check_of("leukaemia/2026/11/1.png") == "leukaemia"
    assert check_of("1.png") == "malaria"
    with pytest.raises(UnknownCheck, match="no check 'leukemia'"):
        check_of("leukemia/1.png")
    with pytest.raises(UnknownCheck, match="No check was named"):
        check_of("1.png", default="")


@given(st.binary(min_size=1, max_size=255).map(os.fsdecode))
def test_every_name_gives_a_storable_one_and_an_address_or_a_sentence(name: str) -> None:
    plain(name).encode()
    assert plain(name).isprintable()
    try:
        address = address_of(
            PurePath("leukaemia", name.replace("/", "") or "x"),
            pattern=re.compile("(?P<accession>.*)"),
            checks={"leukaemia"},
            default_check="",
        )
    except FirstreadError:
        return
    assert len(address.accession) <= 64
    assert address.accession.isprintable()

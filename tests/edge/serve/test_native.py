"""`POST /read/{pack}`: what a laboratory's program sends, and what it is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from firstread.runtime import open_reader
from tests.images_for_tests import cell_png
from tests.serving_for_tests import Serving, serving


@pytest.fixture(scope="module")
def reader(shelf: Path) -> Iterator[Serving]:
    with serving("colour", "sizes", shelf=shelf) as running:
        yield running


def test_a_picture_is_answered_as_classify_answers_it(reader: Serving, shelf: Path) -> None:
    data = cell_png("red")
    answer = httpx.post(f"{reader.url}/read/colour", content=data)
    here = open_reader(shelf / "colour").read(data).read.as_answer()
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json() | {"ms": 0} == json.loads(json.dumps(here)) | {"ms": 0}


def test_bytes_that_are_no_picture_are_refused_in_a_sentence(reader: Serving) -> None:
    answer = httpx.post(f"{reader.url}/read/colour", content=b"%PDF-1.7")
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "a PDF" in answer.json()["detail"]


def test_an_unknown_pack_is_not_found(reader: Serving) -> None:
    answer = httpx.post(f"{reader.url}/read/nothing", content=cell_png())
    assert answer.status_code == 404
    assert "Packs here: colour, sizes" in answer.json()["detail"]

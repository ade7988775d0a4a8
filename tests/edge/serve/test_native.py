"""`POST /read/{pack}`: what a laboratory's program sends, and what it is told."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from firstread.domain.errors import ShortOfMemory
from firstread.edge.serve.problems import problem_of
from firstread.runtime import open_reader
from tests.dicom_for_tests import NAME, cell_dicom
from tests.images_for_tests import bomb_png, cell, cell_png, not_pictures, save
from tests.serving_for_tests import Serving, serving
from tests.workbooks_for_tests import workbook


@pytest.fixture(scope="module")
def reader(shelf: Path) -> Iterator[Serving]:
    with serving("colour", "sizes", shelf=shelf) as running:
        yield running


def post(reader: Serving, path: str, **given: Any) -> httpx.Response:
    return httpx.post(f"{reader.url}{path}", timeout=60, **given)


def is_problem(answer: httpx.Response, status: int) -> bool:
    said = answer.json()
    return (
        answer.status_code == status == said["status"]
        and answer.headers["Content-Type"] == "application/problem+json"
        and said["detail"].endswith(".")
    )


def without_ms(answer: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(answer)) | {"ms": 0}


def test_a_picture_is_answered_as_classify_answers_it(reader: Serving, shelf: Path) -> None:
    data = cell_png("red")
    answer = post(reader, "/read/colour", content=data)
    here = open_reader(shelf / "colour").read(data).read.as_answer()
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert without_ms(answer.json()) == without_ms(here)


def test_what_curl_calls_the_body_does_not_matter(reader: Serving) -> None:
    kinds = ("application/x-www-form-urlencoded", "image/jpeg", "application/octet-stream", "")
    for kind in kinds:
        answer = post(reader, "/read/colour", content=cell_png(), headers={"Content-Type": kind})
        assert answer.json()["label"] == "red", kind


def test_the_files_of_a_form_are_answered_in_their_order_with_reasons(reader: Serving) -> None:
    files = [
        ("file", ("b.png", cell_png("blue"))),
        ("file", ("note.txt", b"no picture at all")),
        ("other", ("r.png", cell_png("red"))),
    ]
    answer = post(reader, "/read/colour", files=files)
    assert answer.status_code == 200
    blue, note, red = answer.json()
    assert (blue["path"], blue["label"]) == ("b.png", "blue")
    assert (red["path"], red["label"]) == ("r.png", "red")
    assert set(note) == {"path", "error"}
    assert "text, not a picture" in note["error"]


def test_a_form_of_one_file_is_a_list_of_one(reader: Serving) -> None:
    answer = post(reader, "/read/colour", files={"file": ("r.png", cell_png())})
    assert [each["path"] for each in answer.json()] == ["r.png"]


@pytest.mark.parametrize(
    "table",
    [
        b"sep=;\naccession;size;shape;note\nA1;1,5;2;x\n1.00E+06;2;2;\n",
        "accession\tsize\tshape\tnote\nA1\t1,5\t2\tx\n1.00E+06\t2\t2\t\n".encode("utf-16"),
        workbook(["accession", "size", "shape", "note"], ["A1", 1.5, 2, "x"], ["1.00E+06", 2, 2]),
    ],
)
def test_a_table_is_read_row_by_row_and_what_was_left_out_is_told(
    reader: Serving, table: bytes
) -> None:
    alone = post(reader, "/read/sizes", json={"size": 1.5, "shape": 2}).json()
    for given in (
        {"content": table},
        {"content": table, "headers": {"Content-Type": "text/csv"}},
        {"files": [("file", ("table", table))]},
    ):
        answer = post(reader, "/read/sizes", **given)
        assert answer.status_code == 200, answer.text
        good, refused = answer.json()
        assert good["findings"] == alone["findings"]
        assert "a spreadsheet has changed it" in refused["error"]
        for each in (good, refused):
            assert "Left out, as no measurements of this check: note." in each["notes"]
        assert refused["line"] == good["line"] + 1


def test_measurements_come_as_an_object_or_a_list(reader: Serving) -> None:
    high = {"size": 9, "shape": 8, "nuclei": 10}
    one = post(reader, "/read/sizes", json=high)
    assert one.json()["label"] == "malignant"
    assert len(one.json()["contributions"]) == 3
    many = post(reader, "/read/sizes", json=[high, {"size": 1, "shape": 1}, {"size": "big"}])
    first, second, third = many.json()
    assert without_ms(first) == without_ms({"line": 1} | one.json())
    assert (second["line"], second["label"]) == (2, "benign")
    assert third["line"] == 3
    assert "must be a number" in third["error"]


def test_a_wrong_measurement_is_named(reader: Serving) -> None:
    answer = post(reader, "/read/sizes", json={"size": 11, "shape": 1})
    assert is_problem(answer, 422)
    assert answer.json()["field"] == "size"
    assert "between 1 and 10" in answer.json()["detail"]


def test_the_evidence_map_comes_on_request_in_the_proportions_of_the_sample(
    reader: Serving,
) -> None:
    wide = Image.new("RGB", (300, 100), (200, 190, 190))
    wide.paste(cell("red", side_px=100), (100, 0))
    answer = post(reader, "/read/colour?evidence=png", content=save(wide, "PNG")).json()
    assert answer["evidence"]["label"] == answer["label"] == "red"
    alpha = np.asarray(_picture(answer))[:, :, 3]
    assert alpha.shape == (171, 512)
    assert alpha[:, 180:330].max() > 100
    assert alpha[:, :160].max() == 0
    other = post(reader, "/read/colour?evidence=png&label=blue", content=save(wide, "PNG")).json()
    assert other["evidence"]["label"] == "blue"
    assert other["evidence"]["png"] != answer["evidence"]["png"]
    rows = post(reader, "/read/sizes?evidence=png", json={"size": 1, "shape": 1}).json()
    assert rows["evidence"] is None


def test_the_evidence_of_a_turned_photograph_lies_as_people_see_it(reader: Serving) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = save(cell(side_px=96).resize((96, 48)), "JPEG", exif=exif)
    answer = post(reader, "/read/colour?evidence=png", content=turned).json()
    assert _picture(answer).size == (256, 512)


def _picture(answer: dict[str, Any]) -> Image.Image:
    return Image.open(BytesIO(base64.b64decode(answer["evidence"]["png"])))


@pytest.mark.parametrize(
    ("query", "sentence"),
    [("evidence=jpg", "Ask for '?evidence=png'"), ("evidence=png&label=x", "red, green, blue")],
)
def test_a_wish_that_cannot_be_met_is_refused(reader: Serving, query: str, sentence: str) -> None:
    answer = post(reader, f"/read/colour?{query}", content=cell_png())
    assert is_problem(answer, 422)
    assert sentence in answer.json()["detail"]


def test_bytes_that_are_no_picture_are_refused_with_what_they_are(reader: Serving) -> None:
    for what, data in not_pictures().items():
        answer = post(reader, "/read/colour", content=data)
        assert is_problem(answer, 422), what
        if what not in ("empty", "cut off"):
            assert what in answer.json()["detail"]


@pytest.mark.parametrize(
    ("pack", "kind", "body", "status"),
    [
        ("colour", "application/json", b"{}", 415),
        ("sizes", "image/png", cell_png(), 415),
        ("sizes", "application/json", b"", 422),
        ("sizes", "application/json", b"[" * 100_000, 422),
        ("sizes", "application/json", b'{"a":' * 50_000, 422),
        ("sizes", "application/json", b'{"size": 1e999, "shape": 1}', 422),
        ("sizes", "application/json", b'{"size": NaN, "shape": 1}', 422),
        ("sizes", "application/json", b'{"size": ' + b"9" * 5000 + b', "shape": 1}', 422),
        ("sizes", "application/json", b'{"size": true, "shape": [1]}', 422),
        ("sizes", "application/json", b"[]", 422),
        ("sizes", "application/json", b"[1, 2]", 422),
        ("sizes", "application/json", b'"\xff\xfe"', 422),
        ("sizes", "application/json", b"[" + b"{}," * 20_000 + b"{}]", 413),
        ("colour", "image/png", bomb_png(), 422),
        ("colour", "multipart/form-data", b"--x\r\n", 400),
        ("colour", "multipart/form-data; boundary=x", b"--x--\r\n", 422),
        ("colour", "multipart/form-data; boundary=x", b"--x\r\n" + b"a" * 100_000, 400),
        ("colour", "multipart/form-data; boundary=x", b"--x\r\na: b\r\n\r\ncut of", 400),
        ("nothing", "image/png", cell_png(), 404),
        ("%2e%2e%2fcolour", "image/png", cell_png(), 404),
    ],
)
def test_hostile_bodies_are_refused_in_a_sentence(
    reader: Serving, pack: str, kind: str, body: bytes, status: int
) -> None:
    answer = post(reader, f"/read/{pack}", content=body, headers={"Content-Type": kind})
    assert is_problem(answer, status), answer.text
    assert post(reader, "/read/colour", content=cell_png()).status_code == 200


def test_a_compressed_body_is_refused(reader: Serving) -> None:
    packed = {"Content-Encoding": "gzip"}
    assert is_problem(post(reader, "/read/colour", content=cell_png(), headers=packed), 415)


def test_what_a_pack_is_can_be_asked(reader: Serving, shelf: Path) -> None:
    packs = httpx.get(f"{reader.url}/packs").json()
    assert [each["name"] for each in packs] == ["colour", "sizes"]
    assert packs[0]["labels"][0] == {"code": "red", "title": "Red cell", "positive": True}
    whole = httpx.get(f"{reader.url}/packs/sizes").json()
    assert [each["code"] for each in whole["measurements"]] == ["size", "shape", "nuclei"]
    assert whole["conformal"]["coverage"] == 0.95
    assert whole["pack_sha256"] == open_reader(shelf / "sizes").pack_sha256
    assert is_problem(httpx.get(f"{reader.url}/packs/none"), 404)


def test_an_unknown_address_or_method_says_what_there_is(reader: Serving) -> None:
    assert is_problem(httpx.get(f"{reader.url}/nothing"), 404)
    wrong = httpx.get(f"{reader.url}/read/colour")
    assert is_problem(wrong, 405)
    assert wrong.headers["Allow"] == "POST"
    head = httpx.head(f"{reader.url}/packs")
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["Content-Length"]) > 10


def test_a_dicom_picture_is_read_and_nothing_told_of_whose_it_is(reader: Serving) -> None:
    dicom, png = (
        post(reader, "/read/colour", content=data)
        for data in (cell_dicom("blue"), cell_png("blue"))
    )
    assert dicom.json()["findings"] == png.json()["findings"]
    assert NAME not in dicom.content


def test_where_memory_is_short_the_answer_says_when_to_come_again() -> None:
    answer = problem_of(ShortOfMemory("Send it again in 5 seconds.", again_in_s=4.2))
    assert (answer.status, answer.headers) == (503, {"Retry-After": "5"})

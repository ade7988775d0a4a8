"""Each client does on the wire what the clients of AllDS2020 do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.images_for_tests import as_png, blurred_png, cell, cell_png, save, yellow_png
from tests.packs_for_tests import make_pack
from tests.serving_for_tests import Serving, serving

OK = {"Positive": 1, "Negative": 0}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    """Test pictures as ALL-IDB names them, and what lies beside them."""
    folder = tmp_path_factory.mktemp("pictures")
    for number, colour in enumerate(("red", "green", "red", "blue"), start=1):
        truth = int(colour == "red")
        (folder / f"Im{number:03}_{truth}.jpg").write_bytes(
            save(cell(colour, seed=number), "JPEG", quality=95)
        )
    (folder / ".Im000_1.jpg").write_bytes(b"hidden")
    (folder / "labels.csv").write_text("path,label\n")
    (folder / "Im005_0.png").write_bytes(b"no picture")
    return folder


@pytest.fixture(scope="module")
def running(shelf: Path, pictures: Path) -> Iterator[Serving]:
    with serving("colour", shelf=shelf, options=("--vr-pictures", str(pictures))) as reader:
        yield reader


def raspberry_pi_client(running: Serving, folder: Path) -> dict[str, int]:
    """Sends each test picture again as a PNG, calls it image/jpeg, and counts by 'Diagnosis'."""
    counts = {"tp": 0, "fp": 0, "tn": 0, "fn": 0}
    for path in sorted(folder.glob("*.jpg")):
        if path.name.startswith("."):
            continue
        data = as_png(cell_of(path))
        answer = httpx.post(
            f"{running.url}/Inference", content=data, headers={"content-type": "image/jpeg"}
        )
        said = json.loads(answer.text)
        if said["Diagnosis"] == "Positive":
            counts["tp" if "_1." in path.name else "fp"] += 1
        elif said["Diagnosis"] == "Negative":
            counts["fn" if "_1." in path.name else "tn"] += 1
    return counts


def cell_of(path: Path):
    from PIL import Image

    return Image.open(path)


def hias_client(running: Serving, data: bytes) -> dict[str, object]:
    """PHP's curl: a form with one 'file', and the user of its own proxy in Authorization."""
    return httpx.post(
        f"{running.url}/Inference",
        files={"file": ("Im001_1.jpg", data, "image/jpeg")},
        auth=("user", "password"),
    ).json()


def vr_client(running: Serving, data: bytes) -> dict[str, object]:
    """Unity: a line end before the form, and the end of the form written by hand."""
    boundary = b"r8vWgSjyPmQhAfCzkVSfNx0qAiQ5iIgk5zvNhN9E"
    head = (
        b'Content-Disposition: form-data; name="file"; filename="Im001_1.jpg"\r\n'
        b"Content-Type: image/jpeg\r\n\r\n"
    )
    body = b"\r\n--" + boundary + b"\r\n" + head + data + b"\r\n--" + boundary + b"--"
    answer = httpx.post(
        f"{running.url}/Inference",
        content=body,
        headers={"Content-Type": f"multipart/form-data; boundary={boundary.decode()}"},
    )
    return json.loads(answer.content.decode("utf-8"))


def test_the_answer_has_the_servers_form(running):
    for colour, word in (("red", "Positive"), ("green", "Negative")):
        answer = httpx.post(f"{running.url}/Inference", content=cell_png(colour))
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        assert answer.json() == {
            "Response": "OK",
            "Message": word,
            "Classification": OK[word],
            "Diagnosis": word,
        }


def test_the_raspberry_pi_client_counts_as_it_did(running, pictures):
    assert raspberry_pi_client(running, pictures) == {"tp": 2, "fp": 0, "tn": 2, "fn": 0}


def test_the_hias_client_is_answered(running):
    jpeg = save(cell("red"), "JPEG", quality=95)
    assert hias_client(running, jpeg)["Diagnosis"] == "Positive"
    assert hias_client(running, cell_png("blue"))["Classification"] == 0


def test_the_vr_client_is_answered(running):
    jpeg = save(cell("red"), "JPEG", quality=95)
    assert vr_client(running, jpeg)["Diagnosis"] == "Positive"


def test_a_picture_reads_the_same_at_every_door(running):
    data = save(cell("green", seed=3), "JPEG", quality=95)
    bare = httpx.post(f"{running.url}/Inference", content=data).json()
    assert bare == hias_client(running, data) == vr_client(running, data)


@pytest.mark.parametrize("data", [blurred_png("red"), blurred_png("green"), yellow_png()])
def test_where_no_finding_stands_neither_word_is_said(running, data: bytes):
    answer = httpx.post(f"{running.url}/Inference", content=data)
    assert answer.status_code == 422
    assert "reads it unaided" in answer.json()["Message"]


def test_test_pictures_are_numbered_from_one_by_name(running):
    def classify(number: int) -> httpx.Response:
        return httpx.post(f"{running.url}/VRInference/{number}")

    said = [classify(number).json()["Message"] for number in (1, 2, 3, 4)]
    assert said == ["Positive", "Negative", "Positive", "Negative"]
    assert classify(5).status_code == 422  # bytes that are no picture have their number, too
    assert classify(5).json()["Response"] == "FAILED"


@pytest.mark.parametrize(
    "number", ["0", "6", "-1", "1.0", "one", "²", "99999999999999999999", "%2e%2e"]
)
def test_a_number_without_a_picture_is_refused_in_the_servers_form(running, number):
    answer = httpx.post(f"{running.url}/VRInference/{number}")
    assert answer.status_code in (400, 404)
    assert set(answer.json()) == {"Response", "Message"}
    assert answer.json()["Response"] == "FAILED"


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (422, b"", {}),
        (422, b"%PDF-1.7", {"content-type": "image/jpeg"}),
        (422, cell_png()[:900], {}),
        (400, b"no form", {"content-type": "multipart/form-data; boundary=x"}),
        (400, b"", {"content-type": "multipart/form-data"}),
    ],
)
def test_what_cannot_be_read_is_refused_in_the_servers_form(running, status, body, headers):
    answer = httpx.post(f"{running.url}/Inference", content=body, headers=headers)
    assert answer.status_code == status
    assert answer.json()["Response"] == "FAILED"
    assert answer.json()["Message"].endswith(".")


def test_a_form_without_the_file_is_refused(running):
    answer = httpx.post(f"{running.url}/Inference", files={"image": ("a.png", cell_png())})
    assert answer.status_code == 400
    assert "'file'" in answer.json()["Message"]


def test_a_picture_that_no_model_may_read_is_never_called_negative(running):
    answer = httpx.post(f"{running.url}/Inference", content=blurred_png("green"))
    assert answer.status_code == 422
    assert "blurred" in answer.json()["Message"]


def test_a_body_too_large_is_refused_in_the_servers_form(shelf):
    with serving("colour", shelf=shelf, options=("--max-body-mb", "1")) as running:
        answer = httpx.post(f"{running.url}/Inference", content=bytes(2 << 20))
    assert answer.status_code == 413
    assert answer.json()["Response"] == "FAILED"


def test_of_several_packs_the_default_one_classifies(shelf, tmp_path):
    other = make_pack(tmp_path, name="other")
    with serving("sizes", str(other), shelf=shelf) as running:
        answer = httpx.post(f"{running.url}/Inference", content=cell_png("red"))
        assert answer.status_code == 400
        assert "--default-pack" in answer.json()["Message"]
        assert httpx.post(f"{running.url}/VRInference/1").status_code == 404
    options = ("--default-pack", "other")
    with serving("sizes", str(other), shelf=shelf, options=options) as running:
        answer = httpx.post(f"{running.url}/Inference", content=cell_png("red"))
        assert answer.json()["Message"] == "Positive"


def test_a_default_pack_that_is_not_there_keeps_the_reader_from_starting(shelf):
    with (
        pytest.raises(AssertionError, match="The default pack 'nobody' is none of this reader's"),
        serving("colour", shelf=shelf, options=("--default-pack", "nobody")),
    ):
        pass

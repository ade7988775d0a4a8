"""A program puts samples in, follows the case, answers and amends it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from django.core.files.storage import storages
from django.db import connection
from django.test import Client

from firstread.clinic.models import (
    AuditRow,
    Case,
    CaseSample,
    Check,
    IdempotencyKey,
    Person,
    RefusedSample,
    Review,
)
from firstread.decoding.budget import BUDGET
from tests.dicom_for_tests import NAME, dicom
from tests.images_for_tests import cell, save
from tests.programs_for_tests import Program, png

Make = Callable[..., Program]
ROW = {"size": 9, "shape": 8, "nuclei": None}


def test_a_sample_is_put_in_read_answered_and_amended(
    program: Make, read_all: Callable[[], None]
) -> None:
    Check.objects.update(readers=1)
    lab, ana = program(), program("specialist")
    made = lab.put_in(png(), png("green", seed=2), check="leukaemia", accession="865102")
    assert made.status_code == 201
    body = made.json()
    assert (body["created"], body["added"], body["case"]["state"]) == (True, 2, "received")
    path = made["Location"].removeprefix("/api/v1")
    read_all()
    seen = lab("GET", path).json()
    assert seen["state"] == "read"
    assert seen["priority"] == "stat"
    assert seen["finding"] == "red"
    assert [each["read"]["label"] for each in seen["reads"]] == ["red", "green"]
    assert {share["label"]: share["count"] for share in seen["differential"]}["red"] == 1
    assert not seen["may_answer"]
    answered = ana("POST", f"{path}/reviews", {"label": "red"})
    assert answered.status_code == 200
    assert answered.json()["state"] == "signed_off"
    amended = ana("POST", f"{path}/amendments", {"label": "green", "comment": "Stain."}).json()
    assert amended["state"] == "amended"
    assert [each["label"] for each in amended["sign_offs"]] == ["red", "green"]
    assert "amend" in amended["history"][-1]["sentence"]


def test_what_was_chosen_of_a_file_stands_with_its_read_and_on_its_page(
    program: Make, read_all: Callable[[], None]
) -> None:
    pages = [cell("red"), cell("blue")]
    file = BytesIO(save(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    file.name = "two.tif"
    lab = program()
    made = lab.put_in(file, png(seed=2), check="leukaemia", accession="865103")
    read_all()
    seen = lab("GET", made["Location"].removeprefix("/api/v1")).json()
    assert seen["reads"][0]["read"]["notes"] == ["Page 1 of 2 was read."]
    assert "notes" not in seen["reads"][1]["read"]
    browser = Client()
    person = Person.objects.get(username__startswith="technician")
    browser.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    shown = browser.get(f"/cases/{made.json()['case']['id']}?cell=1")
    assert b"Page 1 of 2 was read." in shown.content


def test_the_same_samples_again_make_nothing(program: Make) -> None:
    lab = program()
    first = lab.put_in(png(), check="leukaemia", accession="A1")
    again = lab.put_in(png(), check="leukaemia", accession="A1")
    more = lab.put_in(png(seed=2), check="leukaemia", accession="A1")
    assert [first.status_code, again.status_code, more.status_code] == [201, 200, 200]
    assert [r.json()["added"] for r in (first, again, more)] == [1, 0, 1]
    assert len({r.json()["case"]["id"] for r in (first, again, more)}) == 1


def test_a_row_of_measurements_is_put_in_as_json(
    program: Make, read_all: Callable[[], None]
) -> None:
    lab = program()
    sent = {"check": "breast-cytology", "accession": "B7", "measurements": ROW}
    made = lab("POST", "/cases", sent)
    assert made.status_code == 201
    read_all()
    seen = lab("GET", f"/cases/{made.json()['case']['id']}").json()
    assert seen["finding"] == "malignant"
    assert seen["reads"][0]["read"]["contributions"][0]["measurement"] == "size"


@pytest.mark.parametrize("value", [11, "x", True])
def test_a_wrong_measurement_is_refused_by_its_name(program: Make, value: object) -> None:
    sent = {"check": "breast-cytology", "measurements": {**ROW, "shape": value}}
    refused = program()("POST", "/cases", sent)
    assert refused.status_code == 422
    assert "shape" in refused.content.decode()


@pytest.mark.parametrize(
    "body",
    [
        b'{"check": "breast-cytology", "measurements": {"size": NaN}}',
        b'{"check": "breast-cytology", "measurements": {"size": Infinity}}',
        b'{"check": "breast-cytology", "measurements": {"size": 1, "size": 9}}',
        b'{"check": "breast-cytology", "measurements": {"size": 1',
        b'{"check": "\\ud800", "measurements": {"size": 1}}',
        b"[" * 100_000,
        b'{"a": ' + b"9" * 5000 + b"}",
        b"\xff\xfe",
        b" ",
    ],
)
def test_json_that_is_none_is_refused(program: Make, body: bytes) -> None:
    refused = program()("POST", "/cases", data=body, content_type="application/json")
    assert refused.status_code == 400
    assert refused["Content-Type"] == "application/problem+json"


def test_a_number_beyond_every_float_is_refused(program: Make) -> None:
    body = b'{"check": "breast-cytology", "measurements": {"size": 1e999}}'
    refused = program()("POST", "/cases", data=body, content_type="application/json")
    assert refused.status_code == 422


def test_what_is_no_picture_is_refused_and_kept(program: Make) -> None:
    file = BytesIO(b"%PDF-1.7")
    file.name = "report.pdf"
    refused = program().put_in(file, check="leukaemia")
    assert refused.status_code == 422
    problem = refused.json()
    assert problem["type"] == "firstread:UnreadableSample"
    assert "PDF" in problem["detail"]
    assert problem["instance"] == "/api/v1/cases"
    assert RefusedSample.objects.get().original_name == "report.pdf"
    assert not Case.objects.exists()


def test_of_several_samples_the_bad_one_alone_is_refused(program: Make) -> None:
    bad = BytesIO(b"nothing")
    bad.name = "bad.png"
    made = program().put_in(png(), bad, check="leukaemia", accession="A1")
    assert made.status_code == 201
    assert [each["name"] for each in made.json()["refused"]] == ["bad.png"]


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"check": "nothing-like-it"}, "nothing-like-it"),
        ({"check": "leukaemia", "accession": "x" * 65}, "accession"),
        ({"check": "leukaemia", "accession": "a\nb"}, "accession"),
        ({"check": "leukaemia", "acession": "A1"}, "acession"),
        ({"accession": "A1"}, "check"),
    ],
)
def test_wrong_fields_are_named(program: Make, fields: dict[str, str], where: str) -> None:
    refused = program().put_in(png(), **fields)
    assert refused.status_code == 422
    assert where in refused.json()["detail"]


def test_a_form_without_samples_and_other_media_types_are_refused(program: Make) -> None:
    lab = program()
    assert lab.put_in(check="leukaemia").status_code == 422
    plain = lab("POST", "/cases", data=b"hello", content_type="text/plain")
    assert plain.status_code == 415
    broken = lab("POST", "/cases", data=b"--x\r\n", content_type="multipart/form-data; boundary=x")
    assert broken.status_code in (400, 422)
    nameless = lab("POST", "/cases", data=b"--x", content_type="multipart/form-data")
    assert nameless.status_code == 400


def test_too_large_and_too_many_are_refused(program: Make, settings: object) -> None:
    lab = program()
    huge = b'{"check": "' + b"x" * 5_000_000 + b'"}'
    refused = lab("POST", "/cases", data=huge, content_type="application/json")
    assert refused.status_code == 413
    settings.DATA_UPLOAD_MAX_NUMBER_FILES = 2  # type: ignore[attr-defined]
    many = lab.put_in(*[png(seed=n) for n in range(3)], check="leukaemia")
    assert many.status_code == 413
    assert "At most 2" in many.json()["detail"]


def test_a_list_pages_through_every_case_once_while_more_come_in(program: Make) -> None:
    lab = program()
    for number in range(5):
        lab.put_in(png(seed=number), check="leukaemia", accession=f"A{number}")
    first = lab("GET", "/cases?limit=2").json()
    lab.put_in(png(seed=9), check="leukaemia", accession="A9")
    seen, following = [c["accession"] for c in first["cases"]], first["next"]
    while following:
        page = lab("GET", f"/cases?limit=2&cursor={following}").json()
        seen += [c["accession"] for c in page["cases"]]
        following = page["next"]
    assert seen == ["A4", "A3", "A2", "A1", "A0"]


def test_a_list_is_filtered_and_an_accession_found_without_standing_in_an_address(
    program: Make,
) -> None:
    lab = program()
    lab.put_in(png(), check="leukaemia", accession="A1")
    lab("POST", "/cases", {"check": "breast-cytology", "accession": "B1", "measurements": ROW})
    assert len(lab("GET", "/cases?check=leukaemia&state=received").json()["cases"]) == 1
    assert lab("GET", "/cases?state=read").json()["cases"] == []
    found = lab("POST", "/cases/search", {"accession": "B1"}).json()["cases"]
    assert [case["check"] for case in found] == ["breast-cytology"]


def test_a_search_pages_through_every_case_of_the_accession(program: Make) -> None:
    Check.objects.update(many=False)  # then each sample makes a part of its own
    lab = program()
    for number in range(3):
        lab.put_in(png(seed=number), check="leukaemia", accession="A1")
    asked = {"accession": "A1", "limit": 2}
    first = lab("POST", "/cases/search", asked).json()
    rest = lab("POST", "/cases/search", asked | {"cursor": first["next"]}).json()
    assert [case["part"] for case in first["cases"] + rest["cases"]] == [3, 2, 1]
    assert rest["next"] is None
    for wrong in ({"cursor": "made up"}, {"limit": 0}, {"limit": 201}):
        assert lab("POST", "/cases/search", asked | wrong).status_code == 422


def test_an_accession_that_is_too_long_is_to_be_shortened(program: Make) -> None:
    lab, long = program(), "8" * 65
    sentence = "The accession must be one line of at most 64 characters. Shorten it."
    row = {"check": "breast-cytology", "accession": long, "measurements": ROW}
    for refused in (
        lab.put_in(png(), check="leukaemia", accession=long),
        lab("POST", "/cases", row),
        lab("POST", "/cases/search", {"accession": long}),
    ):
        assert refused.status_code == 422
        assert refused.json()["detail"] == sentence


@pytest.mark.parametrize(
    "query", ["state=gone", "limit=0", "limit=x", "cursor=abc", "cursor=%00", "limit=1&limit=2"]
)
def test_a_wrong_question_is_refused(program: Make, query: str) -> None:
    assert program()("GET", f"/cases?{query}").status_code == 422


def test_the_second_reader_does_not_see_the_first_ones_answer(
    program: Make, read_all: Callable[[], None]
) -> None:
    made = program().put_in(png(), check="leukaemia", accession="A1").json()["case"]["id"]
    read_all()
    ana, bo = program("specialist", name="ana"), program("specialist", name="bo")
    mine = ana("POST", f"/cases/{made}/reviews", {"label": "green"}).json()
    assert [each["by"] for each in mine["reviews"]] == ["ana"]
    theirs = bo("GET", f"/cases/{made}").json()
    assert theirs["answers"] == 1
    assert theirs["reviews"] == []
    assert "green" not in str(theirs["history"])


def test_a_key_makes_the_same_request_count_once(program: Make) -> None:
    lab = program()
    first = lab.put_in(png(), check="leukaemia", accession="A1", key="k1")
    again = lab.put_in(png(), check="leukaemia", accession="A1", key="k1")
    assert [first.status_code, again.status_code] == [201, 201]
    assert first.json() == again.json()
    other = lab.put_in(png(seed=2), check="leukaemia", accession="A1", key="k1")
    assert other.status_code == 409
    assert other.json()["type"] == "firstread:ConflictingRequest"
    assert program(name="other").put_in(png(), check="leukaemia", key="k1").status_code == 200


def test_a_refused_request_leaves_its_key_free(program: Make) -> None:
    lab = program()
    assert lab.put_in(BytesIO(b"x"), check="leukaemia", key="k1").status_code == 422
    assert lab.put_in(png(), check="leukaemia", key="k1").status_code == 201


def test_a_claim_of_a_process_that_died_is_worked_on_again(program: Make) -> None:
    lab = program()
    first = lab.put_in(png(), check="leukaemia", key="k1")
    IdempotencyKey.objects.update(status=0, body={})
    again = lab.put_in(png(), check="leukaemia", key="k1")
    assert again.status_code == 200
    assert again.json()["case"]["id"] == first.json()["case"]["id"]


@pytest.mark.parametrize("key", ["x" * 201, "ü"])
def test_a_key_that_is_none_is_refused(program: Make, key: str) -> None:
    assert program().put_in(png(), check="leukaemia", key=key).status_code == 400


def test_an_answer_with_a_key_is_given_once_and_read_back(
    program: Make, read_all: Callable[[], None]
) -> None:
    made = program().put_in(png(), check="leukaemia", accession="A1").json()["case"]["id"]
    read_all()
    ana = program("specialist")
    first, again = (
        ana("POST", f"/cases/{made}/reviews", {"label": "red"}, headers={"Idempotency-Key": "r"})
        for _ in range(2)
    )
    assert first.json() == again.json()
    assert Review.objects.count() == 1
    changed = ana(
        "POST", f"/cases/{made}/reviews", {"label": "blue"}, headers={"Idempotency-Key": "r"}
    )
    assert changed.status_code == 409


def test_the_same_request_from_many_threads_makes_one_case_and_one_answer(program: Make) -> None:
    lab = program()
    bodies: list[object] = []

    def send() -> None:
        try:
            caller = Program(secret=lab.secret, http=Client())
            answer = caller.put_in(png(), check="leukaemia", accession="A1", key="k1")
            bodies.append((answer.status_code, answer.json()))
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(bodies) == 6
    assert all(body == bodies[0] for body in bodies)
    assert Case.objects.count() == 1
    assert AuditRow.objects.filter(action="received").count() == 1


def test_checks_and_packs_are_listed(program: Make) -> None:
    lab = program()
    checks = {each["name"]: each for each in lab("GET", "/checks").json()["checks"]}
    assert [each["code"] for each in checks["leukaemia"]["labels"]] == ["red", "green", "blue"]
    assert checks["breast-cytology"]["measurements"][2]["may_be_missing"]
    packs = {each["name"] for each in lab("GET", "/packs").json()["packs"]}
    assert packs >= {"colour", "sizes"}


def test_a_store_that_cannot_be_written_is_said_and_the_same_request_works_later(
    program: Make,
) -> None:
    lab = program()
    folder = Path(storages["samples"].path(""))
    aside = folder.with_name("aside")
    folder.mkdir(exist_ok=True)
    folder.rename(aside)
    folder.write_bytes(b"no folder")
    try:
        answer = lab.put_in(png(seed=77), key="k", check="leukaemia", accession="1")
    finally:
        folder.unlink()
        aside.rename(folder)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert answer["Content-Type"] == "application/problem+json"
    assert "no space left" in answer.json()["detail"]
    assert not Case.objects.exists()
    again = lab.put_in(png(seed=77), key="k", check="leukaemia", accession="1")
    assert again.status_code == 201


def test_a_dicom_picture_is_put_in_read_and_shown_without_whose_it_is(
    program: Make, read_all: Callable[[], None]
) -> None:
    frames = np.stack([np.asarray(cell("red")), np.asarray(cell("blue"))])
    file = BytesIO(dicom(frames, NumberOfFrames=2))
    file.name = "cell.dcm"
    lab = program()
    made = lab.put_in(file, check="leukaemia", accession="D1")
    assert made.status_code == 201
    read_all()
    seen = lab("GET", made["Location"].removeprefix("/api/v1")).json()
    assert (seen["state"], seen["finding"]) == ("read", "red")
    assert seen["reads"][0]["read"]["notes"] == ["Frame 1 of 2 was read."]
    browser = Client()
    person = Person.objects.get(username__startswith="technician")
    browser.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    for form in ("image", "thumbnail"):
        shown = browser.get(f"/samples/{CaseSample.objects.get().pk}/{form}")
        assert shown["Content-Type"] == "image/webp"
        assert NAME not in shown.content
    page = browser.get(f"/cases/{made.json()['case']['id']}").content
    assert NAME not in page


def test_where_memory_is_short_a_sample_is_told_to_come_again(program: Make) -> None:
    lab, patience_s = program(), BUDGET.patience_s
    BUDGET.patience_s = 0.01
    try:
        with BUDGET.taken(BUDGET.total_bytes):
            later = lab.put_in(png(), check="leukaemia", accession="A9")
    finally:
        BUDGET.patience_s = patience_s
    assert (later.status_code, later["Retry-After"]) == (503, "5")
    assert "too little memory" in later.json()["detail"]
    assert not RefusedSample.objects.exists()
    assert lab.put_in(png(), check="leukaemia", accession="A9").status_code == 201

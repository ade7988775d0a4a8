"""Every page as every role and as nobody: who may open what."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import URLPattern, reverse
from django.utils.html import strip_tags
from msgspec.structs import replace

from firstread.clinic.models import Case, Person, Review
from firstread.clinic.web.urls import urlpatterns
from firstread.server import demo
from tests.clinic_for_tests import PASSWORD, Clinic, put_in, read_all, read_case, ten_seconds_pass
from tests.images_for_tests import cell_png

ROLES = ("tech", "ana", "chief", "operator")
EVERYBODY = dict.fromkeys(ROLES, 200)
OPERATOR = dict.fromkeys(ROLES, 403) | {"operator": 200}
SAVED_BY_OPERATOR = dict.fromkeys(ROLES, 403) | {"operator": 302}

GET = {
    "worklist": EVERYBODY,
    "case": EVERYBODY,
    "case-stamp": EVERYBODY,
    "correct": EVERYBODY,
    "image": EVERYBODY,
    "thumbnail": EVERYBODY,
    "evidence": EVERYBODY,
    "put-in": EVERYBODY,
    "outbox": EVERYBODY,
    "people": OPERATOR,
    "checks": EVERYBODY,
    "packs": EVERYBODY,
    "pack": EVERYBODY,
    "audit": OPERATOR,
    "condition": OPERATOR,
}
POST = {
    "search": dict.fromkeys(ROLES, 302),
    "answer": dict.fromkeys(ROLES, 302),  # a refusal is a message on the case page
    "amend": dict.fromkeys(ROLES, 302),
    "reread": dict.fromkeys(ROLES, 302),
    "take-back": dict.fromkeys(ROLES, 302),
    "withdraw": dict.fromkeys(ROLES, 422),  # without a word that says why
    "reinstate": dict.fromkeys(ROLES, 302),  # it stands already
    "put-in": dict.fromkeys(ROLES, 422),  # nothing was sent, so a sentence comes back
    "people": dict.fromkeys(ROLES, 403) | {"operator": 422},
    "person": SAVED_BY_OPERATOR,
    "check": SAVED_BY_OPERATOR,
    "audit": OPERATOR,
    "resend": dict.fromkeys(ROLES, 403) | {"operator": 409},  # no mail server is set up
    "sign-out": dict.fromkeys(ROLES, 302),
}
FOR_ALL = {"sign-in"}
ELSEWHERE = {"events", "pack-picture", "tile", "beats", "stretches"}  # tests of their own
PARAMETERS = {
    "answer": {"label": "red"},
    "person": {"role": "technician"},
    "check": {"readers": "2"},
}


@pytest.fixture
def case(clinic: Clinic) -> Case:
    return read_case("red", accession="R-1")


def _address(name: str, case: Case) -> str:
    sample = case.samples.first()
    assert sample is not None
    person = Person.objects.get(username="tech")
    return reverse(
        name,
        args={
            "case": [case.pk],
            "case-stamp": [case.pk],
            "answer": [case.pk],
            "amend": [case.pk],
            "correct": [case.pk],
            "reread": [case.pk],
            "take-back": [case.pk],
            "withdraw": [case.pk],
            "reinstate": [case.pk],
            "image": [sample.pk],
            "thumbnail": [sample.pk],
            "evidence": [sample.pk, 0],
            "person": [person.pk],
            "check": ["leukaemia"],
            "pack": ["colour"],
            "resend": [case.outgoing.values_list("pk", flat=True)[:1].get()],
        }.get(name, []),
    )


def _names() -> Iterator[str]:
    for pattern in urlpatterns:
        assert isinstance(pattern, URLPattern)
        yield pattern.name or ""


def test_every_page_stands_in_this_walk() -> None:
    assert set(_names()) == {*GET, *POST, *FOR_ALL, *ELSEWHERE}


@pytest.mark.parametrize("name", sorted(GET))
def test_who_may_look_at(name: str, case: Case, client: Client) -> None:
    address = _address(name, case)
    assert client.get(address)["Location"].startswith("/sign-in?next=")
    for role, status in GET[name].items():
        client.force_login(Person.objects.get(username=role))
        assert client.get(address).status_code == status, role


@pytest.mark.parametrize("name", sorted(POST))
def test_who_may_change_through(name: str, case: Case, client: Client) -> None:
    address = _address(name, case)
    if name != "sign-out":
        assert client.post(address)["Location"].startswith("/sign-in?next=")
    for role, status in POST[name].items():
        client.force_login(Person.objects.get(username=role))
        assert client.post(address, PARAMETERS.get(name, {})).status_code == status, role
    answered = set(Review.objects.values_list("by__username", flat=True))
    assert answered == ({"ana", "chief"} if name == "answer" else set())


@pytest.mark.parametrize("name", sorted(set(POST) - set(GET) - {"sign-out"}))
def test_opening_an_address_that_changes_is_refused(name: str, case: Case, client: Client) -> None:
    client.force_login(Person.objects.get(username="operator"))
    assert client.get(_address(name, case)).status_code == 405


def test_a_post_without_its_token_changes_nothing(case: Case) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(Person.objects.get(username="ana"))
    answered = strict.post(_address("answer", case), {"label": "red"})
    assert answered.status_code == 403
    assert b"Nothing was changed" in answered.content
    assert not Review.objects.exists()


def test_no_page_runs_inline_scripts_or_is_kept_by_a_shared_computer(
    case: Case, client: Client
) -> None:
    client.force_login(Person.objects.get(username="operator"))
    for name in GET:
        response = client.get(_address(name, case))
        policy = response["Content-Security-Policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        text = response.content.decode(errors="replace")
        assert not re.search(r"<style| style=| on[a-z]+=", text)
        kept = response["Cache-Control"]
        assert (
            "private" in kept
            if response["Content-Type"].startswith("image/")
            else kept == "no-store"
        )


def test_a_pack_begins_with_what_its_alarm_rests_on(case: Case, client: Client) -> None:
    client.force_login(Person.objects.get(username="ana"))
    text = " ".join(strip_tags(client.get("/packs").content.decode()).split())
    fundus = text[text.index("Fundus photograph") :]
    first, second = fundus.index("Accuracy"), fundus.index("AUC of referable retinopathy")
    assert first < second < fundus.index("Balanced accuracy")
    assert "among" not in fundus[first:second]
    heartbeat = text[text.index("Heartbeats of an ECG") :]
    assert heartbeat.index("Beats named S") < heartbeat.index("Beats named V")
    assert "Accuracy" not in heartbeat[: heartbeat.index("Beats found")]


def test_only_the_pictures_of_a_card_are_served(case: Case, client: Client) -> None:
    client.force_login(Person.objects.get(username="ana"))
    for file in ("model.onnx", "pack.toml", "card.md", "..%2Fsizes", "none.png"):
        assert client.get(f"/packs/colour/{file}").status_code == 404


def test_the_stream_of_news_is_for_people_who_signed_in(client: Client) -> None:
    assert client.get("/events").status_code == 204


def test_too_many_wrong_passwords_are_met_with_a_pause(clinic: Clinic, client: Client) -> None:
    wrong = {"username": "ana", "password": "wrong"}
    statuses = [client.post("/sign-in", wrong).status_code for _ in range(9)]
    assert statuses[0] == 200
    assert statuses[-1] == 429
    right = {"username": "ana", "password": PASSWORD}
    assert client.post("/sign-in", right).status_code == 429
    assert b"a quarter of an hour" in client.post("/sign-in", right).content


def test_the_demo_password_is_shown_in_the_demo_only(clinic: Clinic, client: Client) -> None:
    assert b"firstread-demo" not in client.get("/sign-in").content


def test_whom_the_demo_offers_at_sign_in_can_sign_in(
    db: None, client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.FIRSTREAD = replace(settings.FIRSTREAD, demo=True)
    monkeypatch.setattr(demo, "PLANS", ())
    demo.furnish(lambda _said: None)
    page = client.get("/sign-in").content.decode()
    offered = re.findall(r'data-fill="(\w+)" data-password="([\w-]+)"', page)
    assert len(offered) == 5
    for name, password in offered:
        went = Client().post("/sign-in", {"username": name, "password": password})
        assert (went.status_code, went["Location"]) == (302, "/")


def test_a_second_specialist_finds_no_trace_of_the_first_answer(
    clinic: Clinic, client: Client
) -> None:
    case = read_case("green", accession="B-1")
    client.force_login(clinic.ana)
    client.post(f"/cases/{case.pk}/answer", {"label": "other", "comment": "Looks odd to me."})
    client.force_login(clinic.bo)
    page = client.get(f"/cases/{case.pk}").content.decode()
    assert "One specialist has answered" in page
    assert "Looks odd to me" not in page
    assert "differs" not in page


def test_the_search_keeps_an_accession_out_of_the_address(clinic: Clinic, client: Client) -> None:
    read_case("red", accession="FIND-ME")
    read_case("green", accession="OTHER-ONE", seed=5)
    client.force_login(clinic.ana)
    went = client.post("/search", {"text": "find-me", "back": "check=leukaemia&page=3"})
    assert re.fullmatch(r"/\?check=leukaemia&found=[0-9a-f]{8}", went["Location"])
    page = client.get(went["Location"]).content.decode()
    assert "FIND-ME" in page
    assert "OTHER-ONE" not in page


def test_a_worklist_of_many_cases_asks_the_database_as_often_as_of_few(
    clinic: Clinic, client: Client, django_assert_max_num_queries
) -> None:
    for number in range(12):
        read_case("red", "green", accession=f"N-{number}", seed=10 * number)
    client.force_login(clinic.ana)
    with django_assert_max_num_queries(30):
        assert client.get("/").content.decode().count('class="case-row') == 12


def test_each_file_gets_its_own_result(clinic: Clinic, client: Client, settings: Any) -> None:
    server = replace(settings.FIRSTREAD.server, upload_mb=1)
    settings.FIRSTREAD = replace(settings.FIRSTREAD, server=server)
    client.force_login(clinic.tech)
    contents = (cell_png("red"), cell_png("blue") + bytes(2**20), b"no picture", cell_png("green"))
    samples = [SimpleUploadedFile("image.png", data) for data in contents]
    sent = {"check": "leukaemia", "accession": "A-1", "together": "one", "sample": samples}
    results = client.post("/put-in", sent, headers={"Accept": "application/json"}).json()["results"]
    assert [each["error"] for each in results] == [False, True, True, False]
    assert "larger than 1 MB" in results[1]["says"]
    assert {results[0]["accession"], results[3]["accession"]} == {"A-1"}
    assert Case.objects.get().samples.count() == 2


def test_who_agreed_reads_on_the_page_whom_to_ask(clinic: Clinic, client: Client) -> None:
    case = read_case("red")
    for person in (clinic.ana, clinic.bo):
        client.force_login(person)
        client.post(f"/cases/{case.pk}/answer", {"label": "red"})
    ten_seconds_pass()
    assert "Ask the chief to amend it." in client.get(f"/cases/{case.pk}").content.decode()
    client.force_login(clinic.chief)
    assert "Amend this decision" in client.get(f"/cases/{case.pk}").content.decode()


def test_a_page_from_before_the_case_got_more_samples_signs_nothing(
    clinic: Clinic, client: Client
) -> None:
    case = read_case("green", accession="77")
    client.force_login(clinic.ana)
    address = f"/cases/{case.pk}"
    shown = re.search(r'name="read_at" value="([^"]+)"', client.get(address).content.decode())
    assert shown is not None
    put_in("red", accession="77", seed=9)
    read_all()
    old = {"agree": "green", "read_at": shown[1]}
    again = client.post(f"{address}/answer", old, follow=True).content.decode()
    assert "The case was read anew meanwhile" in again
    assert not case.reviews.exists()
    for hostile in ("2026-13-01T00:00", "2026-11-29T14:00:00", "\0", "never"):
        said = client.post(f"{address}/answer", {"label": "none", "read_at": hostile}, follow=True)
        assert said.status_code == 200

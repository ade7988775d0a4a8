"""The client sends what it is given once, and says what the server says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from firstread.client import Client
from firstread.clinic.models import AuditRow, Case, Review
from firstread.domain.errors import (
    BadConfiguration,
    BadMeasurement,
    NotAllowed,
    UnknownCase,
    UnknownCheck,
    Unreachable,
    UnreadableSample,
    WrongState,
)
from tests.images_for_tests import cell_png
from tests.programs_for_tests import make_program, read_all_cases

PNG = ("1.png", cell_png())


class Flaky(httpx.BaseTransport):
    """The first requests arrive and their answers are lost, as on a bad network."""

    def __init__(self, lost: int) -> None:
        self._inner = httpx.HTTPTransport()
        self.lost = lost

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._inner.handle_request(request)
        if self.lost:
            self.lost -= 1
            response.read()
            raise httpx.ReadError("the network went away")
        return response

    def close(self) -> None:
        self._inner.close()


@pytest.fixture
def client(server: str) -> Iterator[Callable[..., Client]]:
    made: list[Client] = []

    def make(role: str = "technician", *, lost: int = 0, tries: int = 6) -> Client:
        secret = make_program(role).secret
        made.append(
            Client(server, secret, transport=Flaky(lost), sleep=lambda _: None, tries=tries)
        )
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_samples_are_put_in_looked_at_answered_and_amended(
    client: Callable[..., Client], tmp_path: Path
) -> None:
    file = tmp_path / "2.png"
    file.write_bytes(cell_png("green", seed=2))
    lab, chief = client(), client("chief")
    done = lab.submit([PNG, file], check="leukaemia", accession="A1", patient="P1")
    assert (done.created, done.added, done.state) == (True, 2, "received")
    read_all_cases()
    case = lab.case(done.case_id)
    assert (case["patient"], case["finding"]) == ("P1", "red")
    assert [each["id"] for each in lab.find("A1")] == [done.case_id]
    assert [each["name"] for each in lab.checks()] == ["breast-cytology", "leukaemia"]
    assert "colour" in {each["name"] for each in lab.packs()}
    assert chief.review(done.case_id, label="red")["state"] == "signed_off"
    amended = chief.amend(done.case_id, label="green", comment="Stain.")
    assert amended["state"] == "amended"


def test_a_lost_answer_is_asked_for_again_and_counts_once(client: Callable[..., Client]) -> None:
    lab = client(lost=2)
    done = lab.submit([PNG], check="leukaemia", accession="A1")
    assert (done.created, done.added) == (True, 1)
    assert Case.objects.count() == 1
    read_all_cases()
    chief = client("chief", lost=2)
    chief.review(done.case_id, label="red")
    chief = client("chief", lost=2)
    chief.amend(done.case_id, label="green", comment="Stain.")
    assert Review.objects.count() == 1
    assert AuditRow.objects.filter(action="amended").count() == 1


def test_a_server_that_never_answers_is_said_to_be_unreachable(
    client: Callable[..., Client],
) -> None:
    with pytest.raises(Unreachable, match="nothing is received twice"):
        client(lost=3, tries=3).submit([PNG], check="leukaemia", accession="A1")


def test_a_busy_server_is_given_the_pause_that_it_asks_for() -> None:
    pauses: list[float] = []
    answers = [httpx.Response(429, headers={"Retry-After": "7"}), httpx.Response(503)]

    def busy(request: httpx.Request) -> httpx.Response:
        return answers.pop(0) if answers else httpx.Response(200, json={"checks": []})

    client = Client(
        "http://x.example", "t", transport=httpx.MockTransport(busy), sleep=pauses.append
    )
    assert client.checks() == []
    assert pauses == [7.0, 1.0]


def test_every_page_of_cases_is_walked(client: Callable[..., Client]) -> None:
    lab = client()
    for number in range(3):
        lab.submit([("c.png", cell_png(seed=number))], check="leukaemia", accession=f"A{number}")
    assert [case["accession"] for case in lab.cases(check="leukaemia")] == ["A2", "A1", "A0"]
    assert list(lab.cases(state="read")) == []


def test_every_page_of_what_is_found_is_walked() -> None:
    asked: list[dict[str, str]] = []

    def server(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content))
        page = {"cases": [{"part": len(asked)}], "next": "c2" if len(asked) == 1 else None}
        return httpx.Response(200, json=page)

    client = Client("http://x.example", "t", transport=httpx.MockTransport(server))
    assert [case["part"] for case in client.find("A1")] == [1, 2]
    assert [each.get("cursor") for each in asked] == [None, "c2"]


def test_the_servers_refusals_are_the_same_errors_here(client: Callable[..., Client]) -> None:
    lab = client()
    done = lab.submit([PNG], check="leukaemia", accession="A1")
    with pytest.raises(UnreadableSample, match="text"):
        lab.submit([("a.txt", b"hello, this is text")], check="leukaemia")
    with pytest.raises(UnknownCheck, match="nothing-here"):
        lab.submit([PNG], check="nothing-here")
    with pytest.raises(UnknownCase):
        lab.case("00000000-0000-0000-0000-000000000000")
    with pytest.raises(NotAllowed, match="specialist"):
        lab.review(done.case_id, label="red")
    with pytest.raises(WrongState, match="not been read"):
        client("chief").review(done.case_id, label="red")
    with pytest.raises(BadMeasurement, match="between 1 and 10") as refused:
        lab.submit_measurements({"size": 99, "shape": 1}, check="breast-cytology")
    assert refused.value.field == "size"


def test_a_wrong_token_address_or_number_is_said_before_or_by_the_server(server: str) -> None:
    with Client(server, "frs_wrong") as stranger, pytest.raises(NotAllowed, match="token"):
        stranger.checks()
    with pytest.raises(BadConfiguration, match="no token"):
        Client(server, "")
    with pytest.raises(BadConfiguration, match="https://"):
        Client("firstread.example.org", "t")
    with pytest.raises(BadConfiguration, match="number of a case"):
        Client(server, "t").case("../checks")
    page = httpx.MockTransport(lambda _: httpx.Response(200, text="<html>"))
    with pytest.raises(Unreachable, match="no JSON"):
        Client("http://x.example", "t", transport=page).checks()

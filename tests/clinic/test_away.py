"""While the database does not answer every page says so, and that it is worth coming back."""

from __future__ import annotations

import pytest
from django.db import OperationalError, connection
from django.test import Client

from tests.clinic_for_tests import Clinic, read_case


def _gone(*_: object) -> None:
    raise OperationalError("server closed the connection unexpectedly")


@pytest.mark.parametrize("place", ["/", "/put-in", "case", "/outbox", "/sign-in"])
def test_a_page_without_its_database_is_503_in_a_sentence(clinic: Clinic, place: str) -> None:
    case = read_case("red")
    client = Client(raise_request_exception=False)
    client.force_login(clinic.ana)
    with connection.execute_wrapper(_gone):
        answer = client.get(f"/cases/{case.pk}" if place == "case" else place)
    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
    assert "does not reach its database or its disk" in answer.content.decode()
    assert client.get("/").status_code == 200


def test_any_other_mistake_of_ours_stays_500(clinic: Clinic) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(clinic.ana)

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    with connection.execute_wrapper(broken):
        answer = client.get("/")
    assert answer.status_code == 500
    assert "Something went wrong here" in answer.content.decode()

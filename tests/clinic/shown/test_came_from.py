"""A case's page knows from which list somebody came; what was chosen in a form is not lost."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from django.test import Client

from firstread.clinic.models import Case
from firstread.clinic.shown.worklist import Asked, beside
from firstread.clinic.steps.review import answer
from tests.clinic_for_tests import Clinic, put_in_row, read_all, read_case, ten_seconds_pass


@pytest.fixture
def cases(clinic: Clinic) -> list[Case]:
    """Three of leukaemia, most urgent first, with one of another check between them."""
    first = read_case("red", accession="A-1")
    second = read_case("red", accession="A-2", seed=5)
    put_in_row(accession="R-1", size=9.0)
    third = read_case("green", accession="B-3", seed=9)
    read_all()
    return [first, second, third]


def _links(page: str, what: str) -> list[str]:
    return re.findall(rf'href="([^"]*)"[^>]* data-{what}', page)


def test_next_and_previous_stay_within_the_filter(
    clinic: Clinic, client: Client, cases: list[Case]
) -> None:
    first, second, third = (each.pk for each in cases)
    client.force_login(clinic.ana)
    shown = client.get("/?check=leukaemia").content.decode()
    assert re.findall(r'href="(/cases/[^"]*)"', shown) == [
        f"/cases/{case}?list=check%3Dleukaemia" for case in (first, second, third)
    ]
    page = client.get(f"/cases/{second}?list=check%3Dleukaemia").content.decode()
    assert _links(page, "next") == [f"/cases/{third}?list=check%3Dleukaemia"]
    assert _links(page, "previous") == [f"/cases/{first}?list=check%3Dleukaemia"]
    assert 'class="back" href="/?check=leukaemia"' in page
    went = client.post(f"/cases/{second}/answer?list=check%3Dleukaemia", {"label": "red"})
    assert went["Location"] == f"/cases/{second}?list=check%3Dleukaemia"
    page = client.get(went["Location"]).content.decode()
    assert "Next case of the list" in page
    assert _links(page, "next") == [f"/cases/{third}?list=check%3Dleukaemia"]


def test_without_a_list_next_is_what_waits_most_urgently(
    clinic: Clinic, client: Client, cases: list[Case]
) -> None:
    client.force_login(clinic.ana)
    page = client.get(f"/cases/{cases[0].pk}").content.decode()
    assert len(_links(page, "next")) == 1
    assert _links(page, "previous") == []


def test_after_the_last_that_waits_comes_the_first_and_other_lists_end(
    clinic: Clinic, cases: list[Case]
) -> None:
    first, _, third = cases
    mine = beside(clinic.ana, Asked(check="leukaemia"), case=third)
    assert mine.next_case == first.pk
    assert beside(clinic.ana, Asked(show="open", check="leukaemia"), case=third).next_case is None


def test_a_decided_list_is_followed_newest_first(clinic: Clinic, cases: list[Case]) -> None:
    for case in cases:
        answer(case.pk, by=clinic.chief, label="red")
    first, second, third = (Case.objects.get(pk=each.pk) for each in cases)
    decided = Asked(show="decided")
    here = beside(clinic.tech, decided, case=second)
    assert (here.next_case, here.previous) == (first.pk, third.pk)


def test_a_search_is_gone_where_somebody_comes_to_the_worklist_anew(
    clinic: Clinic, client: Client, cases: list[Case]
) -> None:
    client.force_login(clinic.ana)
    found = client.post("/search", {"text": "b-3", "back": "show=open"})["Location"]
    page = client.get(found).content.decode()
    assert page.count('class="case-row') == 1
    assert "b-3" not in found
    tabs = re.findall(r'href="([^"]*)"[^>]* data-tab', page)
    assert all("found=" in tab for tab in tabs)
    assert client.get("/").content.decode().count('class="case-row') == 4
    assert client.get("/?show=open&found=nonsense").content.decode().count('class="case-row') == 4
    asked = quote(found.partition("?")[2])
    page = client.get(f"/cases/{cases[2].pk}?list={asked}").content.decode()
    assert "This was the last case of the list" in page


def test_what_was_chosen_is_shown_again_where_a_comment_is_missing(
    clinic: Clinic, client: Client, cases: list[Case]
) -> None:
    client.force_login(clinic.ana)
    went = client.post(f"/cases/{cases[0].pk}/answer", {"label": "other", "comment": " "})
    page = client.get(went["Location"]).content.decode()
    assert "Say in the comment what you see." in page
    assert re.search(r'value="other" required[^>]* checked', page)
    page = client.get(went["Location"]).content.decode()
    assert not re.search(r'value="other" required[^>]* checked', page)


def test_an_amendment_that_is_refused_keeps_its_label_and_words(
    clinic: Clinic, client: Client, cases: list[Case]
) -> None:
    client.force_login(clinic.chief)
    case = cases[0].pk
    client.post(f"/cases/{case}/answer", {"label": "red"})
    ten_seconds_pass()
    went = client.post(f"/cases/{case}/amend", {"label": "red", "comment": "It is red."})
    page = client.get(went["Location"]).content.decode()
    assert "The case says so already" in page
    assert '<details class="amend" open>' in page
    assert "It is red.</textarea>" in page
    assert '<option value="red" selected>' in page


def test_a_signed_read_is_not_called_provisional(
    clinic: Clinic, client: Client, cases: list[Case]
) -> None:
    client.force_login(clinic.chief)
    address = f"/cases/{cases[0].pk}"
    assert "provisional until signed" in client.get(address).content.decode()
    answer(cases[0].pk, by=clinic.chief, label="red")
    assert "provisional" not in client.get(address).content.decode()

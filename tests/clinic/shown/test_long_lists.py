"""Lists as long as an archive: what is counted, which pages there are, and by what they go."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from firstread.clinic.models import AuditRow, Case
from firstread.clinic.models.cases import IS_DECIDED
from firstread.clinic.models.trail import CHANGES
from firstread.clinic.shown.paging import Counted, counted, pager_of
from firstread.clinic.shown.worklist import waiting
from firstread.clinic.steps.amend import amend
from firstread.clinic.steps.review import answer
from firstread.domain.case import DECIDED
from tests.clinic_for_tests import Clinic, put_in, put_in_row, read_all, read_case


@pytest.mark.parametrize(
    ("asked", "first", "last", "before", "after"),
    [
        (None, 1, 25, None, 2),
        ("", 1, 25, None, 2),
        ("x", 1, 25, None, 2),
        ("2", 26, 50, 1, 3),
        ("3", 51, 60, 2, None),
        ("4", 51, 60, 2, None),
        ("0", 51, 60, 2, None),
        ("-1", 51, 60, 2, None),
        ("9" * 5000, 1, 25, None, 2),
    ],
)
def test_a_page_number_names_a_page_that_there_is(
    asked: str | None, first: int, last: int, before: int | None, after: int | None
) -> None:
    pager = pager_of(asked, total=Counted(number=60), size=25)
    assert (pager.first, pager.last) == (first, last)
    assert (pager.before, pager.after) == (before, after)
    assert not pager.ends_early


def test_an_empty_list_has_one_page_with_nothing_on_it() -> None:
    pager = pager_of("7", total=Counted(number=0), size=25)
    assert (pager.first, pager.last, pager.before, pager.after) == (0, 0, None, None)


def test_a_list_is_counted_as_far_as_somebody_reads_on(clinic: Clinic) -> None:
    for number in range(3):
        put_in("red", accession=f"L-{number}", seed=number)
    assert str(counted(Case.objects.all())) == "3"
    assert str(counted(Case.objects.all(), most=3)) == "3"
    assert str(counted(Case.objects.all(), most=2)) == "2+"
    assert str(Counted(number=10_000, more=True)) == "10,000+"


def test_behind_the_last_page_of_a_long_list_it_is_said_how_the_others_are_found(
    clinic: Clinic, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        put_in("red", accession=f"L-{number}", seed=number)
    client.force_login(clinic.ana)
    assert b"to find the others" not in client.get("/?show=open").content
    monkeypatch.setattr(counted, "__kwdefaults__", {"most": 2})
    page = client.get("/?show=open").content.decode()
    assert page.count('class="case-row') == 2
    assert "1–2 of 2+. Search, or narrow by check and priority, to find the others." in page


def test_a_case_has_a_time_of_decision_when_it_is_decided_and_at_no_other_time(
    clinic: Clinic,
) -> None:
    def decided_by_time_and_state() -> tuple[set[str], set[str]]:
        by_time, by_state = Case.objects.filter(IS_DECIDED), Case.objects.filter(state__in=DECIDED)
        return {each.accession for each in by_time}, {each.accession for each in by_state}

    put_in("blue", accession="waits")
    assert decided_by_time_and_state() == (set(), set())
    one = read_case("red", accession="one", seed=3)
    answer(one.pk, by=clinic.ana, label="red")
    assert decided_by_time_and_state() == (set(), set())
    answer(one.pk, by=clinic.bo, label="red")
    assert decided_by_time_and_state() == ({"one"}, {"one"})
    amend(one.pk, by=clinic.chief, label="blue", comment="Seen again.")
    assert decided_by_time_and_state() == ({"one"}, {"one"})


@pytest.mark.parametrize("role", ["tech", "ana", "chief", "operator"])
def test_no_page_asks_the_database_the_same_thing_twice(
    clinic: Clinic, client: Client, role: str
) -> None:
    put_in_row(accession="R-1", by=clinic.tech)
    read_all()
    case = read_case("red", "green", accession="A-1", by=clinic.tech)
    client.force_login(next(each for each in clinic.people if each.username == role))
    addresses = ["/", "/?show=open", "/?show=decided", "/packs", "/checks", "/outbox"]
    addresses.append(reverse("case", args=[case.pk]))
    if role == "operator":
        addresses += ["/people", "/audit"]
    client.post("/search", {"text": "A-1"})
    for address in addresses:
        client.get(address)
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert client.get(address).status_code == 200
        often = Counter(each["sql"] for each in asked)
        assert {sql: count for sql, count in often.items() if count > 1} == {}, address


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        ({}, "case_open"),
        ({"mine": False, "state": "open"}, "case_open"),
        ({"mine": False, "state": "open", "check": "leukaemia"}, "case_open_by_check"),
        ({"mine": False, "state": "open", "priority": "stat"}, "case_open"),
        ({"mine": False, "state": "decided"}, "case_decided"),
        ({"mine": False, "state": "decided", "check": "leukaemia"}, "case_decided_by_check"),
        ({"mine": False, "state": "decided", "priority": "stat"}, "case_decided_by_priority"),
        (
            {"mine": False, "state": "decided", "check": "leukaemia", "priority": "stat"},
            "case_decided_by_both",
        ),
    ],
)
@pytest.mark.parametrize("role", ["ana", "chief", "tech"])
def test_a_list_goes_by_an_index_in_its_order(
    clinic: Clinic, asked: dict[str, str], index: str, role: str
) -> None:
    person = next(each for each in clinic.people if each.username == role)
    plan = plan_of(waiting(person, **asked).values_list("pk"))  # type: ignore[arg-type]
    assert re.search(rf"(COVERING INDEX|Index Only Scan using) {index}\w*", plan), plan
    assert "TEMP B-TREE" not in plan
    assert "Sort" not in plan


def test_news_are_found_by_an_index_that_leaves_looks_out(clinic: Clinic) -> None:
    AuditRow.objects.bulk_create(
        AuditRow(number=10_000 + n, at="", actor="ana", action="viewed", previous="", seal="")
        for n in range(2_000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE clinic_auditrow")  # of an empty table one index is like another
    news = AuditRow.objects.filter(CHANGES).order_by("-number").values_list("number")
    assert "audit_changes" in plan_of(news)


def plan_of(rows: QuerySet[object]) -> str:
    """How the database would go through a long table, of which these tests have none."""
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for way in ("seqscan", "sort", "bitmapscan", "indexscan"):
                cursor.execute(f"SET LOCAL enable_{way} = off")
        return str(rows[:25].explain())

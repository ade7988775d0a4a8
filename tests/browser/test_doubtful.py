"""What does not stand is agreed with by two acts, by keyboard and on a phone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from firstread.clinic.models import Case, Check
from firstread.clinic.steps.intake import Incoming, receive
from tests.browser_for_tests import SERVER_WARNINGS, Site
from tests.clinic_for_tests import read_all
from tests.images_for_tests import blurred_png, yellow_png

pytestmark = [pytest.mark.browser, *SERVER_WARNINGS]
SAYS = "Not the kind of picture this was made for"


def _yellow(site: Site) -> Case:
    return _case_of(site, yellow_png())


def _case_of(site: Site, picture: bytes) -> Case:
    Check.objects.filter(name="leukaemia").update(readers=1)
    given = [Incoming(data=picture, name="cell.png")]
    case = receive(given, check="leukaemia", door="page", by=site.clinic.tech).case
    read_all()
    return case


def test_a_stray_key_signs_nothing_that_does_not_stand(
    site: Site, enter: Callable[..., Page]
) -> None:
    case = _yellow(site)
    page = enter("ana")
    page.goto(f"{site.url}/cases/{case.pk}")
    expect(page.locator("#read-panel .verdict.doubtful")).to_contain_text(SAYS)
    page.keyboard.press("a")
    anyway = page.locator(".agree-anyway")
    expect(anyway).to_have_attribute("open", "")
    for _ in range(2):
        page.keyboard.press("a")
    expect(anyway).to_have_attribute("open", "")
    expect(page.locator(".case-title")).to_contain_text("Read")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".case-title")).to_contain_text("Signed off")


def test_a_phone_offers_no_answer_at_one_touch(site: Site, enter: Callable[..., Page]) -> None:
    case = _yellow(site)
    page = enter("ana", viewport={"width": 360, "height": 740})
    page.goto(f"{site.url}/cases/{case.pk}")
    bar = page.locator("#answer-bar")
    expect(bar).to_contain_text(SAYS)
    expect(bar.locator("button")).to_have_count(0)
    bar.get_by_text("Look and answer").click()
    expect(page.locator("#decide")).to_be_in_viewport()


def test_a_phone_says_beside_the_answer_that_a_picture_is_unfit(
    site: Site, enter: Callable[..., Page]
) -> None:
    case = _case_of(site, blurred_png())
    page = enter("ana", viewport={"width": 360, "height": 740})
    page.goto(f"{site.url}/cases/{case.pk}")
    expect(page.locator("#answer-bar")).to_contain_text("Unfit for a first read")

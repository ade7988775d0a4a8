"""What was put in wrongly is corrected and withdrawn by hand, in a browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from firstread.clinic.steps.review import answer
from tests.browser_for_tests import SERVER_WARNINGS, Site
from tests.clinic_for_tests import put_in, read_case

pytestmark = [pytest.mark.browser, *SERVER_WARNINGS]
Enter = Callable[..., Page]


def test_a_technician_corrects_a_number_then_withdraws_and_reinstates(
    site: Site, enter: Enter
) -> None:
    put_in("green", accession="TAKEN", seed=5)
    case = put_in("red", accession="WRONG-1")
    page = enter("tech", viewport={"width": 390, "height": 800})
    page.goto(f"/cases/{case.pk}")
    page.get_by_role("link", name="Correct or withdraw").click()
    page.get_by_label("Accession").fill("TAKEN")
    page.get_by_role("button", name="Correct the case").click()
    expect(page.get_by_role("alert")).to_contain_text("has a case of that accession already")
    expect(page.get_by_label("Accession")).to_have_value("TAKEN")
    page.get_by_label("Accession").fill("RIGHT-1")
    page.get_by_label("Patient").fill("P-7")
    page.get_by_role("button", name="Correct the case").click()
    expect(page.get_by_role("heading", name="RIGHT-1")).to_be_visible()
    expect(page.locator("#history")).to_contain_text("from WRONG-1 to RIGHT-1")
    page.get_by_role("link", name="Correct or withdraw").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator("[data-withdraw] textarea").fill("Put in twice.")
    page.get_by_role("button", name="Withdraw the case").click()
    expect(page.locator("[data-withdrawn]")).to_contain_text("Put in twice.")
    page.goto("/?show=withdrawn")
    expect(page.locator(".case-row")).to_contain_text("RIGHT-1")
    page.locator(".case-link").click()
    page.get_by_role("link", name="Reinstate").click()
    page.get_by_label("Why").fill("It was right.")
    page.get_by_role("button", name="Reinstate the case").click()
    expect(page.get_by_text("The case is reinstated.")).to_be_visible()


def test_an_answer_is_taken_back_with_a_key_and_the_other_specialist_sees_nothing_of_it(
    site: Site, enter: Enter
) -> None:
    case = read_case("red", accession="SLIP-1")
    page = enter("ana")
    page.goto(f"/cases/{case.pk}")
    page.keyboard.press("a")
    bar = page.locator("[data-take-back]")
    expect(bar).to_contain_text("Your answer to SLIP-1 is recorded, and is final in")
    page.keyboard.press("u")
    expect(page.get_by_text("Your answer is taken back.")).to_be_visible()
    expect(bar).to_have_count(0)
    expect(page.locator("#decide")).to_be_visible()
    page.keyboard.press("u")
    page.wait_for_url("**/")


def test_what_came_of_two_answers_is_shown_once_the_second_is_final(
    site: Site, enter: Enter
) -> None:
    case = read_case("red", accession="TWO-1")
    answer(case.pk, by=site.clinic.bo, label="blue")
    page = enter("ana")
    page.goto(f"/cases/{case.pk}")
    page.keyboard.press("a")
    expect(page.locator("[data-take-back]")).to_be_visible()
    expect(page.locator("#decision")).not_to_contain_text("Blue")
    expect(page.locator("#history")).not_to_contain_text("differ")
    expect(page.locator("#decision")).to_contain_text("Blue")  # by itself
    expect(page.locator("#history")).to_contain_text("found that two specialists differ")

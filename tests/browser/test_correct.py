"""What was put in wrongly is corrected and withdrawn by hand, in a browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser_for_tests import SERVER_WARNINGS, Site
from tests.clinic_for_tests import put_in

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

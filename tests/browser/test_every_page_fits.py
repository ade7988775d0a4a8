"""At every width of a screen nothing sticks out, and no row is taller than the window."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from firstread.clinic.models import Check, Person, Reader
from tests.browser_for_tests import SERVER_WARNINGS, Site

pytestmark = [pytest.mark.browser, *SERVER_WARNINGS]
Enter = Callable[..., Page]

SIZES = ((360, 740), (768, 1024), (1280, 800), (1920, 1080))
PAGES = (
    "/",
    "/?show=open",
    "/put-in",
    "/outbox",
    "/people",
    "/checks",
    "/packs",
    "/audit",
    "/condition",
)
STICKS_OUT = "document.documentElement.scrollWidth - innerWidth"
TALL_ROWS = """[...document.querySelectorAll('li, tr, summary, .case-row')]
  .filter((row) => !row.querySelector('form:not([hidden])') && row.offsetHeight > innerHeight)
  .map((row) => row.textContent.trim().slice(0, 40))"""


@pytest.fixture
def many_checks(site: Site) -> None:
    """One specialist reads nine checks more, as in a laboratory that has them all."""
    ana = Person.objects.get(username="ana")
    ana.first_name, ana.last_name = "Hannelore", "Haematologist-Hartmannsdorf"
    ana.email = "hannelore.haematologist-hartmannsdorf@laboratory.example.org"
    ana.save()
    for n, title in enumerate(("Diabetic retinopathy", "Breast histology", "Brain tumour") * 3):
        check = Check.objects.create(
            name=f"more-{n}", title=f"{title} {n}", pack="colour", kind="image"
        )
        Reader.objects.create(check_row=check, person=ana)


@pytest.mark.usefixtures("many_checks")
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}px")
def test_nothing_sticks_out_and_no_row_is_taller_than_the_window(
    enter: Enter, size: tuple[int, int]
) -> None:
    page = enter("operator")
    page.set_viewport_size({"width": size[0], "height": size[1]})
    wrong = {}
    for path in PAGES:
        page.goto(path)
        found = page.evaluate(STICKS_OUT), page.evaluate(TALL_ROWS)
        if found != (0, []):
            wrong[path] = found
    assert not wrong

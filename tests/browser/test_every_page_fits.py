"""Every page, in every state, for every role: it fits every screen, and axe-core finds nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.template.loader import render_to_string
from playwright.sync_api import Page

from firstread.clinic.models import Person
from tests.browser_for_tests import SERVER_WARNINGS, Site

# A hundred pages, each at four sizes: half a minute where nothing else runs.
pytestmark = [pytest.mark.browser, pytest.mark.timeout(900), *SERVER_WARNINGS]
Enter = Callable[..., Page]

SIZES = ((360, 740), (768, 1024), (1280, 800), (1920, 1080))
LOOK = (Path(__file__).parent / "look.js").read_text("utf-8")
AXE = Path(sys.prefix) / "javascript" / "node_modules" / "axe-core" / "axe.min.js"
BROKEN_RULES = """axe.run({ resultTypes: ['violations'] }).then(({ violations }) =>
  violations.flatMap(({ id, nodes }) => nodes.map((e) => `${id}: ${e.html.slice(0, 160)}`)))"""
CASES_OF_ANA = (
    "waiting",
    "alarm",
    "no alarm",
    "unfit",
    "some unfit",
    "pack away",
    "blind",
    "for the chief",
    "signed",
    "discordant",
    "amended",
    "withdrawn",
    "wide",
    "tall",
    "unfamiliar",
    "hundred",
    "one cell",
    "recording",
    "measurements",
)
LISTS = ("/", "/?show=open", "/?show=decided", "/?priority=asap", "/outbox", "/packs", "/checks")
OPERATORS = (
    "/people",
    "/audit",
    "/condition",
    "/packs/blood-cell",
    "/packs/gone",
    "/outbox?state=given_up",
)
PUT_IN = ("leukaemia", "heartbeat", "breast-cytology")
ERRORS = ("400.html", "403.html", "403_csrf.html", "404.html", "500.html", "503.html")
FADED_IN = """async () => {
  const nextFrame = () => new Promise((done) => requestAnimationFrame(done));
  await nextFrame();
  await nextFrame();
  const fades = document.getAnimations().filter((each) => each instanceof CSSTransition);
  await Promise.allSettled(fades.map((each) => each.finished));
}"""


def _places(role: str, cases: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The name and the address of each page that somebody looks at."""
    yield from ((place, place) for place in LISTS)
    if role == "ana":
        yield from ((name, cases[name]) for name in CASES_OF_ANA)
        for name in ("alarm", "signed", "withdrawn"):
            yield f"correcting {name}", f"{cases[name]}/correct"
    if role in {"bo", "chief", "tech"}:
        yield from ((name, cases[name]) for name in ("blind", "for the chief", "amended"))
    if role == "tech":
        yield from ((f"put in {name}", f"/put-in?check={name}") for name in PUT_IN)
        yield from ((place, place) for place in ("/people", "/nothing-here"))  # refused, absent
    if role == "operator":
        yield from ((place, place) for place in OPERATORS)


def test_nothing_sticks_out_and_no_row_is_taller_than_the_window(site: Site, enter: Enter) -> None:
    from tests.states_for_tests import furnish

    cases = furnish(site.clinic)
    assert set(CASES_OF_ANA) == set(cases)
    wrong: list[str] = []
    for role in ("ana", "bo", "chief", "tech", "operator"):
        page = enter(role, bypass_csp=True)  # axe-core is no script of ours
        for name, address in _places(role, cases):
            page.goto(address)
            _open_what_is_closed(page)
            wrong += _look(page, f"{role}: {name}", rules=role in {"ana", "operator"})
        if role == "tech":
            for name in _refused_by_the_forms(page):
                wrong += _look(page, name)
    assert not wrong, "\n" + "\n".join(wrong)


def test_the_pages_of_whoever_is_not_signed_in_fit(site: Site, enter: Enter) -> None:
    Person.objects.exclude(username="ana").delete()
    page = enter("ana", bypass_csp=True)
    wrong = _look(page, "an empty worklist")
    page.context.clear_cookies()
    page.goto("/sign-in")
    wrong += _look(page, "sign-in")
    page.get_by_label("Name").fill("ana")
    page.get_by_label("Password").fill("wrong")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    wrong += _look(page, "sign-in refused")
    for name in ERRORS:
        page.goto("/nothing-here")
        page.set_content(render_to_string(name))
        wrong += _look(page, name)
    assert not wrong, "\n" + "\n".join(wrong)


def _open_what_is_closed(page: Page) -> None:
    """Evidence, letters, people's forms and the like are looked at as well."""
    for part in ("[data-evidence]", ".letter summary", ".person summary", ".amend summary"):
        first = page.locator(part).first
        if first.count() and first.is_visible():
            first.click()


def _refused_by_the_forms(page: Page) -> Iterator[str]:
    page.goto("/put-in?check=breast-cytology")
    page.locator("form[data-way=form] .button.primary").click()
    page.get_by_role("alert").wait_for()
    yield "a row of measurements that was refused"
    page.get_by_role("radio", name="A table of many").check()
    table = b"accession,clump_thickness\n" + b"X-1,eleven\n" * 3
    page.locator("#table").set_input_files(
        {"name": "table.csv", "mimeType": "text/csv", "buffer": table}
    )
    page.get_by_role("button", name="Put the table in").click()
    page.locator(".results").wait_for()
    yield "a table that was refused"
    page.goto("/put-in?check=leukaemia")
    page.locator("input[name=sample]").first.set_input_files(
        [
            {"name": f"{n}-{'long' * 12}.png", "mimeType": "image/png", "buffer": b"no picture"}
            for n in range(3)
        ]
    )
    yield "pictures that were chosen"
    page.locator("[data-go]").click()
    page.get_by_text("Say whether these are one case or a case each.").wait_for()
    yield "pictures of which is asked what they are"
    page.get_by_role("radio", name="a case each").check()
    page.locator("[data-go]").click()
    page.locator('.file[data-state="bad"]').nth(2).wait_for()
    yield "pictures that were refused"


def _look(page: Page, name: str, *, rules: bool = True) -> list[str]:
    """What is wrong with the page that is open, at each size, and to whoever cannot see it."""
    wrong = []
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        wrong += [f"{name} at {width}: {what}" for what in page.evaluate(LOOK)]
    if not rules:
        return wrong
    page.evaluate(AXE.read_text("utf-8"))
    page.evaluate(FADED_IN)  # what is half faded in has half its contrast
    return wrong + [f"{name}: {what}" for what in page.evaluate(BROKEN_RULES)]

"""Every page on a phone and by keyboard alone, in the light and in the dark."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from firstread.clinic.models import Review
from firstread.clinic.web import events
from tests.browser_for_tests import SERVER_WARNINGS, Site
from tests.clinic_for_tests import put_in_row, read_all, read_case

pytestmark = [pytest.mark.browser, *SERVER_WARNINGS]
Enter = Callable[..., Page]

DARK_INK = "rgb(16, 25, 26)"
UNNAMED = """() => {
  const named = (e) => (e.getAttribute('aria-label') || e.getAttribute('aria-labelledby')
    || e.innerText || e.title || '').trim();
  const shown = (e) => e.checkVisibility();
  const wrong = [];
  for (const e of document.querySelectorAll('img:not([alt])')) wrong.push('no alt: ' + e.src);
  for (const e of document.querySelectorAll('a, button, summary'))
    if (shown(e) && !named(e)) wrong.push('no name: ' + e.outerHTML.slice(0, 120));
  for (const e of document.querySelectorAll('input:not([type=hidden]), select, textarea'))
    if (!e.labels?.length && !e.getAttribute('aria-label'))
      wrong.push('no label: ' + e.outerHTML.slice(0, 120));
  const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
  for (const id of new Set(ids))
    if (ids.filter((x) => x === id).length > 1) wrong.push('twice: #' + id);
  if (document.querySelectorAll('h1').length !== 1) wrong.push('not one h1');
  if (!document.documentElement.lang) wrong.push('no language');
  if (!document.body.innerText.includes('a qualified person decides')) wrong.push('no footer');
  return wrong;
}"""


def _pages(site: Site) -> list[str]:
    many = read_case("red", "green", "green", "blue", accession="A-very-long-accession-number-0001")
    row = put_in_row(accession="R1", by=site.clinic.tech, size=9.0)
    read_all()
    cases = [f"/cases/{many.pk}", f"/cases/{row.pk}"]
    lists = ["/", "/?show=open", "/?show=decided", "/outbox", "/people", "/checks", "/audit"]
    forms = ["/put-in?check=leukaemia", "/put-in?check=breast-cytology"]
    return [*lists, *cases, *forms, "/packs", "/packs/colour", "/nothing-here"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_fits_a_phone_and_names_its_parts(site: Site, enter: Enter, theme: str) -> None:
    page = enter(
        "operator", viewport={"width": 375, "height": 740}, color_scheme=theme, has_touch=True
    )
    for address in _pages(site):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= 375, address
        assert page.evaluate(UNNAMED) == [], address


def test_the_sign_in_page_fits_a_phone(site: Site, enter: Enter) -> None:
    page = enter("ana", viewport={"width": 360, "height": 740})
    page.locator(".menu summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate(UNNAMED) == []


def test_whoever_was_signed_out_meanwhile_sees_the_sign_in_page(site: Site, enter: Enter) -> None:
    page = enter("ana")
    expect(page.locator("[data-live-state]")).to_have_text("Live")
    page.context.clear_cookies()
    read_case("red", accession="X1")
    page.wait_for_url("**/sign-in?next=/")
    expect(page.get_by_label("Password")).to_be_visible()


def test_a_page_whose_session_has_ended_says_so_and_keeps_what_was_written(
    site: Site, enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "AT_MOST_S", 1.0)  # then the page connects anew
    case = read_case("red", accession="E1")
    page = enter("ana")
    page.goto(f"/cases/{case.pk}")
    page.get_by_label("Comment").fill("Seen twice.")
    page.context.clear_cookies()
    expect(page.get_by_text("You have been signed out")).to_be_visible()
    expect(page.get_by_label("Comment")).to_have_value("Seen twice.")
    page.get_by_role("link", name="Sign in again").click()
    page.wait_for_url(f"**/sign-in?next=%2Fcases%2F{case.pk}")


def test_text_stands_out_from_its_ground(site: Site, enter: Enter) -> None:
    for theme in ("light", "dark"):
        page = enter("ana", color_scheme=theme)
        for ground in ("--paper", "--surface", "--raised"):
            for ink in (
                "--ink",
                "--ink-2",
                "--ink-3",
                "--accent",
                "--alarm",
                "--caution",
                "--good",
            ):
                assert _contrast(page, ink, ground) >= 4.5, (theme, ink, ground)
        for name in ("alarm", "caution", "good"):
            assert _contrast(page, f"--{name}", f"--{name}-soft") >= 4.5, (theme, name)
        assert _contrast(page, "--on-accent", "--accent") >= 4.5, theme
        assert _contrast(page, "--on-alarm", "--alarm") >= 4.5, theme


def _contrast(page: Page, ink: str, ground: str) -> float:
    def luminance(name: str) -> float:
        shown = page.evaluate(
            """(name) => { const e = document.createElement('i'); document.body.append(e);
            e.style.color = `var(${name})`; const c = getComputedStyle(e).color; e.remove();
            return c; }""",
            name,
        )
        parts = [float(each) / 255 for each in shown[4:-1].split(",")[:3]]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(ink), luminance(ground)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_a_specialist_works_by_keyboard_alone(site: Site, enter: Enter) -> None:
    first = read_case("red", accession="K1", seed=1)
    second = read_case("green", accession="K2", seed=2)
    page = enter("ana")
    keys = page.keyboard
    expect(page.locator(".case-row")).to_have_count(2)
    page.wait_for_load_state()
    keys.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Next case, previous case")
    keys.press("Escape")
    keys.press("/")
    keys.type("K2")
    keys.press("Enter")
    expect(page.locator(".case-row")).to_have_count(1)
    page.wait_for_load_state()
    keys.press("/")
    keys.press("Backspace")
    keys.press("Enter")
    expect(page.locator(".case-row")).to_have_count(2)
    page.wait_for_load_state()
    keys.press("j")
    keys.press("Enter")
    page.wait_for_url(f"**/cases/{first.pk}")
    expect(page.locator("[data-map]")).to_be_hidden()
    keys.press("e")
    expect(page.locator("[data-map]")).to_have_css("opacity", "0.4")
    keys.press("+")
    keys.press("0")
    keys.press("a")
    expect(page.get_by_role("status").first).to_contain_text("recorded")
    page.wait_for_load_state()
    keys.press("n")
    page.wait_for_url(f"**/cases/{second.pk}")
    keys.press("4")
    keys.press("c")
    keys.type("A parasite, perhaps.")
    keys.press("Escape")
    keys.press("4")
    keys.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("recorded")
    assert Review.objects.get(case=second, by=site.clinic.ana).comment == "A parasite, perhaps."
    page.wait_for_load_state()
    keys.press("g")  # for ten seconds "u" takes the answer back
    keys.press("w")
    expect(page.get_by_text("Nothing waits for you", exact=True)).to_be_visible()


def test_on_a_phone_the_answer_stays_in_reach(site: Site, enter: Enter) -> None:
    case = read_case("red", accession="B1")
    read_case("green", accession="B2", seed=2)
    page = enter("ana", viewport={"width": 360, "height": 740}, has_touch=True)
    page.goto(f"/cases/{case.pk}")
    bar, answer = page.locator("#answer-bar"), page.locator("#decide")
    expect(bar).to_be_in_viewport(ratio=1)
    expect(answer).not_to_be_in_viewport()
    bar.get_by_role("link", name="Otherwise").click()
    expect(answer).to_be_in_viewport()
    expect(bar).to_be_hidden()
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(bar).to_be_visible()
    for end in (page.locator("#mails"), page.locator(".foot")):
        assert not _overlap(bar, end)
    bar.get_by_role("button", name="Agree").click()
    expect(page.get_by_role("status").first).to_contain_text("waits for a second specialist")
    bar.get_by_role("link", name="Next case").click()
    expect(page.locator("h1")).to_contain_text("B2")


def _overlap(one: Locator, other: Locator) -> bool:
    places = [each.bounding_box() for each in (one, other)]
    (top, end), (other_top, other_end) = [(p["y"], p["y"] + p["height"]) for p in places if p]
    return top < other_end and other_top < end


def test_the_theme_that_was_chosen_stays(site: Site, enter: Enter) -> None:
    page = enter("ana", color_scheme="light")
    page.get_by_label("Switch between light and dark").click()
    page.goto("/packs")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_a_case_without_an_answer_is_printed_without_an_empty_box(site: Site, enter: Enter) -> None:
    case = read_case("red", accession="P1")
    page = enter("ana")
    page.get_by_label("Switch between light and dark").click()
    page.goto(f"/cases/{case.pk}")
    expect(page.locator("#decision")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.locator("#decision")).to_be_hidden()
    expect(page.get_by_role("heading", name="First read", exact=True)).to_be_visible()
    expect(page.locator("#answer-bar")).to_be_hidden()
    expect(page.locator("h1")).to_have_css("color", DARK_INK)  # on white paper, whatever the theme


def test_opening_the_link_of_a_mail_shows_the_case_and_changes_nothing(
    site: Site, enter: Enter
) -> None:
    case = read_case("red", accession="L1")
    page = enter("ana")
    assert page.request.get(f"/cases/{case.pk}/answer").status == 405
    page.goto(f"/cases/{case.pk}")
    expect(page.locator("h1")).to_contain_text("L1")
    assert not Review.objects.exists()

"""A recording is put in, appears on ECG paper, and is gone through by key, finger and mouse."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_pages import UNNAMED
from tests.browser_for_tests import SERVER_WARNINGS, Site
from tests.hearts_for_tests import wfdb_pair

pytestmark = [pytest.mark.browser, *SERVER_WARNINGS]
Enter = Callable[..., Page]

WIDE = (4, 9, 10, 30, 60)
INK = """() => { const c = document.querySelector('[data-paper] canvas');
  const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
  const colours = new Set(); for (let i = 0; i < d.length; i += 4)
    colours.add((d[i] << 16) | (d[i + 1] << 8) | d[i + 2]); return colours.size; }"""


@pytest.fixture
def heart_site(beats_shelf: str, monkeypatch: pytest.MonkeyPatch, site: Site) -> Site:
    from tests.clinic_for_tests import add_heartbeat

    monkeypatch.setenv("FIRSTREAD_PACKS", beats_shelf)
    add_heartbeat(site.clinic)
    return site


def _put_in(page: Page) -> None:
    """A minute of a heart as the two files of a pair, chosen one after the other."""
    page.goto("/put-in?check=heartbeat")
    files = wfdb_pair("100", seconds=60, wide=WIDE)
    for name in ("100.dat", "100.hea"):
        page.locator("input[name=sample]").set_input_files(
            {"name": name, "mimeType": "application/octet-stream", "buffer": files[name]}
        )
        if name == "100.dat":
            expect(page.locator(".file .says")).to_contain_text("add 100.hea, its other half")
    expect(page.locator(".file")).to_have_count(1)
    expect(page.locator(".file .name")).to_have_text("100.hea + 100.dat")
    page.get_by_label("Accession", exact=True).fill("H-100")
    page.locator("[data-go]").click()
    page.get_by_role("link", name="Open case").click()
    # A minute of a heart is read within a second, but a busy machine opens the pack more slowly.
    expect(page.locator("#read-panel")).to_contain_text("Ventricular ectopic", timeout=60_000)
    expect(page.locator("[data-episode]").first).to_be_visible()


def _stands(page: Page) -> float:
    return float(page.locator("[data-over-range]").input_value())


def test_a_recording_is_gone_through_beat_by_beat(heart_site: Site, enter: Enter) -> None:
    _put_in(enter("tech"))
    page = enter("ana")
    row = page.locator(".case-row", has_text="H-100")
    expect(row).to_contain_text("Ventricular ectopic")
    expect(row).to_contain_text("5 of 75 beats")
    row.get_by_role("link").click()
    said = page.locator("[data-sight]")
    expect(said).to_contain_text("0:00.0 – 0:10.0")
    expect(said).to_contain_text("ventricular ectopic")
    page.wait_for_load_state()
    page.wait_for_function(f"({INK})() > 20")  # the grid, the line, letters, the evidence
    keys = page.keyboard
    for moment in ("0:03.4", "0:07.4", "0:08.2", "0:24.2", "0:48.2"):
        keys.press("n")
        expect(said).to_contain_text(f"Ventricular ectopic at {moment}")
    assert 38 < _stands(page) < 49
    expect(page.locator("[data-beat][aria-current]")).to_contain_text("0:48.2")
    keys.press("n")
    expect(said).to_contain_text("No more of them after this.")
    keys.press("p")
    expect(said).to_contain_text("at 0:24.2")
    page.locator("[data-episode]", has_text="0:07.4").click()
    expect(said).to_contain_text("at 0:07.4")
    expect(page.locator("[data-episode]", has_text="0:07.4")).to_contain_text("pair")
    before = _stands(page)
    keys.press("ArrowRight")
    assert _stands(page) > before
    keys.press("-")
    expect(page.locator("[data-speed]")).to_have_value("12.5")
    keys.press("0")
    expect(page.locator("[data-evidence-strength]")).to_be_hidden()
    keys.press("e")
    expect(page.locator("[data-evidence-strength]")).to_be_visible()
    keys.press("a")
    expect(page.get_by_role("status").first).to_contain_text("signed off")


def test_a_finger_and_a_mouse_move_the_paper_and_measure_on_it(
    heart_site: Site, enter: Enter
) -> None:
    _put_in(enter("tech"))
    page = enter("ana", viewport={"width": 390, "height": 844}, has_touch=True)
    page.locator(".case-row", has_text="H-100").get_by_role("link").click()
    paper = page.locator("[data-paper]")
    expect(page.locator("[data-sight]")).to_contain_text("0:00.0 – ")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate(UNNAMED) == []
    box = paper.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 300, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + 60, steps=4)
    page.mouse.up()
    assert 2 < _stands(page) < 6
    before = _stands(page)
    page.get_by_role("button", name="Measure").click()
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 160, box["y"] + 60, steps=4)
    page.mouse.up()
    assert _stands(page) == before
    expect(page.get_by_role("button", name="Measure")).to_have_attribute("aria-pressed", "true")


def test_without_scripts_a_beat_of_the_list_opens_the_ten_seconds_round_it(
    heart_site: Site, enter: Enter
) -> None:
    tech = enter("tech")
    _put_in(tech)
    address = tech.url
    page = tech.context.browser.new_context(  # type: ignore[union-attr]
        java_script_enabled=False, storage_state=tech.context.storage_state()
    ).new_page()
    page.goto(address)
    expect(page.locator("noscript p")).to_contain_text("Ten seconds are shown.")
    strip = page.locator("[data-paper] img")
    expect(strip).to_be_visible()
    assert page.evaluate("e => e.naturalWidth", strip.element_handle()) > 500
    page.get_by_role("link", name="0:48.2").click()
    source = page.locator("[data-paper] img").get_attribute("src") or ""
    assert "?beat=" in source
    page.context.close()

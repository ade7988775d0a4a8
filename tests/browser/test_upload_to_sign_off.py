"""A sample is put in, appears live before a specialist, and is decided, in real browsers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from PIL import Image
from playwright.sync_api import Page, Route, expect

from firstread.clinic.models import Case
from tests.browser_for_tests import SERVER_WARNINGS, Site
from tests.images_for_tests import as_png, cell_png

pytestmark = [pytest.mark.browser, *SERVER_WARNINGS]
Enter = Callable[..., Page]


def _upload(page: Page, *files: tuple[str, bytes], accession: str = "") -> None:
    page.goto("/put-in?check=leukaemia")
    page.locator("input[name=sample]").set_input_files(
        [{"name": name, "mimeType": "image/png", "buffer": data} for name, data in files]
    )
    if len(files) > 1:
        page.get_by_role("radio", name="one case").check()
    if accession:
        page.get_by_label("Accession", exact=True).fill(accession)
    page.locator("[data-go]").click()


def test_a_read_appears_live_and_two_specialists_and_the_chief_decide(
    site: Site, enter: Enter
) -> None:
    ana = enter("ana")
    expect(ana.locator("[data-live-state]")).to_have_text("Live")
    expect(ana.get_by_text("Nothing waits for you", exact=True)).to_be_visible()

    tech = enter("tech")
    _upload(tech, ("red.png", cell_png("red")), accession="865102")
    tech.get_by_role("link", name="Open case").click()
    row = ana.locator(".case-row", has_text="865102")
    expect(row).to_contain_text("Red cell")
    expect(row).to_contain_text("Stat")
    expect(tech.locator("#read-panel")).to_contain_text("Red cell")

    row.get_by_role("link").click()
    ana.wait_for_load_state()
    expect(ana.locator("[data-map]")).to_be_hidden()
    ana.get_by_role("button", name="Evidence map").click()
    expect(ana.locator("[data-map]")).to_be_visible()
    ana.keyboard.press("a")
    expect(ana.get_by_role("status").first).to_contain_text("waits for a second specialist")

    bo = enter("bo")
    bo.locator(".case-row", has_text="865102").get_by_role("link").click()
    expect(bo.locator("#decision")).to_contain_text("You see the answer once you have given yours")
    expect(bo.locator("#decision")).not_to_contain_text("Ana")
    bo.get_by_role("radio", name="Blue cell").check()
    bo.get_by_label("Comment").fill("The chromatin is blue.")
    bo.get_by_role("button", name="Record my answer").click()
    expect(bo.get_by_role("status").first).to_contain_text("Your answer is recorded.")
    expect(bo.locator("#decision")).not_to_contain_text("Ana")

    chief = enter("chief")
    chief.locator(".case-row", has_text="865102").get_by_role("link").click()
    for said in ("Ana", "Bo", "The chromatin is blue."):
        expect(chief.locator("#decision .answers")).to_contain_text(said)
    chief.get_by_role("button", name="Agree: Red cell").click()
    expect(chief.locator(".signed")).to_contain_text("Red cell")
    expect(tech.locator("#case-head")).to_contain_text("Signed off")
    assert Case.objects.get(accession="865102").state == "signed_off"

    chief.get_by_text("Amend this decision").click()
    chief.get_by_label("What it is").select_option("green")
    chief.get_by_label("Why").fill("Seen again at higher magnification.")
    chief.get_by_role("button", name="Amend", exact=True).click()
    expect(chief.locator(".signed")).to_contain_text("Green cell")
    expect(chief.locator(".earlier")).to_contain_text("Red cell")


def test_many_cells_are_one_case_with_a_gallery_and_a_differential(
    site: Site, enter: Enter
) -> None:
    tech = enter("tech")
    cells = [(f"{n}.png", cell_png("green", seed=n)) for n in range(4)]
    _upload(tech, *cells, ("red.png", cell_png("red", seed=9)), accession="7001")
    expect(tech.locator("[data-said]")).to_have_text("All put in.")
    tech.get_by_role("link", name="Open case").first.click()
    expect(tech.locator("#differential")).to_contain_text("5 cells counted")
    expect(tech.locator("#read-panel")).to_contain_text("First read of cell 5")
    tech.wait_for_load_state()
    tech.keyboard.press("ArrowLeft")
    expect(tech.locator("#read-panel")).to_contain_text("First read of cell 4")
    assert Case.objects.count() == 1


def test_several_pictures_become_a_case_each_with_the_accession_in_their_names(
    site: Site, enter: Enter
) -> None:
    tech = enter("tech")
    tech.goto("/put-in?check=leukaemia")
    tech.locator("input[name=sample]").set_input_files(
        [
            {"name": f"{n}_lab.png", "mimeType": "image/png", "buffer": cell_png("red", seed=n)}
            for n in (86510, 86511)
        ]
    )
    tech.get_by_role("radio", name="a case each").check()
    tech.locator("[data-go]").click()
    expect(tech.locator("[data-said]")).to_have_text("All put in.")
    assert set(Case.objects.values_list("accession", flat=True)) == {"86510", "86511"}


def test_after_the_connection_broke_the_files_are_still_there_and_go_in_once(
    site: Site, enter: Enter
) -> None:
    tech, broken = enter("tech"), [True]
    tech.goto("/put-in")
    expect(tech.locator("[data-choose]")).to_be_visible()
    tech.get_by_role("link", name="Leukaemia").click()
    tech.locator("input[name=sample]").set_input_files(
        [
            {"name": f"{n}_lab.png", "mimeType": "image/png", "buffer": cell_png("red", seed=n)}
            for n in (86510, 86511)
        ]
    )
    tech.locator("[data-go]").click()
    expect(tech.locator("[data-said]")).to_have_text(
        "Say whether these are one case or a case each."
    )
    tech.get_by_role("radio", name="a case each").check()

    def breaks(route: Route) -> None:
        if route.request.method == "POST" and broken:
            route.abort()
        else:
            route.continue_()

    tech.route("**/put-in**", breaks)
    tech.locator("[data-go]").click()
    expect(tech.locator(".file").first).to_contain_text("The connection broke")
    expect(tech.locator("[data-said]")).to_contain_text("2 left")
    expect(tech.locator("input.accession").first).to_have_value("86510")
    broken.clear()
    tech.locator("[data-go]").click()
    expect(tech.locator("[data-said]")).to_have_text("All put in.")
    assert set(Case.objects.values_list("accession", flat=True)) == {"86510", "86511"}


def test_a_file_that_is_no_picture_gets_a_sentence_and_is_kept(site: Site, enter: Enter) -> None:
    tech = enter("tech")
    _upload(tech, ("letter.png", b"Dear colleague"), ("red.png", cell_png("red")))
    bad = tech.locator(".file[data-state=bad]")
    expect(bad).to_contain_text("letter.png")
    expect(bad.locator(".says")).to_contain_text("Send")
    expect(tech.locator(".file[data-state=done]")).to_contain_text("red.png")
    tech.reload()
    expect(tech.locator(".refused")).to_contain_text("letter.png")


def _noise(seed: int) -> bytes:
    """A picture of about 0.7 MB, which no compression makes smaller."""
    pixels = np.random.default_rng(seed).integers(0, 255, (480, 480, 3), dtype=np.uint8)
    return as_png(Image.fromarray(pixels))


def test_one_file_that_is_too_large_keeps_none_of_the_others_out(
    site: Site, enter: Enter, settings: Any
) -> None:
    server = replace(settings.FIRSTREAD.server, upload_mb=1)
    settings.FIRSTREAD = replace(settings.FIRSTREAD, server=server)
    tech, sent = enter("tech"), []
    tech.on("request", lambda request: sent.append(request.method))
    large = ("large.png", cell_png("red") + bytes(2**20))
    _upload(tech, ("a.png", _noise(1)), large, ("b.png", _noise(2)))
    expect(tech.locator("[data-said]")).to_have_text("All put in.")
    bad = tech.locator(".file[data-state=bad]")
    expect(bad).to_have_count(1)
    expect(bad).to_contain_text("large.png")
    expect(bad.locator(".says")).to_contain_text("Send a smaller one")
    expect(tech.locator(".file[data-state=done]")).to_have_count(2)
    assert sent.count("POST") == 2  # together they are more than one request may hold
    assert Case.objects.get().samples.count() == 2


def test_news_that_come_while_the_page_asks_are_not_lost(site: Site, enter: Enter) -> None:
    tech, known = _with_a_settled_case(enter)
    asked: list[str] = []

    def late(route: Route) -> None:
        stamp = "newer" if asked else known
        asked.append(stamp)
        time.sleep(0.5)
        route.fulfill(body=stamp, content_type="text/plain")

    tech.route("**/stamp", late)
    # The second comes while the answer to the first, which knows nothing of it, is on its way.
    tech.evaluate("""() => {
        const tell = () => document.body.dispatchEvent(new CustomEvent("changed"));
        tell();
        setTimeout(tell, 100);
    }""")
    expect(tech.locator("#case")).to_have_attribute("data-stamp", "newer")


def test_a_page_that_the_server_could_not_answer_asks_again(site: Site, enter: Enter) -> None:
    tech, _ = _with_a_settled_case(enter)
    asked: list[int] = []

    def first_fails(route: Route) -> None:
        asked.append(1)
        if len(asked) == 1:
            route.fulfill(status=503)
        else:
            route.fulfill(body="newer", content_type="text/plain")

    tech.route("**/stamp", first_fails)
    tech.evaluate('() => document.body.dispatchEvent(new CustomEvent("changed"))')
    expect(tech.locator("#case")).to_have_attribute("data-stamp", "newer")


def test_news_are_listened_to_only_when_every_script_hears_them(site: Site, enter: Enter) -> None:
    tech = enter("tech")
    _upload(tech, ("red.png", cell_png("red")))
    fetched: list[str] = []
    tech.on("requestfinished", lambda request: fetched.append(request.url.rsplit("/", 1)[-1]))

    def slow(route: Route) -> None:
        time.sleep(1)
        route.continue_()

    tech.route("**/trace.js", slow)
    # Whoever listens earlier hears of the end of a read before the page can act on it.
    with tech.expect_request("**/events"):
        tech.get_by_role("link", name="Open case").click()
    assert "trace.js" in fetched
    expect(tech.locator("#read-panel")).to_contain_text("Red cell")


def _with_a_settled_case(enter: Enter) -> tuple[Page, str]:
    """The page of a case that was read, when it has heard of that, and its stamp."""
    tech = enter("tech")
    _upload(tech, ("red.png", cell_png("red")))
    tech.get_by_role("link", name="Open case").click()
    expect(tech.locator("#read-panel")).to_contain_text("Red cell")
    tech.reload()
    tech.wait_for_load_state("networkidle")
    return tech, tech.locator("#case").get_attribute("data-stamp") or ""


def test_measurements_come_by_form_and_by_table(site: Site, enter: Enter) -> None:
    tech = enter("tech")
    tech.goto("/put-in?check=breast-cytology")
    tech.get_by_label("Cell size", exact=True).fill("12")
    tech.get_by_label("Cell shape", exact=True).fill("8")
    tech.get_by_label("missing").check()
    tech.get_by_role("button", name="Put in").click()
    expect(tech.get_by_role("alert")).to_contain_text("Cell size")
    tech.get_by_label("Cell size", exact=True).fill("9")
    tech.get_by_role("button", name="Put in").click()
    expect(tech.locator("#read-panel")).to_contain_text("Malignant")
    expect(tech.locator("#stage")).to_contain_text("missing")

    tech.goto("/put-in?check=breast-cytology")
    tech.get_by_role("radio", name="A table of many").check()
    table = "accession,size,shape,nuclei\n901,1,2,?\n902,1,99,3\n903,9,9,9\n"
    tech.get_by_label("CSV file").set_input_files(
        [{"name": "lumps.csv", "mimeType": "text/csv", "buffer": table.encode()}]
    )
    tech.get_by_role("button", name="Put the table in").click()
    expect(tech.locator(".results-title")).to_have_text("2 of 3 rows taken")
    expect(tech.locator(".result.bad")).to_contain_text("Line 3")

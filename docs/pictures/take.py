"""Take the pictures of these pages from a running demo: `python docs/pictures/take.py`."""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).parent
AT = sys.argv[1] if len(sys.argv) > 1 else "http://localhost:8000"


def main() -> None:
    """One picture for each page that the documentation shows."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = _enter(browser, "haematologist", "light")
        _take(page, "worklist")
        _open(page, " cells", "[data-evidence]")
        _take(page, "case-of-many-cells")
        page = _enter(browser, "haematologist", "dark")
        _open(page, "Erythroblast", "[data-evidence]")
        page.keyboard.press("e")
        _take(page, "case")
        page.goto(AT)
        _open(page, "Malignant", ".contributions")
        _take(page, "measurements")
        page = _enter(browser, "haematologist", "light")
        _open(page, "Ventricular", "[data-trace]")
        _take(page, "recording")
        page = _enter(browser, "tech", "light")
        page.goto(f"{AT}/put-in")
        _take(page, "put-in")
        _take(_enter(browser, "haematologist", "light", width_px=390), "phone")
        browser.close()


def _enter(browser: Browser, name: str, theme: str, *, width_px: int = 1280) -> Page:
    size = {"width": width_px, "height": 800}
    page = browser.new_page(viewport=size, color_scheme=theme)  # type: ignore[arg-type]  # a literal type
    page.goto(f"{AT}/sign-in")
    page.click(f'[data-fill="{name}"]')
    page.wait_for_selector(".case-row")
    return page


def _open(page: Page, text: str, waits_for: str) -> None:
    page.locator(".case-row", has_text=text).first.locator("a").click()
    page.wait_for_selector(waits_for)
    page.wait_for_load_state()  # then its keys work


def _take(page: Page, name: str) -> None:
    page.wait_for_timeout(700)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    # 256 colours keep each picture under 250 kB.
    picture.quantize(256, kmeans=4).save(HERE / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()

"""A whole Firstread on loopback, and people with a real Chromium each."""

from __future__ import annotations

import gc
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser_for_tests import Site

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
EXPECTED = (
    "status of 401",
    "status of 405",
    "status of 403",
    "status of 404",
    "status of 422",
    "status of 503",
    "net::ERR_FAILED",
)
"""Chromium reports refusals as console errors; the tests that provoke them look at the page."""

# On a machine that runs other tests beside this one a read takes its time.
expect.set_options(timeout=20_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browsers come last: Playwright keeps a loop running in the thread of all tests after it."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, object]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    quiet = ("gpu", "quic", "background-networking", "component-update", "sync")
    args = ["--no-sandbox", "--no-first-run", *(f"--disable-{each}" for each in quiet)]
    return {"executable_path": CHROMIUM, "args": args}


@pytest.fixture
def site(committed_clinic: Any) -> Iterator[Site]:
    """The pages served by uvicorn, and a worker that reads what comes in."""
    from firstread.server.asgi import application

    config = uvicorn.Config(application, port=0, log_level="error", lifespan="off", ws="none")
    server = uvicorn.Server(config)
    done = threading.Event()
    threads = [
        threading.Thread(target=server.run),
        threading.Thread(target=_read_until, args=(done,)),
    ]
    for thread in threads:
        thread.start()
    while not server.started:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield Site(url=f"http://127.0.0.1:{port}", clinic=committed_clinic)
    done.set()
    server.should_exit = server.force_exit = True
    for thread in threads:
        thread.join(timeout=20)
    gc.collect()  # what the server left lying warns here, and not in another test


def _read_until(done: threading.Event) -> None:
    from django.db import connections

    from firstread.clinic.checks import readers
    from firstread.clinic.steps.first_read import read_next

    try:
        while not done.is_set():
            if not read_next(readers.reader_of):
                done.wait(0.05)
    finally:
        connections.close_all()


@pytest.fixture
def enter(site: Site, browser: Browser) -> Iterator[Callable[..., Page]]:
    """Sign somebody in with a browser of their own; nothing may be wrong in its console."""
    from tests.clinic_for_tests import PASSWORD

    contexts: list[BrowserContext] = []
    wrong: list[str] = []

    def enter_as(name: str, **options: object) -> Page:
        context = browser.new_context(base_url=site.url, **options)  # type: ignore[arg-type]
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: _note(wrong, said.type, said.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto("/sign-in")
        page.get_by_label("Name").fill(name)
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/")
        return page

    yield enter_as
    for context in contexts:
        context.close()
    assert wrong == []


def _note(wrong: list[str], kind: str, text: str) -> None:
    if kind == "error" and not any(each in text for each in EXPECTED):
        wrong.append(text)

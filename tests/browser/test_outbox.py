"""The outbox in a real browser: a letter stays open while news come, and is sent again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from msgspec.structs import replace
from playwright.sync_api import Page, expect

from firstread.clinic.models import Outgoing
from firstread.clinic.outbox.delivery import deliver_next
from firstread.connect.webhook.settings import WebhookSettings
from firstread.toml import Secret
from tests.browser_for_tests import SERVER_WARNINGS, Site
from tests.clinic_for_tests import put_in, read_case
from tests.webhooks_for_tests import SECRET, Receiver, receiver

Enter = Callable[..., Page]
pytestmark = [pytest.mark.browser, *SERVER_WARNINGS]


@pytest.fixture
def hook(settings: Any) -> Iterator[Receiver]:
    with receiver() as it:
        webhook = WebhookSettings(addresses=(it.address,), secret=Secret(SECRET))
        settings.FIRSTREAD = replace(settings.FIRSTREAD, services={WebhookSettings: webhook})
        yield it


def test_a_letter_stays_open_while_news_come_and_is_sent_again(
    site: Site, enter: Enter, hook: Receiver
) -> None:
    read_case("red")
    hook.status = 410
    while deliver_next("webhook"):
        pass
    hook.status = 204
    row = Outgoing.objects.filter(channel="webhook", state="given_up").order_by("-pk")[0]
    page: Page = enter("operator")
    page.goto(f"{site.url}/outbox?channel=webhook")
    expect(page.locator("[data-live-state]").first).to_have_text("Live")
    page.locator(f"#message-{row.pk} summary").click()
    again = page.locator(f"#again-{row.pk}")
    expect(again).to_be_visible()
    before = page.locator(".letter").count()
    put_in("green", accession="99", seed=44)
    expect(page.locator(".letter")).not_to_have_count(before)
    expect(again).to_be_visible()
    again.click()
    expect(page.get_by_text("It leaves again now.")).to_be_visible()
    assert page.url.endswith("/outbox?channel=webhook")
    while deliver_next("webhook"):
        pass
    expect(page.locator(f"#message-{row.pk} .chip")).to_have_text("Sent")
    page.set_viewport_size({"width": 360, "height": 800})
    page.locator(f"#message-{row.pk} summary").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360

"""Whether the addresses answer; no event is sent."""

from __future__ import annotations

from collections.abc import Sequence

from firstread.connect.channel import Probed
from firstread.connect.webhook.delivery import ABOUT, line_to, points_elsewhere
from firstread.connect.webhook.settings import WebhookSettings, host_of
from firstread.domain.errors import Unreachable


def probe(settings: WebhookSettings) -> Sequence[Probed]:
    """Ask each address for its headers alone, which changes nothing there."""
    return [_look(address, timeout_s=settings.timeout_s) for address in settings.addresses]


def _look(address: str, *, timeout_s: float) -> Probed:
    host = host_of(address)
    try:
        status = (
            line_to(address)
            .ask("HEAD", "", timeout_s=timeout_s, max_bytes=None, headers=ABOUT)
            .status
        )
    except Unreachable as error:
        return Probed(
            says=str(error),
            remedy="Start what receives there, or correct webhook.addresses. Until then events "
            "wait in the outbox.",
        )
    if 300 <= status < 400:
        return Probed(says=points_elsewhere(host, status=status), remedy="Correct [webhook].")
    if status == 410 or status >= 500:
        return Probed(says=f"{host} answers {status}.", remedy="Look at what receives there.")
    # What takes a POST alone says so to this question, with 404 or 405.
    return Probed(says=f"{host} answers.")

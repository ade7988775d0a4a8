"""Webhooks as a channel."""

from __future__ import annotations

import json
from collections.abc import Sequence

from firstread.connect.channel import Channel, Payload, Words
from firstread.connect.webhook.delivery import deliver
from firstread.connect.webhook.probe import probe
from firstread.connect.webhook.settings import WebhookSettings, host_of


def _addresses(settings: WebhookSettings) -> Sequence[str]:
    return settings.addresses


def _text(payload: Payload) -> str:
    return json.dumps(payload, indent=2, ensure_ascii=False)


WEBHOOK = Channel(
    name="webhook",
    settings=WebhookSettings,
    sends=lambda _settings: True,
    hears=_addresses,
    deliver=deliver,
    probe=probe,
    words=Words(
        title="Webhook",
        told="told {to} of {what}",
        not_told="could not tell {to} of {what}",
        what=lambda payload: str(payload["type"]),
        text=_text,
        place=host_of,
    ),
)

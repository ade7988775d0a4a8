"""Webhooks as a channel."""

from __future__ import annotations

import json

from firstread.connect.channel import Channel, Words
from firstread.connect.webhook.delivery import deliver
from firstread.connect.webhook.probe import probe
from firstread.connect.webhook.settings import WebhookSettings, host_of

WEBHOOK = Channel(
    name="webhook",
    settings=WebhookSettings,
    sends=lambda _settings: True,
    hears=lambda settings: settings.addresses,
    deliver=deliver,
    probe=probe,
    words=Words(
        title="Webhook",
        told="told {to} of {what}",
        not_told="could not tell {to} of {what}",
        not_yet="could not tell {to} of {what} yet, and tries again",
        what=lambda payload: str(payload.get("type", "an event without a type")),
        text=lambda payload: json.dumps(payload, indent=2, ensure_ascii=False),
        place=host_of,
    ),
)

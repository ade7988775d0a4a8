"""The channels there are, a line each."""

from __future__ import annotations

from typing import Any

from firstread.connect.channel import Channel, Words, unknown_words
from firstread.connect.mail.channel import MAIL
from firstread.connect.webhook.channel import WEBHOOK

CHANNELS: dict[str, Channel[Any]] = {each.name: each for each in (MAIL, WEBHOOK)}
"""By name. The configuration takes its sections from here, the outbox its deliveries, the doctor
its probes, and the pages their words."""


def words_of(name: str) -> Words:
    """How a channel's deliveries are told; also of one that a later version had."""
    channel = CHANNELS.get(name)
    return channel.words if channel else unknown_words(name)

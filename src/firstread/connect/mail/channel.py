"""Mail as a channel."""

from __future__ import annotations

from firstread.connect.channel import Channel, Payload, Words
from firstread.connect.mail.delivery import deliver
from firstread.connect.mail.probe import probe
from firstread.connect.mail.settings import MailSettings


def letter(*, subject: str, text: str) -> Payload:
    """What a mail says."""
    return {"subject": subject, "text": text}


MAIL = Channel(
    name="mail",
    settings=MailSettings,
    sends=lambda settings: settings.backend != "outbox",
    deliver=deliver,
    through_one_server=True,
    probe=probe,
    words=Words(
        title="Mail",
        told="told {to} by mail",
        not_told="could not tell {to} by mail",
        not_yet="could not tell {to} by mail yet, and tries again",
        kept="No mail server is set up, so mails are kept here instead of being sent. mail.backend "
        "in the configuration changes that.",
        what=lambda payload: str(payload.get("subject", "A mail without a subject")),
        text=lambda payload: str(payload.get("text", "")),
    ),
)

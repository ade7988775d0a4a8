"""Whether the mail server takes us; nothing is sent."""

from __future__ import annotations

import smtplib
from collections.abc import Sequence

from firstread.connect.channel import Probed
from firstread.connect.mail.delivery import connection, why_no_connection
from firstread.connect.mail.settings import MailSettings


def probe(settings: MailSettings) -> Sequence[Probed]:
    """Sign in at the mail server, and leave."""
    if settings.backend == "outbox":
        return [Probed(says="Mails stay on the outbox page; none is sent.")]
    if settings.backend == "anymail":
        if why_not := why_no_connection(settings):
            return [Probed(says=why_not, remedy="Correct [mail].")]
        return [Probed(says=f"Mails leave by {settings.provider}.")]
    try:
        server = connection(settings)
        server.open()
        server.close()
    except (OSError, smtplib.SMTPException) as error:
        return [
            Probed(
                says=f"The mail server {settings.host}, port {settings.port}, does not take us "
                f"({type(error).__name__}).",
                remedy="Start it, or correct [mail]. Until then mails wait in the outbox.",
            )
        ]
    return [Probed(says=f"The mail server {settings.host} takes us.")]

"""A real SMTP server on loopback that does as it is told."""

from __future__ import annotations

import email
from email.message import Message
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class Mailbox:
    """Keeps what arrives; `answers` gives the reply to an address, before anything is kept."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.answers: dict[str, str] = {}
        self.on_data = "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[Any]
    ) -> str:
        answer = self.answers.get(address, "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.on_data.startswith("250"):
            content = envelope.content
            self.messages.append(
                email.message_from_bytes(
                    content if isinstance(content, bytes) else (content or "").encode()
                )
            )
        return self.on_data

    @property
    def ids(self) -> list[str]:
        """The Message-IDs in the order they came."""
        return [str(message["Message-ID"]) for message in self.messages]


def start_smtp(mailbox: Mailbox, *, port: int = 0) -> Controller:
    """A server that delivers to the mailbox; the caller stops it."""
    controller = Controller(mailbox, hostname="127.0.0.1", port=port or free_port())
    controller.start()
    return controller


def mail_through(controller: Controller) -> dict[str, str]:
    """What makes a site of its own mail through that server, as its environment."""
    return {
        "FIRSTREAD_MAIL_BACKEND": "smtp",
        "FIRSTREAD_MAIL_HOST": "127.0.0.1",
        "FIRSTREAD_MAIL_PORT": str(controller.port),
    }


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

"""A mail server that lies, hangs and forgets, as it is told."""

from __future__ import annotations

import asyncio
import email
import threading
from collections import Counter

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.campaign.samples import ACCESSION, FILE, PATIENT
from tests.smtp_for_tests import Mailbox, free_port

TIMEOUT_S = 2.0
"""How long Firstread waits for this server."""
WAYS = {
    "taken and dropped": "250 OK",
    "asked to come later": "451 Try again later",
    "relaying denied": "550 Relaying denied",
    "too large": "552 Too large",
    "failed": "554 Transaction failed",
    "busy": "421 Too busy",
    "hangs": "",
    "slow": "250 OK",
    "accepts too late": "250 OK",
    "breaks off": "",
}
_NAMED = (ACCESSION, PATIENT, FILE)


class LyingPost(Mailbox):
    """What was handed over is kept by its Message-ID, with how the server behaved."""

    def __init__(self) -> None:
        super().__init__()
        self.way = ""
        self.handed: Counter[str] = Counter()
        self.behaved: Counter[str] = Counter()
        self.names = 0
        """Mails that held a name."""
        self._lock = threading.Lock()

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.way in ("asked to come later", "relaying denied"):
            self.behaved[self.way] += 1
            return WAYS[self.way]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        way = self.way
        self.behaved[way or "taken"] += 1
        if way in ("failed", "too large", "busy"):
            return WAYS[way]
        if way == "hangs":
            await asyncio.sleep(4 * TIMEOUT_S)
            return "451 Still here"
        if way == "breaks off":
            assert server.transport is not None
            server.transport.close()
            return "451 Gone"
        self._keep(envelope)
        if way in ("slow", "accepts too late"):
            await asyncio.sleep(TIMEOUT_S * (0.4 if way == "slow" else 1.5))
        return "250 OK"

    def _keep(self, envelope: Envelope) -> None:
        content = envelope.content
        data = content if isinstance(content, bytes) else (content or "").encode()
        message = email.message_from_bytes(data)
        with self._lock:
            self.handed[str(message["Message-ID"])] += 1
            self.names += any(name.encode() in data for name in _NAMED)


class Post:
    """The server, which can be away altogether."""

    def __init__(self) -> None:
        self.box = LyingPost()
        self.port = free_port()
        self._running: Controller | None = None
        self.open()

    def open(self) -> None:
        if self._running is None:
            self._running = Controller(self.box, hostname="127.0.0.1", port=self.port)
            self._running.start()

    def close(self) -> None:
        if self._running is not None:
            self._running.stop()
            self._running = None

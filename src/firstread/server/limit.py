"""No request may fill the disk: bodies beyond the limit are counted, thrown away and refused."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

FORM_BYTES = 2**20
"""What the fields and boundaries of a form take beside its files."""


class BodyLimit:
    """Wraps an ASGI application, which itself would spool a body of any size to the disk.

    The rest of a body too large is read and thrown away: a sender that cannot finish would see a
    broken connection in place of the answer.
    """

    def __init__(self, app: App, *, most_bytes: int) -> None:
        self._app = app
        self._most_bytes = most_bytes + FORM_BYTES

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        told = dict(scope["headers"]).get(b"content-length", b"0")
        if told.isdigit() and int(told) > self._most_bytes:
            await _drain(receive)
            await self._refuse(scope, send)
            return
        taken, exceeded, answered = 0, False, False

        async def counted() -> Message:
            nonlocal taken, exceeded
            message = await receive()
            if message["type"] == "http.request":
                taken += len(message.get("body", b""))
                if taken > self._most_bytes:
                    exceeded = True
                    if message.get("more_body"):
                        await _drain(receive)
                    return {"type": "http.disconnect"}
            return message

        async def noted(message: Message) -> None:
            nonlocal answered
            answered = True
            await send(message)

        await self._app(scope, counted, noted)
        if exceeded and not answered:
            await self._refuse(scope, send)

    async def _refuse(self, scope: Scope, send: Send) -> None:
        most_mb = (self._most_bytes - FORM_BYTES) // 2**20
        problem = {
            "type": "about:blank",
            "title": "Content Too Large",
            "status": 413,
            "detail": f"The request is larger than {most_mb} MB. Send fewer samples at a time.",
            "instance": scope["path"],
        }
        headers = [(b"content-type", b"application/problem+json"), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(problem).encode()})


async def _drain(receive: Receive) -> None:
    while True:
        message = await receive()
        if message["type"] != "http.request" or not message.get("more_body"):
            return

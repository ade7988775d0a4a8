"""A body beyond the limit is refused, whether its sender says how long it is or not."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from firstread.server.limit import FORM_BYTES, BodyLimit

MB = 2**20


def send(*chunks: bytes, told: int | None = None, most_bytes: int = MB) -> tuple[int, bytes, int]:
    """Status, body, and how many bytes the application inside was given."""
    given = 0
    sent: list[dict[str, Any]] = []
    queue = [
        {"type": "http.request", "body": chunk, "more_body": place < len(chunks) - 1}
        for place, chunk in enumerate(chunks)
    ]

    async def inside(_scope: Any, receive: Any, answer: Any) -> None:
        nonlocal given
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            given += len(message["body"])
            if not message["more_body"]:
                break
        await answer({"type": "http.response.start", "status": 200, "headers": []})
        await answer({"type": "http.response.body", "body": b"ok"})

    async def receive() -> dict[str, Any]:
        return queue.pop(0)

    async def answer(message: Any) -> None:
        sent.append(message)

    headers = [] if told is None else [(b"content-length", str(told).encode())]
    scope = {"type": "http", "path": "/api/v1/cases", "headers": headers}
    asyncio.run(BodyLimit(inside, most_bytes=most_bytes)(scope, receive, answer))
    assert not queue, "the sender could not finish"
    assert [each["type"] for each in sent] == ["http.response.start", "http.response.body"]
    return sent[0]["status"], sent[1]["body"], given


def test_a_body_within_the_limit_passes() -> None:
    assert send(b"x" * MB, told=MB) == (200, b"ok", MB)
    assert send(b"x" * MB, b"y" * FORM_BYTES)[0] == 200


def test_a_body_that_is_announced_too_large_is_not_passed_on() -> None:
    status, body, given = send(b"x" * MB, b"x" * MB, b"x", told=2 * MB + 1)
    assert (status, given) == (413, 0)
    assert json.loads(body)["detail"].startswith("The request is larger than 1 MB.")


def test_a_body_of_untold_length_is_cut_off_at_the_limit() -> None:
    status, _, given = send(*[b"x" * MB] * 5)
    assert (status, given) == (413, 2 * MB)

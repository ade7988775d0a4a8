"""News for open pages as server-sent events: "something changed", never what."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from asgiref.sync import sync_to_async
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.views.decorators.http import require_GET

from firstread.clinic.shown import changes

EVERY_S = 0.4
HEARTBEAT_S = 20.0
"""Proxies close a line that says nothing for long."""
AT_MOST_S = 600.0
"""Then the page connects anew, and a person who was signed out meanwhile is noticed."""


class _Latest:
    """One look at the database for all open pages of this process."""

    def __init__(self) -> None:
        self._number = 0
        self._seen_at = 0.0

    async def number(self) -> int:
        now = time.monotonic()
        if now - self._seen_at >= EVERY_S:
            self._seen_at = now
            self._number = await sync_to_async(_look)()
        return self._number


def _look() -> int:
    try:
        return changes.latest()
    finally:
        # A stream lives long; a connection kept for it would be missing elsewhere.
        close_old_connections()


_latest = _Latest()


@require_GET
async def events(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    user: Any = await request.auser()
    if not user.is_authenticated:
        # To a browser this says: ask no more. A refusal would be an error in its console.
        return HttpResponse(status=204)
    # Known before the page hears that the line is open: whatever it then fetches is no older.
    response = StreamingHttpResponse(
        _stream(await _latest.number()), content_type="text/event-stream"
    )
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response


async def _stream(known: int) -> AsyncIterator[str]:
    began = spoke = time.monotonic()
    yield "retry: 1500\n\n"
    while time.monotonic() - began < AT_MOST_S:
        await asyncio.sleep(EVERY_S)
        now = await _latest.number()
        if now != known:
            known, spoke = now, time.monotonic()
            yield "event: changed\ndata:\n\n"
        elif time.monotonic() - spoke > HEARTBEAT_S:
            spoke = time.monotonic()
            yield ": still here\n\n"

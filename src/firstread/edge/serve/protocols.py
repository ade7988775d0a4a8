"""Every address of the HTTP reader, gathered from the protocols that it speaks."""

from __future__ import annotations

from firstread.edge.serve import native, open_inference
from firstread.edge.serve.settings import ServeSettings
from firstread.edge.serve.wire import Route


def routes(settings: ServeSettings) -> tuple[Route, ...]:
    """The routes of all protocols, none of them twice."""
    return (
        *native.ROUTES,
        *open_inference.routes(max_body_bytes=settings.max_body_bytes),
    )

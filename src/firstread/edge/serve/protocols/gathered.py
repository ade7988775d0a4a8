"""Every address of the HTTP reader, gathered from the protocols that it speaks."""

from __future__ import annotations

from collections.abc import Sequence

from firstread.domain.errors import UnknownPack
from firstread.edge.serve import health
from firstread.edge.serve.protocols import allds2020, clouds, native, open_inference
from firstread.edge.serve.settings import ServeSettings
from firstread.edge.serve.wire import Route

_ANSWERED = frozenset({"/", "/docs", "/openapi.json", "/metrics"} | {r.path for r in health.ROUTES})
"""What a GET finds beside the protocols; a cloud that asks there for our health is answered."""


def routes(settings: ServeSettings, *, names: Sequence[str]) -> tuple[Route, ...]:
    """The routes of all protocols, none of them twice, for the packs called `names`.

    Raises UnknownPack where the default pack is none of them.
    """
    default_pack = settings.default_pack
    if default_pack is not None and default_pack not in names:
        raise UnknownPack(
            f"The default pack '{default_pack}' is none of this reader's: {', '.join(names)}. "
            "Name one of them with --default-pack."
        )
    asked_for = clouds.routes(
        default_pack=default_pack,
        health_route=None if settings.health_route in _ANSWERED else settings.health_route,
        predict_route=settings.predict_route,
    )
    # What Vertex AI chose for itself may be an address of ours; then it has its own meaning.
    found = {(route.method, route.path): route for route in (*_our_own(settings), *asked_for)}
    return tuple(found.values())


def _our_own(settings: ServeSettings) -> tuple[Route, ...]:
    return (
        *native.ROUTES,
        *open_inference.routes(max_body_bytes=settings.max_body_bytes),
        *allds2020.routes(default_pack=settings.default_pack, vr_pictures=settings.vr_pictures),
    )

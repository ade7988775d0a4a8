"""What a load balancer asks: does the process live, and may it be sent requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from firstread.edge.serve.describe import answered, content
from firstread.edge.serve.problems import problem
from firstread.edge.serve.wire import Answer, Asked, as_json, open_route

if TYPE_CHECKING:
    from firstread.edge.serve.warm import WarmPacks


class Status(Struct):
    """How it is."""

    status: str


def live(asked: Asked, packs: WarmPacks) -> Answer:  # noqa: ARG001  the form of a handler
    """The process answers; nothing else is looked at."""
    return as_json(Status(status="live"))


def ready(asked: Asked, packs: WarmPacks) -> Answer:  # noqa: ARG001  the form of a handler
    """The packs that were named at the start are open, or were; at least one can be read with."""
    reason = packs.unready()
    return as_json(Status(status="ready")) if reason is None else problem(503, reason)


_LIVE = answered(content(Status), says="The process answers.")
_READY = answered(
    content(Status),
    says="It may be sent samples.",
    refused={503: "Not yet, or a pack cannot be opened; the sentence says which."},
)

ROUTES = tuple(
    open_route(path, handler, summary=summary, tag="Watch", describe=describe)
    for path, handler, summary, describe in (
        ("/healthz", live, "Whether the process lives", _LIVE),
        ("/healthz/live", live, "Whether the process lives", _LIVE),
        ("/healthz/ready", ready, "Whether it may be sent samples", _READY),
    )
)

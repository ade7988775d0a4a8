"""What a load balancer asks: does the process live, and may it be sent requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from firstread.edge.serve.problems import problem
from firstread.edge.serve.wire import Answer, Asked, as_json, open_route

if TYPE_CHECKING:
    from firstread.edge.serve.warm import WarmPacks


def live(asked: Asked, packs: WarmPacks) -> Answer:  # noqa: ARG001  the form of a handler
    """The process answers; nothing else is looked at."""
    return as_json({"status": "live"})


def ready(asked: Asked, packs: WarmPacks) -> Answer:  # noqa: ARG001  the form of a handler
    """The packs that were named at the start are open, or were; at least one can be read with."""
    reason = packs.unready()
    return as_json({"status": "ready"}) if reason is None else problem(503, reason)


def _said(description: str) -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": {"status": {"type": "string"}},
        "required": ["status"],
    }
    return {"description": description, "content": {"application/json": {"schema": schema}}}


_LIVE = {"responses": {"200": _said("The process answers.")}}
_READY = {
    "responses": {
        "200": _said("It may be sent samples."),
        "503": {"description": "Not yet, or a pack cannot be opened; the sentence says which."},
    }
}

ROUTES = tuple(
    open_route(path, handler, summary=summary, tag="Watch", describe=describe)
    for path, handler, summary, describe in (
        ("/healthz", live, "Whether the process lives", _LIVE),
        ("/healthz/live", live, "Whether the process lives", _LIVE),
        ("/healthz/ready", ready, "Whether it may be sent samples", _READY),
    )
)

"""What a protocol sees of HTTP: a request that has arrived whole, and the answer to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from msgspec import to_builtins

if TYPE_CHECKING:
    from firstread.edge.serve.warm import WarmPacks


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """One request; its body lies in memory, within the limit."""

    method: str
    path: str
    parts: Mapping[str, str] = field(default_factory=dict)
    """What stood in the places of the route, such as `pack` of `/read/{pack}`."""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    """By name in small letters."""
    body: bytes = b""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """One response, whole."""

    status: int = 200
    body: bytes = b""
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    pack: str = ""
    """The pack that read, for the log line and the counts."""
    reads: int = 0
    """How many samples it read."""


_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False, default=to_builtins)
Handler = Callable[[Asked, "WarmPacks"], Answer]


@dataclass(frozen=True, kw_only=True)
class Route:
    """Where a protocol listens, and what the OpenAPI description says of it."""

    method: str
    path: str
    """With places in braces: `/read/{pack}`."""
    handler: Handler
    reads: bool
    """Whether it decodes or runs a network: then it waits for a thread of the pool."""
    refuse: Callable[[int, str], Answer] | None = None
    """How this protocol says a status and a sentence, where its clients expect another form than
    `problems.problem`: for what is refused before the handler (413, 401, 503)."""
    open: bool = False
    """Whether it answers without the bearer token: what a load balancer asks."""
    summary: str
    tag: str
    describe: Mapping[str, Any] = field(default_factory=dict)
    """More of its OpenAPI operation: requestBody, parameters, responses."""


def open_route(
    path: str, handler: Handler, *, summary: str, tag: str, describe: Mapping[str, Any]
) -> Route:
    """A page or a probe: anybody may fetch it without the token, and it reads no sample."""
    return Route(
        method="GET",
        path=path,
        handler=handler,
        reads=False,
        open=True,
        summary=summary,
        tag=tag,
        describe=describe,
    )


def as_json(value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """The answer that carries `value`, plain or a struct, as JSON."""
    body = _ENCODER.encode(value).encode()
    return Answer(status=status, body=body, headers=headers or {})

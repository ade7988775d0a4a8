"""One request while it arrives: what its connection has of it, and what the app decided."""

from __future__ import annotations

from collections.abc import Mapping

from firstread.edge.serve.routing import NOWHERE
from firstread.edge.serve.wire import Answer


class Request:
    """What has arrived of one request."""

    __slots__ = (
        "answered", "at_s", "chunks", "early", "expects", "headers", "keep_alive", "method",
        "parts", "path", "query", "route", "size", "target",
    )  # fmt: skip

    def __init__(self, *, at_s: float) -> None:
        self.at_s = at_s
        self.target = b""
        self.method = ""
        self.path = ""
        self.query = ""
        self.headers: dict[str, str] = {}
        self.keep_alive = True
        self.expects = False
        self.route = NOWHERE
        self.parts: Mapping[str, str] = {}
        self.early: Answer | None = None
        """A refusal that needs no body: the body is thrown away."""
        self.answered = False
        self.chunks: list[bytes] = []
        self.size = 0

    def body(self) -> bytes:
        """The whole body; it is handed over, not kept."""
        chunks, self.chunks = self.chunks, []
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

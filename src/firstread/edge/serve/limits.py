"""How much, and for how long, a client may keep this process busy before anything is read."""

from __future__ import annotations

from dataclasses import dataclass

HEAD_BYTES = 64 << 10
"""The request line and all headers together."""
DRAINED_BYTES = 1 << 30
"""A refused body is read and thrown away, so that the client sees the answer, up to this much."""
PIPELINED = 16
"""Requests that one connection may send ahead of their answers."""
CONNECTIONS = 1000


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long a connection may stay silent, by what it is about to do."""

    head_s: float = 15.0
    """From the first byte of a request to the end of its headers."""
    body_s: float = 30.0
    """Between two pieces of a body."""
    idle_s: float = 75.0
    """Between two requests; more than the 60 s after which load balancers let go."""
    take_s: float = 60.0
    """To take an answer that does not fit into the sockets' buffers."""


class Held:
    """The bytes of all bodies in memory, from their arrival to their answer.

    A small machine with many clients at once would otherwise hold the largest body of each.
    """

    def __init__(self, *, most_bytes: int) -> None:
        self._most = most_bytes
        self.bytes = 0

    def take(self, count: int) -> bool:
        """Count these bytes in; False where there is no room for them."""
        if self.bytes + count > self._most:
            return False
        self.bytes += count
        return True

    def give(self, count: int) -> None:
        self.bytes -= count

"""What has to be known of a network that was written, to make a pack of it."""

from __future__ import annotations

from dataclasses import dataclass

from firstread.packs import Input, Measurement


@dataclass(frozen=True, kw_only=True)
class Made:
    """A network in the pack's own form."""

    input: Input | None = None
    """None: it takes measurements."""
    measurements: tuple[Measurement, ...] = ()
    bias: tuple[float, ...] | None = None
    """Of a sum over measurements; None where the network is none."""
    missing: str = ""
    """What it cannot tell, and why; empty where it lacks nothing."""
    apart: float
    """The largest difference of an answer from that of the file it was made of."""

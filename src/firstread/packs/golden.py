"""Golden samples: what a pack must answer on every machine, within a tolerance."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from firstread.domain.errors import PackRefused
from firstread.packs.manifest import Golden

TOLERANCE = 1e-3
"""Largest difference of a logit. Processors round differently: up to 2e-4 was seen between two
runtimes; a thousandth moves no probability by more than 0.0003."""


def golden_bytes(pack: Path, golden: Golden) -> bytes:
    """The golden sample's bytes; raises PackRefused where it is not in the pack."""
    try:
        return (pack / golden.sample).read_bytes()
    except OSError:
        raise PackRefused(
            f"The golden sample {golden.sample} of the pack '{pack.name}' is missing. "
            "Copy the pack again."
        ) from None


def refuse_other_answers(
    golden: Golden, logits: Sequence[float], *, pack: str, tolerance: float = TOLERANCE
) -> None:
    """Raises PackRefused where `logits` [K] are not what the golden sample must give."""
    apart = max(abs(a - b) for a, b in zip(golden.logits, logits, strict=True))
    if not apart <= tolerance:  # also true for NaN
        raise PackRefused(
            f"The pack '{pack}' answers differently on this machine: {golden.sample} gives logits "
            f"that are {apart:.2g} away from what they must be. Do not read with it here; "
            "reinstall onnxruntime or copy the pack again."
        )

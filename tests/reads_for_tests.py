"""Reads with chosen probabilities, for rules that take a read."""

from __future__ import annotations

from typing import Any

from firstread.domain.read import Finding, Read


def make_read(chances: dict[str, float], **other: Any) -> Read:
    """A read whose findings are `chances`; name other fields to set them."""
    findings = tuple(
        Finding(label=label, probability=chance)
        for label, chance in sorted(chances.items(), key=lambda each: -each[1])
    )
    values: dict[str, Any] = {
        "pack": "colour",
        "version": "1.0.0",
        "pack_sha256": "0" * 64,
        "sample_sha256": "1" * 64,
        "label": findings[0].label,
        "probability": findings[0].probability,
        "findings": findings,
        "finding_set": (findings[0].label,),
        "coverage": 0.95,
        "familiarity": None,
        "alarms": (),
        "unfit": None,
        "contributions": (),
        "runtime": "onnxruntime",
        "ms": 1.0,
    }
    return Read(**(values | other))

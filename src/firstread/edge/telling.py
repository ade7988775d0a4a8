"""What an edge tells the clinic of its samples: when they came, and what it read in them."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firstread.edge.entries import Entry, Evidence, Reading
from firstread.runtime import Outcome

MOST_MAP_BYTES = 2**16
"""A larger evidence map stays here: a thin line has better to carry."""
MOST_EMBEDDING = 2**12
"""Numbers of an embedding; one of more stays here, too, and the clinic fills it in."""


def reading_of(outcome: Outcome) -> Reading:
    """The outcome of a read as the spool keeps it."""
    plain = {"read": outcome.read.as_dict(), "logits": outcome.logits.tolist()}
    if outcome.embedding is not None and len(outcome.embedding) <= MOST_EMBEDDING:
        # Beside the read rather than in a column, so that a spool keeps its version.
        plain["embedding"] = base64.b64encode(_halves(outcome.embedding).tobytes()).decode()
    evidence = None
    if outcome.evidence is not None:
        halves = _halves(outcome.evidence)
        if halves.nbytes <= MOST_MAP_BYTES:
            evidence = Evidence(shape=halves.shape, data=halves.tobytes())
    return Reading(read=json.dumps(plain, allow_nan=False), evidence=evidence)


def _halves(values: NDArray[np.float32]) -> NDArray[np.float16]:
    """In half precision, little-endian; what that cannot hold is the largest that it can."""
    largest = np.finfo(np.float16).max
    return values.clip(-largest, largest).astype("<f2")


def told(entries: Sequence[Entry], *, host: str, received_at: datetime | None) -> dict[str, Any]:
    """The field `edge` of the request that carries these samples."""
    said: dict[str, Any] = {"host": host, "reads": [_read(e) for e in entries if e.read]}
    if received_at is not None:
        said["received_at"] = received_at.isoformat(timespec="milliseconds")
    return said


def _read(entry: Entry) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(entry.read or "{}")
    if entry.evidence is not None:
        plain["evidence"] = {
            "shape": list(entry.evidence.shape),
            "float16": base64.b64encode(entry.evidence.data).decode(),
        }
    return plain

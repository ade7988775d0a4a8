"""What an edge sends beside its samples, field by field: its name, when they came, its reads."""

from __future__ import annotations

import base64
import binascii
import math
from datetime import datetime
from typing import Annotated

import numpy as np
from msgspec import convert
from numpy.typing import NDArray
from pydantic import AwareDatetime, Field, StringConstraints

from firstread.clinic.api.problems import Refused
from firstread.clinic.api.schemas import Comment, Line, Number, Slug, Strict
from firstread.clinic.steps.edge_read import FromEdge, believable
from firstread.domain.read import Read
from firstread.runtime import Outcome

MOST_LABELS = 1000
MOST_BEATS = 500_000
MOST_NOTES = 32
MOST_CELLS = 2**20
"""Of an evidence map."""
MOST_EMBEDDING = 2**12
"""Numbers of an embedding."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Chance = Annotated[Number, Field(ge=0, le=1)]
Logits = Annotated[list[Number], Field(min_length=1, max_length=MOST_LABELS)]


class FindingIn(Strict):
    label: Slug
    probability: Chance


class FamiliarityIn(Strict):
    score: Chance
    familiar: bool


class ContributionIn(Strict):
    measurement: Slug
    value: Number | None
    logits: Logits


class BeatIn(Strict):
    at_s: Annotated[Number, Field(ge=0)]
    label: Slug
    probability: Chance


class MotifIn(Strict):
    """What the edge took the picture for."""

    code: Slug
    title: Annotated[Line, Field(max_length=60)]
    probability: Chance
    own: Annotated[Line, Field(max_length=60)]
    is_own: bool


class ReadIn(Strict):
    """`Read.as_dict()` of the edge."""

    pack: Annotated[Line, Field(min_length=1, max_length=120)]
    version: Annotated[Line, Field(min_length=1, max_length=32)]
    pack_sha256: Sha256
    sample_sha256: Sha256
    label: Slug
    probability: Chance
    findings: Annotated[list[FindingIn], Field(min_length=1, max_length=MOST_LABELS)]
    finding_set: Annotated[list[Slug], Field(max_length=MOST_LABELS)]
    coverage: Chance | None
    familiarity: FamiliarityIn | None
    alarms: Annotated[list[Slug], Field(max_length=MOST_LABELS)]
    unfit: Annotated[Comment, Field(max_length=300)] | None
    contributions: Annotated[list[ContributionIn], Field(max_length=MOST_LABELS)]
    runtime: Annotated[Line, Field(max_length=200)]
    ms: Annotated[Number, Field(ge=0)]
    groups: Annotated[list[FindingIn], Field(max_length=MOST_LABELS, default_factory=list)]
    beats: Annotated[list[BeatIn], Field(max_length=MOST_BEATS, default_factory=list)]
    notes: Annotated[
        list[Annotated[Comment, Field(max_length=300)]],
        Field(max_length=MOST_NOTES, default_factory=list),
    ]
    calibrated: bool = True
    motif: MotifIn | None = None


class EvidenceIn(Strict):
    """A map [K, h, w], or along a trace [B, t], little-endian float16 in base64."""

    shape: Annotated[list[Annotated[int, Field(ge=1, le=4096)]], Field(min_length=2, max_length=3)]
    float16: Annotated[str, Field(max_length=4 * MOST_CELLS)]


Embedding = Annotated[
    str,
    Field(
        max_length=4 * MOST_EMBEDDING,
        description="What the network saw [D], little-endian float16 in base64.",
    ),
]


class EdgeReadIn(Strict):
    read: ReadIn
    logits: Logits
    evidence: EvidenceIn | None = None
    embedding: Embedding | None = None


class EdgeIn(Strict):
    """Read by a machine that was away; see docs/edge.md."""

    host: Annotated[Line, Field(min_length=1, max_length=64, examples=["ward-3"])]
    received_at: AwareDatetime | None = None
    """When the samples came in there: not in the future, at most 90 days ago."""
    reads: Annotated[list[EdgeReadIn], Field(max_length=64, default_factory=list)]


def from_edge(given: EdgeIn) -> FromEdge:
    """What the edge said, as the values that intake takes."""
    return FromEdge(
        host=given.host,
        received_at=_received_at(given),
        reads={each.read.sample_sha256: _edge_read(each) for each in given.reads},
    )


def _received_at(given: EdgeIn) -> datetime | None:
    """When the samples came in at the edge; refuses a moment that cannot be."""
    if given.received_at is None:
        return None
    at = believable(given.received_at)
    if at is None:
        raise Refused(
            422,
            "'received_at' must lie in the last 90 days, and not in the future. Set the clock of "
            "the edge, or leave it out.",
        )
    return at


def _edge_read(each: EdgeReadIn) -> Outcome:
    read = convert(each.read.model_dump() | {"unfit": each.read.unfit or None}, Read)
    evidence = None if each.evidence is None else _map(each.evidence)
    embedding = None if each.embedding is None else _embedding(each.embedding)
    with np.errstate(over="ignore"):  # what is too large becomes infinite, and does not add up
        logits = np.array(each.logits, dtype=np.float32)
    return Outcome(read=read, logits=logits, evidence=evidence, embedding=embedding)


def _map(given: EvidenceIn) -> NDArray[np.float32]:
    cells, halves = math.prod(given.shape), _halves(given.float16)
    if cells > MOST_CELLS or halves is None or halves.size != cells:
        raise Refused(422, "The evidence map does not hold what its shape says. Leave it out.")
    return halves.reshape(given.shape)


def _embedding(given: str) -> NDArray[np.float32]:
    halves = _halves(given)
    if halves is None or not halves.size:
        raise Refused(422, "The embedding is not float16 numbers in base64. Leave it out.")
    return halves


def _halves(given: str) -> NDArray[np.float32] | None:
    """The little-endian float16 numbers that the base64 holds; None where it holds none whole."""
    try:
        data = base64.b64decode(given, validate=True)
    except (binascii.Error, ValueError):
        return None
    return None if len(data) % 2 else np.frombuffer(data, dtype="<f2").astype(np.float32)

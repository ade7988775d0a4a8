"""A read as the row that keeps it, and the row as the frozen value it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
from msgspec import convert
from numpy.typing import NDArray

from firstread.clinic.models import CaseSample, ReadRow
from firstread.clinic.storage.beats_bytes import Beats, pack_beats, unpack_beats
from firstread.clinic.storage.embeddings import pack_embedding
from firstread.clinic.storage.evidence_bytes import pack_array, pack_stretches
from firstread.domain.foremost import foremost
from firstread.domain.read import Read
from firstread.runtime import Outcome


def row_of(
    outcome: Outcome, *, case_sample: CaseSample, codes: Sequence[str], at: datetime
) -> ReadRow:
    """The row, not saved yet; `codes` are the pack's labels in the order of the logits."""
    read, evidence = outcome.read, outcome.evidence
    body = replace(read, beats=()).as_dict()
    del body["beats"]
    shown = {each.label for each in foremost(read.findings, always=read.alarms)}
    if evidence is not None and evidence.ndim == 3 and len(shown) < len(codes):
        # Of a thousand labels a page offers the maps of a few, and a case may hold many samples.
        kept = [place for place, code in enumerate(codes) if code in shown]
        evidence = evidence[kept]
        body["maps"] = [codes[place] for place in kept]
    return ReadRow(
        case_sample=case_sample,
        pack=read.pack,
        version=read.version,
        pack_sha256=read.pack_sha256,
        body=body
        | {"logits": outcome.logits.tolist(), "codes": list(codes), "counts": read.counts},
        evidence=None if evidence is None else _packed(evidence),
        beats=pack_beats(read.beats, codes=codes),
        embedding=pack_embedding(outcome.embedding),
        created_at=at,
    )


def _packed(evidence: NDArray[np.float32]) -> bytes:
    return pack_stretches(evidence) if evidence.ndim == 2 else pack_array(evidence)


def beats_of(row: ReadRow) -> Beats:
    """Every beat of a recording; none of another sample."""
    data = None if row.beats is None else bytes(row.beats)
    return unpack_beats(data, codes=codes_of(row))


def counts_of(row: ReadRow) -> dict[str, int]:
    """How many beats of each label a recording has; empty for another sample."""
    return dict(row.body.get("counts", {}))


def codes_of(row: ReadRow) -> tuple[str, ...]:
    """The labels in the order of the logits, as the pack had them when it read."""
    return tuple(row.body.get("codes", ()))


def maps_of(row: ReadRow) -> tuple[str, ...]:
    """The labels whose evidence maps the row keeps, in their order, where it keeps any."""
    return tuple(row.body.get("maps", codes_of(row)))


def read_of(row: ReadRow) -> Read:
    """The Read whose values the row keeps; its beats, which may be many, are left to `beats_of`."""
    return convert(row.body, Read)

"""The read that an edge made while the network was away: the first read, or not, and why."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from firstread.clinic import audit
from firstread.clinic.checks.checks import manifest_of
from firstread.clinic.models import Case, CaseSample, Check, Person, ReadRow, clock
from firstread.clinic.steps.kinds import KINDS
from firstread.clinic.storage.reads import row_of
from firstread.domain.errors import PackRefused, UnknownPack
from firstread.domain.read import Read
from firstread.packs import Manifest, find_pack, pack_sha256
from firstread.runtime import Outcome, calibrate
from firstread.runtime.familiarity import embedding_length

OLDEST = timedelta(days=90)
CLOCKS_APART = timedelta(minutes=5)
"""By how much an edge's clock may run fast; what it names as later than now came now."""
TOLERANCE = 1e-6
"""By how much a probability may differ from what its logits give: they are the same formula."""
PARTS_TOLERANCE = 1e-3
"""By how much contributions may miss the logits, which another machine rounds otherwise."""


@dataclass(frozen=True, kw_only=True)
class FromEdge:
    """What an edge says of the samples that it sends."""

    host: str
    """The machine's name, as it calls itself."""
    received_at: datetime | None = None
    """When the samples came in there."""
    reads: Mapping[str, Outcome]
    """By the hash of the sample."""


def believable(at: datetime) -> datetime | None:
    """When samples came in at an edge, by the database's clock; None where that cannot be."""
    now = clock.now()
    return min(at, now) if now - OLDEST <= at <= now + CLOCKS_APART else None


def take_reads(
    fresh: Sequence[CaseSample], *, case: Case, asked: FromEdge, by: Person | None
) -> None:
    """Write the reads that hold as first reads; the others the clinic makes anew.

    Runs in the transaction that receives the samples.
    """
    offered = [(row, asked.reads[row.sample_id]) for row in fresh if row.sample_id in asked.reads]
    own = _own_pack(case.check_row) if offered else None
    why, good = "", []
    for row, edge_read in offered:
        refusal = _why_not(edge_read, sample=row.sample_id, own=own)
        why = why or refusal
        if not refusal:
            good.append((row, edge_read))
    lost = [_embedding_trouble(each, own=own) for _, each in good]
    _write(
        [
            (row, replace(each, embedding=None) if trouble else each)
            for (row, each), trouble in zip(good, lost, strict=True)
        ],
        codes=own.manifest.codes if own else (),
    )
    detail: dict[str, object] = {"host": asked.host, "samples": len(fresh), "reads": len(good)}
    if asked.received_at is not None:
        detail["received_at"] = asked.received_at.isoformat(timespec="seconds")
    if good:
        detail["pack"] = f"{good[0][1].read.pack} {good[0][1].read.version}"
    audit.append("from_edge", by=by, case=case, detail=detail)
    if why:
        told = {"host": asked.host, "reads": len(offered) - len(good), "why": why}
        audit.append("edge_read_not_taken", by=by, case=case, detail=told)
    if any(lost):
        # The read holds without it, and a sample must not wait at an edge for want of it.
        told = {"host": asked.host, "reads": sum(map(bool, lost)), "why": max(lost)}
        audit.append("edge_embedding_not_kept", by=by, case=case, detail=told)


@dataclass(frozen=True, kw_only=True)
class _Own:
    """The clinic's own pack of the check."""

    manifest: Manifest
    sha256: str
    embedding_length: int | None
    """None where the pack does not say."""


def _own_pack(check: Check) -> _Own | None:
    try:
        folder: Path = find_pack(check.pack)
        manifest = manifest_of(check)
        return _Own(
            manifest=manifest,
            sha256=pack_sha256(folder),
            embedding_length=embedding_length(folder, stated=manifest.familiarity),
        )
    except (PackRefused, UnknownPack):
        return None


def _write(good: Sequence[tuple[CaseSample, Outcome]], *, codes: Sequence[str]) -> None:
    now = clock.now()
    ReadRow.objects.bulk_create(
        row_of(each, case_sample=row, codes=codes, at=now) for row, each in good
    )


def _embedding_trouble(each: Outcome, *, own: _Own | None) -> str:
    """Why the embedding that came with the read is not kept, or ''."""
    length = own.embedding_length if own else None
    if each.embedding is None:
        return ""
    if length is None:
        return "the pack does not say how many numbers one has"
    if len(each.embedding) != length:
        return f"it has {len(each.embedding)} numbers, and the pack gives {length}"
    return "" if np.isfinite(each.embedding).all() else "it holds what is no number"


def _why_not(each: Outcome, *, sample: str, own: _Own | None) -> str:
    """Why the read does not count here, or ''."""
    read = each.read
    if own is None:
        return "the clinic's own pack cannot be opened"
    manifest = own.manifest
    if (read.pack, read.version, read.pack_sha256) != (manifest.name, manifest.version, own.sha256):
        return "the edge read with another pack"
    if KINDS[manifest.kind].not_from_edge:
        return KINDS[manifest.kind].not_from_edge
    if read.sample_sha256 != sample:
        return "the read is of another sample"
    if not adds_up(each, manifest=manifest):
        return "the numbers of the read do not add up"
    return ""


def adds_up(each: Outcome, *, manifest: Manifest) -> bool:
    """Whether the pack could have said this: everything follows from the logits as it must."""
    codes, read = list(manifest.codes), each.read
    if len(each.logits) != len(codes) or {f.label for f in read.findings} != set(codes):
        return False
    chances = calibrate.probabilities(each.logits, temperature=manifest.calibration.temperature)
    said = np.array([next(f.probability for f in read.findings if f.label == c) for c in codes])
    order = [f.probability for f in read.findings]
    return (
        len(read.findings) == len(codes)
        and bool(np.abs(said - chances).max() <= TOLERANCE)
        and order == sorted(order, reverse=True)
        and (read.label, read.probability) == (read.findings[0].label, order[0])
        and _set_and_alarms(read, codes, said, manifest=manifest)
        and _parts(each, manifest=manifest)
        and _map_fits(each.evidence, labels=len(codes))
    )


def _set_and_alarms(
    read: Read, codes: Sequence[str], chances: NDArray[np.float64], *, manifest: Manifest
) -> bool:
    conformal = manifest.conformal
    expected = calibrate.finding_set(codes, chances, conformal=conformal) if conformal else ()
    alarms = calibrate.alarms(chances, manifest=manifest)
    groups = calibrate.groups_of(codes, chances, groups=manifest.groups)
    return (
        read.coverage == (conformal.coverage if conformal else None)
        and read.finding_set == expected
        and read.alarms == alarms
        and [each.label for each in read.groups] == [each.label for each in groups]
        and all(
            abs(said.probability - own.probability) <= TOLERANCE
            for said, own in zip(read.groups, groups, strict=True)
        )
        and (read.is_anothers or bool(read.unfit) >= manifest.label(read.label).unfit)
        and (read.familiarity is None) == (manifest.familiarity is None)
        and read.calibrated == (manifest.calibration.method != "none")
    )


def _parts(each: Outcome, *, manifest: Manifest) -> bool:
    """Whether contributions add up to the logits; pictures have none."""
    parts = each.read.contributions
    if manifest.measurements_model is None:
        return not parts
    if [part.measurement for part in parts] != [m.code for m in manifest.measurements]:
        return False
    if any(len(part.logits) != len(each.logits) for part in parts):
        return False
    sums = np.array([part.logits for part in parts]).sum(axis=0)
    total = sums + np.asarray(manifest.measurements_model.bias)
    return bool(np.allclose(total, each.logits, atol=PARTS_TOLERANCE))


def _map_fits(evidence: NDArray[np.float32] | None, *, labels: int) -> bool:
    return evidence is None or (
        evidence.ndim == 3
        and evidence.shape[0] == labels
        and math.prod(evidence.shape) <= 2**20
        and bool(np.isfinite(evidence).all())
    )

"""Reading samples again with the pack that read them: to compare the numbers, or to fill in.

A case's reads are compared with what the same pack says now. What a read lacks because an older
Firstread made it, its embedding, is filled in where the numbers are the same.
"""

from __future__ import annotations

import random
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db import DatabaseError
from django.db.models import QuerySet

from firstread.clinic.models import ReadRow
from firstread.clinic.queue.find_case import found_case
from firstread.clinic.queue.waiting import why_waiting
from firstread.clinic.storage import store
from firstread.clinic.storage.embeddings import pack_embedding
from firstread.clinic.storage.reads import beats_of, read_of
from firstread.domain.case import CaseState
from firstread.domain.errors import FirstreadError, PackRefused, UnknownPack, Unreachable
from firstread.domain.motif import Motif
from firstread.packs import find_pack, golden
from firstread.runtime import Outcome, PackReader, open_reader
from firstread.runtime.kinds import KINDS

TOLERANCE = 1e-4
"""By how much a probability or logit may differ on another machine."""
AT_ONCE = 256
"""How many reads without an embedding are taken in view at a time."""

_Key = tuple[str, str, str]
"""Name, version and hash of a pack."""


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """One sample of the case, read again."""

    position: int
    same: bool
    pack: str
    version: str
    label: str
    largest_difference: float
    changed: tuple[str, ...]
    """What differs from then: pack, runtime, sample, numbers."""


def replay(case_id: uuid.UUID | str) -> list[Replayed]:
    """Read every sample of the case again; raises UnknownCase, and PackRefused without the pack."""
    case = found_case(case_id)
    rows = ReadRow.objects.filter(case_sample__case=case).select_related("case_sample")
    readers: dict[_Key, PackReader] = {}
    return [_again(row, readers) for row in rows.order_by("case_sample__position")]


def unread(case_id: uuid.UUID | str) -> list[tuple[int, str]]:
    """The samples of the case that have no read, by position, each with the reason."""
    case = found_case(case_id)
    read = ReadRow.objects.filter(case_sample__case=case).values("case_sample")
    if case.unfit_reason:
        why = f"was not read, for the case is unfit: {case.unfit_reason}"
    elif waits := why_waiting([case]).get(case.pk):
        why = f"was not read yet, and waits: {waits}"
    else:
        why = "was not read yet" if case.state == CaseState.RECEIVED else "could not be opened"
    without = case.samples.exclude(pk__in=read).order_by("position")
    return [(position, why) for position in without.values_list("position", flat=True)]


def _again(row: ReadRow, readers: dict[_Key, PackReader]) -> Replayed:
    then = read_of(row)
    key = (row.pack, row.version, row.pack_sha256)
    if key not in readers:
        readers[key] = _opened(*key)
    reader = readers[key]
    changed = []
    if reader.pack_sha256 != row.pack_sha256:
        changed.append(f"the pack's hash was {row.pack_sha256[:12]}, is {reader.pack_sha256[:12]}")
    if reader.runtime != then.runtime:
        changed.append(f"the runtime was {then.runtime}, is {reader.runtime}")
    try:
        outcome = reader.read(store.open(row.case_sample.sample_id))
    except FirstreadError as error:
        changed.append(str(error))
        apart = float("inf")
    else:
        now = {finding.label: finding.probability for finding in outcome.read.findings}
        gaps = [abs(now.get(f.label, 0.0) - f.probability) for f in then.findings]
        apart = max([*gaps, _logits_apart(row, outcome) or 0.0])
        if apart > TOLERANCE:
            changed.append(f"the numbers differ by up to {apart:.2g}")
        if said := _other_motif(then.motif, outcome.read.motif):
            changed.append(said)
            apart = max(apart, 1.0)
        if (beats := _other_beats(row, outcome)) > 0:
            changed.append(f"{beats} beats are found elsewhere, or named otherwise")
            apart = max(apart, 1.0)
    return Replayed(
        position=row.case_sample.position,
        same=apart <= TOLERANCE,
        pack=row.pack,
        version=row.version,
        label=then.label if then.verdict.names_finding else then.verdict.says,
        largest_difference=apart,
        changed=tuple(changed),
    )


def _other_motif(then: Motif | None, now: Motif | None) -> str:
    """For what else the picture is taken now, in a few words; empty where it is for the same."""
    if then is None or (now is not None and now.code == then.code):
        return ""
    taken = "nobody can say what it shows" if now is None else f"now for {now.title}"
    return f"the picture was taken for {then.title}, {taken}"


def _other_beats(row: ReadRow, outcome: Outcome) -> int:
    """How many beats of a recording are not where they were, or not what they were."""
    then, now = beats_of(row), outcome.read.beats
    both = zip(then.at_s.tolist(), then.label.tolist(), now, strict=False)
    same: int = sum(
        abs(at_s - beat.at_s) <= TOLERANCE and then.codes[label] == beat.label
        for at_s, label, beat in both
    )
    return max(len(then), len(now)) - same


def _logits_apart(row: ReadRow, outcome: Outcome) -> float | None:
    """By how much the logits differ at most from those of then; None where they do not compare."""
    logits = row.body.get("logits", [])
    if len(logits) != len(outcome.logits):
        return None
    gaps = (abs(a - float(b)) for a, b in zip(logits, outcome.logits, strict=True))
    return float(max(gaps))


def _opened(pack: str, version: str, sha256: str) -> PackReader:
    """The pack of that very version: its folder may carry the version or not.

    Where two do, the one of that hash, else the first. Raises PackRefused where none does.
    """
    refusal: PackRefused | None = None
    other: PackReader | None = None
    for name in (f"{pack}-{version}", pack):
        try:
            reader = open_reader(find_pack(name))
        except UnknownPack:
            continue
        except PackRefused as error:
            refusal = error  # said unless the other folder has the pack whole
            continue
        if reader.manifest.version == version and reader.pack_sha256 == sha256:
            return reader
        if reader.manifest.version == version:
            other = other or reader
    if other is not None:
        return other
    raise refusal or PackRefused(
        f"The pack {pack} {version} that read this case is not here. Put it back on a shelf "
        "(FIRSTREAD_PACKS)."
    )


@dataclass(kw_only=True)
class Tally:
    """What filling in came to so far."""

    filled: int = 0
    size_bytes: int = 0
    """Of what was filled in."""
    nothing_to_keep: int = 0
    """Reads whose pack gives no embedding of them: nothing is missing there."""
    left: Counter[str] = field(default_factory=Counter)
    """How many reads were left as they are, by the sentence that says why and what to do."""
    such_as: dict[str, uuid.UUID] = field(default_factory=dict)
    """A case for each of those sentences."""

    def leave(self, why: str, *, case_id: uuid.UUID) -> None:
        self.left[why] += 1
        self.such_as.setdefault(why, case_id)


def without_embedding() -> QuerySet[ReadRow]:
    """The first reads that an older Firstread made, or whose pack gives none."""
    return ReadRow.objects.filter(embedding=None)


def fill(tally: Tally, *, limit: int | None = None) -> Iterator[None]:
    """Read again the samples of those reads, and keep what the network sees; a step for each read.

    Ends after `limit` were filled in. Each is written by itself, once: whatever stops this, run
    again it goes on, and two that run at a time share the work. Raises Unreachable where the
    database fails meanwhile.
    """
    try:
        yield from _filling(tally, limit=limit)
    except DatabaseError as error:
        said = str(error).partition("\n")[0].rstrip(".")
        raise Unreachable(
            f"The database did not go on with it: {said}. What is filled in stays; mend that, and "
            "run this again."
        ) from None


def _filling(tally: Tally, *, limit: int | None) -> Iterator[None]:
    packs: dict[_Key, PackReader | str | None] = {}
    last = 0
    while True:
        rows = without_embedding().filter(pk__gt=last).order_by("pk")
        seen = list(
            rows.values_list("pk", "pack", "version", "pack_sha256", "case_sample__case")[:AT_ONCE]
        )
        if not seen:
            return
        last = seen[-1][0]
        random.shuffle(seen)  # so that two that run at a time are seldom at the same read
        for pk, pack, version, sha256, case_id in seen:
            if limit is not None and tally.filled >= limit:
                return
            key = (pack, version, sha256)
            if key not in packs:
                packs[key] = _seeing(*key)
            reader = packs[key]
            if reader is None:
                tally.nothing_to_keep += 1
            elif isinstance(reader, str):
                tally.leave(reader, case_id=case_id)
            else:
                _fill_one(pk, reader, tally, case_id=case_id)
            yield


def _seeing(pack: str, version: str, sha256: str) -> PackReader | str | None:
    """The pack that read, open; None where it gives no embedding; or why it cannot be had."""
    try:
        reader = _opened(pack, version, sha256)
    except PackRefused as error:
        return str(error)
    gives = reader.run(KINDS[reader.manifest.kind].blank(reader.manifest))
    return reader if "embedding" in gives else None


def _fill_one(pk: int, reader: PackReader, tally: Tally, *, case_id: uuid.UUID) -> None:
    row = without_embedding().select_related("case_sample").defer("evidence").filter(pk=pk).first()
    if row is None:
        return  # another that fills in was here first
    try:
        outcome = reader.read(store.open(row.case_sample.sample_id))
    except FirstreadError as error:
        tally.leave(str(error), case_id=case_id)
        return
    apart = _logits_apart(row, outcome)
    # As golden samples are compared, for another machine may have read. A pack of that version in
    # which something else than the network was changed sees what it saw.
    if apart is None or not apart <= golden.TOLERANCE or _other_beats(row, outcome):
        tally.leave(_why_otherwise(row, reader), case_id=case_id)
        return
    data = pack_embedding(outcome.embedding)
    if data is None:
        tally.nothing_to_keep += 1
    elif without_embedding().filter(pk=pk).update(embedding=data):
        tally.filled += 1
        tally.size_bytes += len(data)


def _why_otherwise(row: ReadRow, reader: PackReader) -> str:
    name = f"{row.pack} {row.version}"
    if reader.pack_sha256 != row.pack_sha256:
        return (
            f"They were read by another {name} ({row.pack_sha256[:12]}) than the one that is here "
            f"({reader.pack_sha256[:12]}), whose numbers differ. Put that one on a shelf "
            f"(FIRSTREAD_PACKS) in a folder '{row.pack}-{row.version}', and run this again."
        )
    return (
        f"{name} gives other numbers here than it gave then, so what it sees is not what it saw. "
        "Run this where they were read; 'firstread replay CASE' compares."
    )

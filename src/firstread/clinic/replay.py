"""Reading a case's samples again with the pack that read them, and comparing the numbers."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from firstread.clinic.models import ReadRow
from firstread.clinic.queue.find_case import found_case
from firstread.clinic.storage import store
from firstread.clinic.storage.reads import beats_of, read_of
from firstread.domain.errors import FirstreadError, PackRefused, UnknownPack
from firstread.packs import find_pack
from firstread.runtime import Outcome, PackReader, open_reader

TOLERANCE = 1e-4
"""By how much a probability or logit may differ on another machine."""


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
    readers: dict[tuple[str, str], PackReader] = {}
    return [_again(row, readers) for row in rows.order_by("case_sample__position")]


def _again(row: ReadRow, readers: dict[tuple[str, str], PackReader]) -> Replayed:
    then = read_of(row)
    key = (row.pack, row.version)
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
        logits = row.body.get("logits", [])
        if len(logits) == len(outcome.logits):
            gaps += [abs(a - float(b)) for a, b in zip(logits, outcome.logits, strict=True)]
        apart = max(gaps, default=0.0)
        if apart > TOLERANCE:
            changed.append(f"the numbers differ by up to {apart:.2g}")
        if (beats := _other_beats(row, outcome)) > 0:
            changed.append(f"{beats} beats are found elsewhere, or named otherwise")
            apart = max(apart, 1.0)
    return Replayed(
        position=row.case_sample.position,
        same=apart <= TOLERANCE,
        pack=row.pack,
        version=row.version,
        label=then.label,
        largest_difference=apart,
        changed=tuple(changed),
    )


def _other_beats(row: ReadRow, outcome: Outcome) -> int:
    """How many beats of a recording are not where they were, or not what they were."""
    then, now = beats_of(row), outcome.read.beats
    both = zip(then.at_s.tolist(), then.label.tolist(), now, strict=False)
    same: int = sum(
        abs(at_s - beat.at_s) <= TOLERANCE and then.codes[label] == beat.label
        for at_s, label, beat in both
    )
    return max(len(then), len(now)) - same


def _opened(pack: str, version: str) -> PackReader:
    """The pack of that very version: its folder may carry the version or not."""
    refusal: PackRefused | None = None
    for name in (f"{pack}-{version}", pack):
        try:
            reader = open_reader(find_pack(name))
        except UnknownPack:
            continue
        except PackRefused as error:
            refusal = error  # said unless the other folder has the pack whole
            continue
        if reader.manifest.version == version:
            return reader
    raise refusal or PackRefused(
        f"The pack {pack} {version} that read this case is not here. Put it back on a shelf "
        "(FIRSTREAD_PACKS)."
    )

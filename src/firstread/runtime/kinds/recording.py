"""A recording: every beat is found, shown to the network, named and counted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from firstread.domain.errors import UnreadableSample
from firstread.domain.read import Familiarity
from firstread.packs import Manifest, RecordingInput
from firstread.recordings import Recording, open_recording
from firstread.recordings.beats import find_beats
from firstread.runtime.beats import channels, window_samples
from firstread.runtime.kinds import KindOfRead
from firstread.runtime.open_pack import OpenPack, Outcome, ms_since
from firstread.runtime.recording import (
    NamedBeats,
    alarms_of,
    beats_of,
    familiarity_of,
    findings_of,
    groups_among,
    headline_of,
    mean_logits,
    name_beats,
    unfit_recording,
)


def named_beats(pack: OpenPack, recording: Recording) -> tuple[NamedBeats, str | None]:
    """Every beat of an opened recording, named; and why the recording is unfit, or None.

    Raises UnreadableSample where the pack reads no recordings.
    """
    if pack.manifest.recording is None:
        raise UnreadableSample(
            f"The pack {pack.manifest.name} does not read recordings. Name another pack."
        )
    found = find_beats(recording)
    unfit = unfit_recording(recording, found, given=pack.manifest.recording)
    return name_beats(recording, found, manifest=pack.manifest, run=pack.run), unfit


def beat_familiarity(
    pack: OpenPack, named: NamedBeats, places: NDArray[np.int64]
) -> list[Familiarity | None]:
    """How familiar the beats at `places` are; None where the pack does not tell."""
    near, vectors = pack.neighbours, named.embeddings
    if near is None or vectors is None:
        return [None] * len(places)
    return [near.familiarity(vectors[place]) for place in places.tolist()]


def _read(pack: OpenPack, data: bytes, *, sample_sha256: str, began: float) -> Outcome:
    manifest, codes = pack.manifest, pack.manifest.codes
    named, unfit = named_beats(pack, open_recording(data))
    findings = findings_of(named, codes=codes)
    alarms = alarms_of(named, manifest=manifest)
    top = headline_of(named, findings, alarms, manifest=manifest)
    read = pack.read_of(
        sample_sha256=sample_sha256,
        label=top.label,
        probability=top.probability,
        findings=findings,
        # Coverage is promised for each beat; of a thousand beats some sets miss the truth.
        finding_set=(),
        coverage=None,
        familiarity=familiarity_of(named, neighbours=pack.neighbours),
        alarms=alarms,
        groups=groups_among(findings, groups=manifest.groups),
        unfit=unfit,
        contributions=(),
        ms=ms_since(began),
        beats=beats_of(named, codes=codes),
        notes=named.notes,
    )
    return Outcome(
        read=read,
        logits=mean_logits(named),
        evidence=named.evidence,
        embedding=None if named.embeddings is None else named.embeddings.mean(0),
    )


def _given(manifest: Manifest) -> RecordingInput:
    if manifest.recording is None:
        raise TypeError("a pack of kind recording has [recording]; its manifest was checked")
    return manifest.recording


def _shape(manifest: Manifest) -> tuple[int, ...]:
    given = _given(manifest)
    return channels(given), window_samples(given)[1]


KIND = KindOfRead(
    input="signal",
    element=np.float32,
    axes="NCT",
    outputs={"logits": "NK", "embedding": "ND", "evidence": "NKt"},
    shape=_shape,
    read=_read,
)

"""A recording becomes a read: its beats are found, shown to the network, named and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firstread.domain.priority import Priority
from firstread.domain.read import Beat, Familiarity, Finding
from firstread.packs import Group, Manifest, RecordingInput
from firstread.recordings import Recording
from firstread.recordings.beats import BeatsFound
from firstread.recordings.paper import clock
from firstread.runtime import calibrate
from firstread.runtime.beats import shown_beats
from firstread.runtime.familiarity import Neighbours

AT_ONCE = 256
"""How many beats the network sees in one run: enough to be quick, few enough to need no memory."""
MAX_NOISE = 0.5
_FASTEST_BPM = 320.0
_LEAD_OFF = 0.5
_FLAT_MV = 0.02
_TOLD_S = 0.5
_LEADS_TOLD = 12
PAUSE_S = 3.0
"""Without a beat for so long a heart is said to pause (ACC/AHA/HRS 2018: more than 3 s)."""

Run = Callable[[NDArray[np.float32]], dict[str, NDArray[np.float32]]]


@dataclass(frozen=True, kw_only=True, eq=False)
class NamedBeats:
    """Every beat of a recording with all that the network says of it; B beats, K labels."""

    at_s: NDArray[np.float64]
    """[B]"""
    logits: NDArray[np.float32]
    """[B, K]"""
    chances: NDArray[np.float64]
    """[B, K], calibrated"""
    labels: NDArray[np.int64]
    """[B]: the place of the label that each beat is given."""
    embeddings: NDArray[np.float32] | None
    """[B, D]"""
    evidence: NDArray[np.float32] | None
    """[B, t]: what each stretch of a beat's window adds to the logit of its own label."""
    notes: tuple[str, ...] = ()
    """What was left out of the recording, and where no heart beats in it."""


def unfit_recording(
    recording: Recording, found: BeatsFound, *, given: RecordingInput
) -> str | None:
    """Why no model may be trusted with the recording, with the remedy; None where nothing is."""
    if recording.length_s < given.min_length_s:
        return (
            f"The recording is too short: it lasts {recording.length_s:.1f} seconds. Record "
            f"{given.min_length_s:.0f} seconds or more."
        )
    off = _nothing_shown(recording)
    if off is not None:
        return off
    if not len(found.at_s):
        return "No heartbeat can be found: check the electrodes, record again."
    rate_bpm = 60.0 * len(found.at_s) / recording.length_s
    if found.noise > MAX_NOISE or rate_bpm > _FASTEST_BPM:
        return (
            "The recording is too noisy: let the patient lie still, check the electrodes, and "
            "record again."
        )
    return None


def _nothing_shown(recording: Recording) -> str | None:
    missing = recording.missing or (0.0,) * len(recording.leads)
    if min(missing) > _LEAD_OFF:
        return "The leads were off for most of the time: check the electrodes, record again."
    if float(np.ptp(recording.signal, axis=1).max()) < _FLAT_MV:
        return "The recording is a flat line: check the electrodes and cables, record again."
    if min(recording.silent_share(row) for row in range(len(recording.leads))) > _LEAD_OFF:
        return (
            "The leads show nothing for most of the time, a flat or a held line: check the "
            "electrodes, record again."
        )
    return None


def notes_of(recording: Recording, found: BeatsFound) -> tuple[str, ...]:
    """What was left out of the recording, and where no heart beats in it, a sentence each."""
    return (*recording.notes, *_silence_told(recording, found), *_pauses_told(found))


def _silence_told(recording: Recording, found: BeatsFound) -> list[str]:
    spans = found.silent_s
    lost_s = float((spans[:, 1] - spans[:, 0]).sum())
    told = []
    if lost_s >= _TOLD_S:
        told.append(
            f"For {lost_s:.1f} s of the recording no lead shows anything, first from "
            f"{clock(float(spans[0, 0]))} (not measured, flat, held, or a pause of the heart): no "
            "beats are looked for there, and those beside are judged without it."
        )
    for row, lead in enumerate(recording.leads[:_LEADS_TOLD]):
        off_s = recording.silent_share(row) * recording.length_s
        if off_s - lost_s >= _TOLD_S and off_s - lost_s > 0.2 * lost_s:
            told.append(f"{lead[:1].upper()}{lead[1:]} shows nothing for {off_s:.1f} s.")
    return told


def _pauses_told(found: BeatsFound) -> list[str]:
    begins, ends = found.at_s[:-1], found.at_s[1:]
    long = [
        place
        for place in np.flatnonzero(ends - begins >= PAUSE_S).tolist()
        if not ((found.silent_s[:, 1] > begins[place]) & (found.silent_s[:, 0] < ends[place])).any()
    ]
    if not long:
        return []
    worst = max(long, key=lambda place: float(ends[place] - begins[place]))
    often = "" if len(long) == 1 else f" ({len(long)} times {PAUSE_S:g} s or more)"
    told = (
        f"No heartbeat is found for {float(ends[worst] - begins[worst]):.1f} s from "
        f"{clock(float(begins[worst]))}{often}: a pause, or beats too small to be found. Pauses "
        "are not among the model's answers."
    )
    return [told]


def name_beats(
    recording: Recording, found: BeatsFound, *, manifest: Manifest, run: Run
) -> NamedBeats:
    """Show every beat to the network, and name each by the pack's operating points."""
    given = manifest.recording
    if given is None:
        raise TypeError("a pack of kind recording has [recording]; its manifest was checked")
    outputs: dict[str, list[NDArray[np.float32]]] = {}
    named: list[NDArray[np.int64]] = []
    chances: list[NDArray[np.float64]] = []
    for stretch in shown_beats(recording, given=given, at_s=found.at_s):
        for first in range(0, len(stretch), AT_ONCE):
            out = run(np.ascontiguousarray(stretch[first : first + AT_ONCE]))
            chance = calibrate.probabilities(
                out["logits"], temperature=manifest.calibration.temperature
            )
            labels = named_by_points(chance, manifest=manifest)
            if "evidence" in out:
                # Of each beat only what speaks for its own label: a day has 100,000 of them.
                out["evidence"] = out["evidence"][np.arange(len(labels)), labels]
            chances.append(chance)
            named.append(labels)
            for name, values in out.items():
                outputs.setdefault(name, []).append(values)
    whole = {name: np.concatenate(values) for name, values in outputs.items()}
    count = len(manifest.labels)
    return NamedBeats(
        at_s=found.at_s,
        logits=whole.get("logits", np.zeros((0, count), np.float32)),
        chances=np.concatenate(chances) if chances else np.zeros((0, count)),
        labels=np.concatenate(named) if named else np.zeros(0, np.int64),
        embeddings=whole.get("embedding"),
        evidence=whole.get("evidence"),
        notes=notes_of(recording, found),
    )


def named_by_points(chances: NDArray[np.float64], *, manifest: Manifest) -> NDArray[np.int64]:
    """Which label each beat [B, K] is given.

    A positive label whose probability reaches its operating point; of several the one that is
    farthest above its own. Else the most probable of the labels that have no operating point.
    Rare beats matter more than common ones, so the most probable label is not always the answer.
    """
    codes = manifest.codes
    rest = chances.copy()
    above = np.zeros_like(chances)
    for point in manifest.operating_points:
        if point.label in codes:  # a point may be a group's, and beats are given labels
            place = codes.index(point.label)
            rest[:, place] = -1.0
            above[:, place] = chances[:, place] / max(point.threshold, 1e-9)
    if (rest < 0).all():
        rest = chances  # every label has a point, and a beat may reach none
    return np.asarray(np.where(above.max(1) >= 1.0, above.argmax(1), rest.argmax(1)), np.int64)


def beats_of(named: NamedBeats, *, codes: tuple[str, ...]) -> tuple[Beat, ...]:
    """The beats as a read keeps them."""
    own = named.chances[np.arange(len(named.labels)), named.labels]
    return tuple(
        Beat(at_s=round(at_s, 3), label=codes[label], probability=round(chance, 4))
        for at_s, label, chance in zip(
            named.at_s.tolist(), named.labels.tolist(), own.tolist(), strict=True
        )
    )


def findings_of(named: NamedBeats, *, codes: tuple[str, ...]) -> tuple[Finding, ...]:
    """Each label with the share of beats that have it, commonest first."""
    counts = np.bincount(named.labels, minlength=len(codes))
    shares = counts / max(1, len(named.labels))
    return tuple(
        Finding(label=codes[place], probability=share) for place, share in calibrate.ranked(shares)
    )


def alarms_of(named: NamedBeats, *, manifest: Manifest) -> tuple[str, ...]:
    """Positive labels that enough beats have, the most pressing first, then the commonest."""
    given = manifest.recording
    least = 1 if given is None else given.alarm_beats
    counts = Counter(named.labels.tolist())
    raised = [
        (Priority.named(label.priority), counts[place], -place)
        for place, label in enumerate(manifest.labels)
        if label.positive and counts[place] >= least
    ]
    return tuple(manifest.codes[-place] for _, _, place in sorted(raised, reverse=True))


def headline_of(
    named: NamedBeats,
    findings: tuple[Finding, ...],
    alarms: tuple[str, ...],
    *,
    manifest: Manifest,
) -> Finding:
    """What stands for the recording: its first alarm, with the probability of the beat that tips
    it; without an alarm the commonest label, with its share."""
    given = manifest.recording
    if not alarms or given is None:
        return findings[0]
    place = manifest.codes.index(alarms[0])
    surest = np.sort(named.chances[named.labels == place, place])[::-1]
    return Finding(label=alarms[0], probability=float(surest[given.alarm_beats - 1]))


def familiarity_of(named: NamedBeats, *, neighbours: Neighbours | None) -> Familiarity | None:
    """The middle one of the beats' scores; familiar where at least half of the beats are."""
    if neighbours is None or named.embeddings is None or not len(named.embeddings):
        return None
    found = [neighbours.familiarity(vector) for vector in spread(named.embeddings)]
    return Familiarity(
        score=round(float(np.median([each.score for each in found])), 4),
        familiar=2 * sum(each.familiar for each in found) >= len(found),
    )


def groups_among(findings: tuple[Finding, ...], *, groups: Sequence[Group]) -> tuple[Finding, ...]:
    """Each group with the share of beats that have one of its labels."""
    shares = {each.label: each.probability for each in findings}
    return tuple(
        Finding(label=group.code, probability=sum(shares[code] for code in group.labels))
        for group in groups
    )


def mean_logits(named: NamedBeats) -> NDArray[np.float32]:
    """The mean beat's logits [K]: what golden samples and replays compare; zero without beats."""
    if not len(named.logits):
        return np.zeros(named.logits.shape[1], np.float32)
    return np.asarray(named.logits.mean(0, dtype=np.float64), np.float32)


def spread(embeddings: NDArray[np.float32], *, at_most: int = 200) -> NDArray[np.float32]:
    """Some of the beats [B, D], evenly over the recording: of a day not every beat is asked."""
    count = len(embeddings)
    places = np.linspace(0, count - 1, min(count, at_most)).astype(int)
    return np.asarray(embeddings[places], np.float32)

"""Annotated records become beats to learn from: found and shown as the reader does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from firstread.datasets import Dataset
from firstread.datasets.forms.records import beats_of
from firstread.domain.errors import BadDataset
from firstread.evaluation.matching import WITHIN_S, match, outside
from firstread.packs import RecordingInput
from firstread.recordings import open_recording
from firstread.recordings.beats import find_beats, silent_s
from firstread.runtime.beats import (
    BLOCK_S,
    intervals,
    prepared_leads,
    rhythm_rows,
    stretches,
    typical_beat,
    waits,
    windows_at,
)

STRETCHES_S = (BLOCK_S, 300.0, 60.0)
"""What is typical is measured over these: the reader's, and shorter ones that let the network see
other typical beats and rhythms of the same patient."""
EARLIER_S = 0.35
"""How much more of the recording is kept before each window, to make beats premature with."""


@dataclass(frozen=True, kw_only=True, eq=False)
class BeatSet:
    """B beats that were found and are annotated, of R records; V ways to tell what is typical."""

    windows: Tensor
    """float16 [B, leads, T'], which begin `EARLIER_S` before the reader's."""
    typical: Tensor
    """float32 [M, leads, T]: the typical beats of all stretches of all records."""
    typical_of: Tensor
    """int64 [V, B]: places in `typical`."""
    rhythm: Tensor
    """float32 [V, B, 2 * beats_around + 4]"""
    targets: Tensor
    """int64 [B]"""
    records: Tensor
    """int64 [B], places in `names`."""
    names: tuple[str, ...]
    patients: NDArray[np.int64]
    """[R]: records with the same number are of one patient."""
    missed: int
    """How many annotated beats were not found."""
    extra: int
    """How many were found that are none."""
    earlier: int
    """`EARLIER_S` in samples."""


def load_beats(
    dataset: Dataset,
    *,
    given: RecordingInput,
    labels: tuple[str, ...],
    step: Callable[[str], None] = lambda _: None,
) -> BeatSet:
    """The beats of every record of `dataset`; `step` is called with the name of each.

    Raises BadDataset where a beat has a label that is not among `labels`.
    """
    unknown = {label for item in dataset.items for label in beats_of(dataset, item).labels}
    if unknown - set(labels):
        raise BadDataset(
            f"{dataset.name} has beats of the label '{min(unknown - set(labels))}', which "
            f"the recipe does not name. It names: {', '.join(labels)}."
        )
    parts = []
    for item in dataset.items:
        step(item.path)
        parts.append(_of_record(dataset, item.path, given=given, labels=labels))
    offsets = np.cumsum([0, *(len(part.typical) for part in parts)])
    return BeatSet(
        windows=torch.from_numpy(np.concatenate([part.windows for part in parts])),
        typical=torch.from_numpy(np.concatenate([part.typical for part in parts])),
        typical_of=torch.from_numpy(
            np.concatenate(
                [part.typical_of + at for part, at in zip(parts, offsets, strict=False)], 1
            )
        ),
        rhythm=torch.from_numpy(np.concatenate([part.rhythm for part in parts], 1)),
        targets=torch.from_numpy(np.concatenate([part.targets for part in parts])),
        records=torch.from_numpy(
            np.repeat(np.arange(len(parts)), [len(part.targets) for part in parts])
        ),
        names=tuple(item.path for item in dataset.items),
        patients=_patients(dataset),
        missed=sum(part.missed for part in parts),
        extra=sum(part.extra for part in parts),
        earlier=round(EARLIER_S * given.rate_hz),
    )


def _patients(dataset: Dataset) -> NDArray[np.int64]:
    """The place of each item's patient among them; of an unknown one nobody else has records."""
    places: dict[tuple[str, str], int] = {}
    keys = [(item.patient, "" if item.patient else item.path) for item in dataset.items]
    return np.array([places.setdefault(key, len(places)) for key in keys], np.int64)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Record:
    windows: NDArray[np.float16]
    typical: NDArray[np.float32]
    typical_of: NDArray[np.int64]
    rhythm: NDArray[np.float32]
    targets: NDArray[np.int64]
    missed: int
    extra: int


def _of_record(
    dataset: Dataset, path: str, *, given: RecordingInput, labels: tuple[str, ...]
) -> _Record:
    item = next(each for each in dataset.items if each.path == path)
    truth = beats_of(dataset, item)
    recording = open_recording(dataset.data(item))
    at_s = find_beats(recording).at_s
    pairs = match(truth.samples / recording.rate_hz, at_s)
    asides = tuple((a / recording.rate_hz, b / recording.rate_hz) for a, b in truth.asides)
    extra = outside(at_s[pairs.extra], asides, margin_s=WITHIN_S)
    codes = np.array([labels.index(label) for label in truth.labels], np.int64)
    leads = prepared_leads(recording, given=given)
    windows, masks = windows_at(leads, given=given, at_s=at_s)
    longer, _ = windows_at(leads, given=given, at_s=at_s - EARLIER_S)
    earlier = round(EARLIER_S * given.rate_hz)
    whole = np.concatenate([longer[:, :, :earlier], windows], 2)
    typical: list[NDArray[np.float32]] = []
    places = np.zeros((len(STRETCHES_S), len(at_s)), np.int64)
    between_s = intervals(at_s, silent_s=silent_s(recording))
    waits_s = waits(between_s)
    rhythm = np.zeros((len(STRETCHES_S), len(at_s), 2 * given.beats_around + 4), np.float32)
    for way, length_s in enumerate(STRETCHES_S):
        for first, last in stretches(at_s, length_s=length_s):
            places[way, first:last] = len(typical)
            some = typical_beat(
                windows[first:last],
                waits_s[first:last],
                None if masks is None else masks[first:last],
                given=given,
            )
            typical.append(some)
            rhythm[way, first:last] = rhythm_rows(between_s, first=first, last=last, given=given)
    kept = pairs.found
    return _Record(
        windows=whole[kept].astype(np.float16),
        typical=np.stack(typical),
        typical_of=places[:, kept],
        rhythm=rhythm[:, kept],
        targets=codes[pairs.true],
        missed=len(pairs.missed),
        extra=int(extra.sum()),
    )


def parted(beats: BeatSet, *, folds: int) -> tuple[tuple[int, ...], ...]:
    """The records of each fold, so that each has about as many beats of every label.

    A patient's records stay together. The patient with most of the rarest goes first, each to the
    fold that has least of its kind.
    """
    count = int(beats.targets.max()) + 1
    per = np.zeros((int(beats.patients.max()) + 1, count))
    np.add.at(per, (beats.patients[beats.records.numpy()], beats.targets.numpy()), 1)
    weights = per / np.maximum(per.sum(0), 1)
    # A label that has a handful of beats in all cannot be shared out.
    weights[:, per.sum(0) < 20 * folds] = 0
    filled = np.zeros((folds, count))
    members: list[list[int]] = [[] for _ in range(folds)]
    for patient in np.argsort(-weights.max(1), kind="stable").tolist():
        cost = [
            float(((filled[fold] + weights[patient]) ** 2).sum() - (filled[fold] ** 2).sum())
            + 0.01 * len(members[fold])
            for fold in range(folds)
        ]
        fold = int(np.argmin(cost))
        filled[fold] += weights[patient]
        members[fold] += np.flatnonzero(beats.patients == patient).tolist()
    return tuple(tuple(sorted(each)) for each in members)

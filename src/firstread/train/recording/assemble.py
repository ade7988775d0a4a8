"""Trained beat networks and their answers become a sealed pack of kind recording."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from msgspec.structs import replace
from numpy.typing import NDArray
from torch import nn

from firstread import phantom
from firstread.datasets import Dataset
from firstread.evaluation import wilson
from firstread.evaluation.beats import excused_from
from firstread.evaluation.metrics import share_of
from firstread.packs import (
    Golden,
    Manifest,
    OperatingPoint,
    RecordingInput,
    Result,
)
from firstread.recordings import open_recording
from firstread.recordings.beats import find_beats
from firstread.runtime.calibrate import probabilities
from firstread.runtime.recording import mean_logits, name_beats, named_by_points
from firstread.runtime.session import Session
from firstread.train.history import Progress
from firstread.train.pack.assemble import fresh, sealed
from firstread.train.pack.card import Story
from firstread.train.pack.export import refuse_difference, rounded, write_onnx
from firstread.train.pack.familiarity import from_embeddings, some_places
from firstread.train.pack.golden import FOLDER, SEED
from firstread.train.pack.manifest import provenance, stated
from firstread.train.pack.plots import draw
from firstread.train.recipe import Recipe
from firstread.train.recording.batches import shown
from firstread.train.recording.beats import BeatSet
from firstread.train.recording.network import BeatEnsemble

OF = "cross-validation by record"
_LOWEST = 0.02
_REFERENCE_OF = 6000


def recording_pack(
    recipe: Recipe,
    dataset: Dataset,
    network: BeatEnsemble,
    *,
    beats: BeatSet,
    held: NDArray[np.int64],
    logits: NDArray[np.float32],
    given: RecordingInput,
    histories: Sequence[Sequence[Progress]],
    out: Path,
) -> Path:
    """Write the pack of an ensemble; `logits` [B, K] are each beat's from the network that never
    saw its record, `held` the beats that the first network never saw."""
    folder = fresh(out, recipe.name)
    some = torch.from_numpy(np.linspace(0, len(beats.targets) - 1, 64).astype(np.int64))
    apart = export_recording(network, folder / "model.onnx", beats=shown(beats, some).numpy())
    truths = beats.targets.numpy()
    manifest = stated(recipe, logits, truths, measured_on=OF)
    chances = probabilities(logits, temperature=manifest.calibration.temperature)
    session = Session(folder / "model.onnx", kind="recording", threads=recipe.schedule.threads)
    learnt = np.setdiff1d(np.arange(len(truths)), held)
    kept = some_places(held, seed=recipe.seed, at_most=2000)
    chosen = _some_of_each(learnt, truths, recipe.seed)
    manifest = replace(
        manifest,
        recording=given,
        operating_points=_points(recipe, chances, truths),
        familiarity=from_embeddings(
            _embedded(session, beats, chosen),
            _embedded(session, beats, kept),
            targets=truths[chosen],
            folder=folder,
            seed=recipe.seed,
        ),
        provenance=provenance(recipe, [(dataset, recipe.sources[0].licence)]),
    )
    manifest = replace(manifest, golden=recording_golden(folder, manifest))
    pictures = draw(folder, manifest, truths=truths, chances=chances, histories=histories)
    story = Story(
        pictures=pictures,
        learnt=_how_they_learnt(histories),
        apart=apart,
    )
    return sealed(
        folder,
        recipe,
        manifest,
        truths,
        chances,
        of=f"{OF}, {len(beats.names)} records",
        n=len(truths),
        clusters=beats.patients[beats.records.numpy()],
        story=story,
        more=_results(manifest, beats, chances),
    )


def export_recording(model: nn.Module, path: Path, *, beats: NDArray[np.float32]) -> float:
    """Write a network of beats with the names that a pack of kind recording has; how far its
    logits are from torch's on `beats`, float32 [N, C, T], at most."""
    rounded(model)
    example = torch.from_numpy(beats[:2])
    write_onnx(model, example, path, given="signal", outputs=("logits", "embedding", "evidence"))
    return refuse_difference(model, path, beats, kind="recording")


def _how_they_learnt(histories: Sequence[Sequence[Progress]]) -> str:
    minutes = sum(row.took_s for history in histories for row in history) / 60
    return (
        f"Each of its {len(histories)} networks learnt {len(histories[0])} epochs on the "
        f"processor, {minutes:.0f} minutes in all."
    )


def recording_golden(folder: Path, manifest: Manifest) -> tuple[Golden, ...]:
    """Write a drawn recording for each label, and ask the pack's own network."""
    session = Session(folder / "model.onnx", kind="recording")
    (folder / FOLDER).mkdir(exist_ok=True)
    known = phantom.labels(manifest.check) if manifest.check in phantom.checks() else ("N",)
    check = manifest.check if manifest.check in phantom.checks() else "heartbeat"
    golden = []
    for number, label in enumerate(known[:3], start=1):
        data = phantom.make(check, label=label, seed=SEED + number).data
        if not isinstance(data, bytes):
            continue
        name = f"{FOLDER}/{number:02d}.zip"
        (folder / name).write_bytes(data)
        recording = open_recording(data)
        named = name_beats(recording, find_beats(recording), manifest=manifest, run=session.run)
        logits = tuple(round(float(each), 5) for each in mean_logits(named))
        golden.append(Golden(sample=name, logits=logits))
    return tuple(golden)


def best_point(said: NDArray[np.float64], true: NDArray[np.bool_], *, finding: float) -> float:
    """The threshold that weighs finding against crying wolf: where F-beta is greatest, in which
    finding counts `finding` times as much as being right (van Rijsbergen, 1979).

    >>> best_point(np.array([0.9, 0.8, 0.1]), np.array([True, True, False]), finding=1.5)
    0.8
    """
    order = np.argsort(-said, kind="stable")
    hits = np.cumsum(true[order])
    precision = hits / np.arange(1, len(order) + 1)
    found = hits / max(1, int(true.sum()))
    square = finding**2
    score = (1 + square) * precision * found / np.maximum(square * precision + found, 1e-12)
    return float(max(_LOWEST, said[order][int(score.argmax())]))


def _points(
    recipe: Recipe, chances: NDArray[np.float64], truths: NDArray[np.int64]
) -> tuple[OperatingPoint, ...]:
    points = []
    for place, label in enumerate(recipe.labels):
        if not label.positive:
            continue
        true, said = truths == place, chances[:, place]
        finding = 1.0 if recipe.beats is None else recipe.beats.finding
        counted = ~excused_from(label.code, truths, codes=recipe.sources[0].labels)
        threshold = best_point(said[counted], true[counted], finding=finding)
        raised = said >= threshold
        points.append(
            OperatingPoint(
                label=label.code,
                threshold=round(threshold, 4),
                sensitivity=round(float(raised[true].mean()), 4) if true.any() else 0.0,
                specificity=round(float((~raised[~true]).mean()), 4),
                measured_on=f"{OF}, n = {len(truths)} beats",
            )
        )
    return tuple(points)


def _results(
    manifest: Manifest, beats: BeatSet, chances: NDArray[np.float64]
) -> tuple[Result, ...]:
    """What stands beside the usual figures: beats found, and labels as beats are given them."""
    truths, patients = beats.targets.numpy(), beats.patients[beats.records.numpy()]
    labels = named_by_points(chances, manifest=manifest)
    found, missed, extra = len(truths), beats.missed, beats.extra
    of = f"{OF}, {len(beats.names)} records"
    rows = [
        ("beats found", wilson(found, found + missed), found + missed),
        ("beats found that are beats", wilson(found, found + extra), found + extra),
    ]
    for place, label in enumerate(manifest.labels):
        if label.positive:
            true, said = truths == place, labels == place
            named = said & ~excused_from(label.code, truths, codes=manifest.codes)
            rows += [
                (
                    f"beats named {label.code} among those that are",
                    share_of(said[true], clusters=patients[true]),
                    int(true.sum()),
                ),
                (
                    f"beats that are {label.code} among those so named",
                    share_of(true[named], clusters=patients[named]),
                    int(named.sum()),
                ),
            ]
    return tuple(
        Result(set=of, n=n, metric=metric, value=each.value, low=each.low, high=each.high)
        for metric, each, n in rows
        if not math.isnan(each.value)  # of a label that no beat was given, nothing can be said
    )


def _embedded(session: Session, beats: BeatSet, chosen: NDArray[np.int64]) -> NDArray[np.float32]:
    parts = [
        session.run(shown(beats, torch.from_numpy(chosen[at : at + 256])).numpy())["embedding"]
        for at in range(0, len(chosen), 256)
    ]
    return np.concatenate(parts)


def _some_of_each(
    places: NDArray[np.int64], truths: NDArray[np.int64], seed: int
) -> NDArray[np.int64]:
    codes = np.unique(truths[places])
    each = [
        some_places(places[truths[places] == code], seed=seed, at_most=_REFERENCE_OF // len(codes))
        for code in codes
    ]
    return np.sort(np.concatenate(each))

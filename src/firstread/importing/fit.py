"""What labelled samples tell of an imported pack: figures and, of enough of them, calibration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from firstread.datasets import Dataset, Item, measured_as, named, split
from firstread.domain.errors import BadDataset, BadMeasurement, UnreadableSample
from firstread.evaluation.answers import refuse_other_labels
from firstread.evaluation.resample import clusters_of
from firstread.packs import DatasetUsed, Manifest, Result
from firstread.runtime import PackReader
from firstread.runtime.calibrate import probabilities
from firstread.train.pack.familiarity import from_embeddings
from firstread.train.pack.figures import results
from firstread.train.pack.thresholds import fit_conformal, fit_operating_point, fit_temperature

ENOUGH = 100
"""Samples from which on half of them fit the pack and the other half measures it."""
COVERAGE = 0.95
SEED = 1
SENSITIVITY = 0.95


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What the network said of each sample that could be opened; `embeddings` [N, D] or None."""

    items: tuple[Item, ...]
    truths: NDArray[np.int64]
    logits: NDArray[np.float32]
    embeddings: NDArray[np.float32] | None
    unread: int


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """The manifest with what the samples told, and sentences for the card."""

    manifest: Manifest
    says: tuple[str, ...]


def fit(
    manifest: Manifest,
    reader: PackReader,
    dataset: Dataset,
    *,
    folder: Path,
    sensitivities: dict[str, float],
    step: Callable[[], None] = lambda: None,
) -> Fitted:
    """Measure the draft of a pack on labelled samples; from `ENOUGH` of them on calibrate it too.

    Raises BadDataset where the labels are not those of the pack, or nothing can be read.
    """
    dataset = named(dataset, manifest.codes)
    refuse_other_labels(reader, dataset)
    taken = measured_as(dataset, manifest)
    seen = _read(reader, taken, step=step)
    used = (
        DatasetUsed(
            name=dataset.name, sha256=dataset.sha256, n=len(dataset.items), licence="as given"
        ),
    )
    manifest = replace(manifest, provenance=replace(manifest.provenance, datasets=used))
    says = [*taken.told]
    says += [f"{seen.unread} samples could not be opened."] if seen.unread else []
    whole = np.arange(len(seen.truths))
    if len(whole) < ENOUGH:
        of = f"{dataset.name}, all of it"
        says.append(
            f"{len(whole)} labelled samples are too few to calibrate with: its probabilities are "
            "the network's own, there are no operating points, and no finding set rules "
            "anything out."
        )
        return Fitted(
            manifest=replace(manifest, results=_figures(manifest, seen, whole, of=of)),
            says=tuple(says),
        )
    fitting, measuring = _halves(dataset, seen)
    manifest = _calibrated(
        manifest, seen, fitting, measuring, folder=folder, sensitivities=sensitivities
    )
    of = f"{dataset.name}, the half that nothing was fitted on"
    says.append(
        f"Fitted on one half of {len(whole)} samples of {dataset.name} and measured on the other; "
        "no patient stands in both where patients are named."
    )
    return Fitted(
        manifest=replace(manifest, results=_figures(manifest, seen, measuring, of=of)),
        says=tuple(says),
    )


def _read(reader: PackReader, dataset: Dataset, *, step: Callable[[], None]) -> Seen:
    codes = reader.manifest.codes
    items: list[Item] = []
    logits: list[NDArray[np.float32]] = []
    embeddings: list[NDArray[np.float32]] = []
    unread = 0
    for item in dataset.items:
        try:
            outcome = reader.read(dataset.sample(item))
        except (UnreadableSample, BadMeasurement, BadDataset):
            unread += 1
        else:
            items.append(item)
            logits.append(outcome.logits)
            if outcome.embedding is not None:
                embeddings.append(outcome.embedding)
        step()
    if not items:
        raise BadDataset(f"None of the samples of {dataset.name} can be read. Name another folder.")
    truths = np.array([codes.index(item.label) for item in items], np.int64)
    return Seen(
        items=tuple(items),
        truths=truths,
        logits=np.stack(logits),
        embeddings=np.stack(embeddings) if embeddings else None,
        unread=unread,
    )


def _halves(dataset: Dataset, seen: Seen) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    parts = split(dataset, validation=0.5, test=0.0, seed=SEED)
    half = {dataset.items[index].path for index in parts.validation}
    mine = np.array([item.path in half for item in seen.items])
    return np.flatnonzero(mine), np.flatnonzero(~mine)


def _calibrated(
    manifest: Manifest,
    seen: Seen,
    fitting: NDArray[np.int64],
    measuring: NDArray[np.int64],
    *,
    folder: Path,
    sensitivities: dict[str, float],
) -> Manifest:
    logits, truths = seen.logits[fitting], seen.truths[fitting]
    calibration = fit_temperature(logits, truths)
    chances = probabilities(logits, temperature=calibration.temperature)
    points = tuple(
        fit_operating_point(
            chances,
            truths,
            indices=[index],
            label=label.code,
            sensitivity=sensitivities.get(label.code, SENSITIVITY),
            measured_on="half of the samples it was imported with",
        )
        for index, label in enumerate(manifest.labels)
        if label.positive and (truths == index).any()
    )
    familiarity = None
    if seen.embeddings is not None:
        familiarity = from_embeddings(
            seen.embeddings[fitting],
            seen.embeddings[measuring],
            targets=truths,
            folder=folder,
            seed=SEED,
        )
    return replace(
        manifest,
        calibration=calibration,
        conformal=fit_conformal(chances, truths, coverage=COVERAGE),
        operating_points=points,
        familiarity=familiarity,
    )


def _figures(
    manifest: Manifest, seen: Seen, rows: NDArray[np.int64], *, of: str
) -> tuple[Result, ...]:
    return results(
        seen.truths[rows],
        probabilities(seen.logits[rows], temperature=manifest.calibration.temperature),
        labels=manifest.codes,
        positive=[label.code for label in manifest.labels if label.positive],
        conformal=manifest.conformal,
        of=of,
        clusters=clusters_of([seen.items[row].patient for row in rows]),
        groups=manifest.groups,
    )

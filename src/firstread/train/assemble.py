"""A trained model and its samples become a sealed pack folder, whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from firstread.datasets import Dataset
from firstread.evaluation.resample import Clusters, clusters_of
from firstread.packs import (
    Manifest,
    Measurement,
    MeasurementsModel,
    Result,
    seal,
    write_manifest,
)
from firstread.packs.place import emptied, put_in_place
from firstread.runtime.calibrate import probabilities
from firstread.runtime.session import Session
from firstread.train.additive import AdditiveReader, Shapes
from firstread.train.allds2020 import AllNetwork
from firstread.train.card import Story, how_it_learnt, room_to_learn, write_card
from firstread.train.export import export_image, export_measurements, to_reader
from firstread.train.familiarity import from_measurements
from firstread.train.figures import results, subgroups
from firstread.train.golden import image_golden, row_golden
from firstread.train.loop import Trained
from firstread.train.manifest import CARD_KEYS, provenance, stated
from firstread.train.networks import Network
from firstread.train.pixels import Pixels
from firstread.train.plots import draw
from firstread.train.recipe import Recipe
from firstread.train.safeguards import Embedded, trusted


@dataclass(frozen=True, kw_only=True)
class _Answers:
    """What the exported graph answers to samples of one part: their places in the source, logits
    [N, K], embeddings [N, D] and true labels [N]."""

    places: NDArray[np.int64]
    logits: NDArray[np.float32]
    embeddings: NDArray[np.float32]
    truths: NDArray[np.int64]

    @property
    def right(self) -> float:
        """The share of which the most probable label is true."""
        return float((self.logits.argmax(1) == self.truths).mean())


def image_pack(
    recipe: Recipe,
    sources: Sequence[Pixels],
    network: Network | AllNetwork,
    *,
    out: Path,
    runs: Sequence[Trained] = (),
) -> Path:
    """Write the pack of a trained network into the folder `out`, replacing the one of that name.

    `runs`, from which it came, are told in the card.
    """
    own = sources[0]
    given = own.source.input
    folder = fresh(out, recipe.name)
    reader = to_reader(network, head=own.source.name, flips=recipe.flips)
    apart = export_image(
        reader,
        folder / "model.onnx",
        height_px=given.height_px,
        width_px=given.width_px,
        pictures=own.images[list(own.parts.validation[:16])],
    )
    learnt, checked, tested = _answers(recipe, own, folder)
    manifest, ships = _manifests(recipe, own, learnt, checked, tested, folder=folder)
    manifest = replace(
        manifest,
        golden=image_golden(folder, check=manifest.check, labels=own.source.labels, given=given),
        provenance=provenance(recipe, [(one.dataset, one.source.licence) for one in sources]),
    )
    chances = probabilities(tested.logits, temperature=manifest.calibration.temperature)
    story = Story(
        subgroups=subgroups(
            [own.dataset.items[index] for index in own.parts.test],
            tested.logits.argmax(1) == tested.truths,
        ),
        room=room_to_learn(learnt=learnt.right, n=len(learnt.places), tested=tested.right),
        learnt=how_it_learnt(runs),
        apart=apart,
        pictures=draw(
            folder,
            manifest,
            truths=tested.truths,
            chances=chances,
            histories=[run.history for run in runs],
            kept=[run.kept_epoch for run in runs],
        ),
    )
    return sealed(
        folder,
        recipe,
        manifest,
        tested.truths,
        chances,
        of="own test part",
        n=len(tested.truths),
        clusters=clusters_of([own.dataset.items[index].patient for index in own.parts.test]),
        story=story,
        ships=ships,
    )


def _answers(recipe: Recipe, own: Pixels, folder: Path) -> tuple[_Answers, _Answers, _Answers]:
    """Those to (some of the) samples that were learnt from, to validation and to test samples."""
    session = Session(folder / "model.onnx", kind="image", threads=recipe.schedule.threads)

    def of(indices: Sequence[int]) -> _Answers:
        found = [session.run(own.images[index : index + 1]) for index in indices]
        places = np.array(indices, np.int64)
        return _Answers(
            places=places,
            logits=np.concatenate([one["logits"] for one in found]),
            embeddings=np.concatenate([one["embedding"] for one in found]),
            truths=own.targets[places],
        )

    learnt = of(_some(own.parts.train, recipe.seed))
    return learnt, of(own.parts.validation), of(own.parts.test)


def _manifests(
    recipe: Recipe,
    own: Pixels,
    learnt: _Answers,
    checked: _Answers,
    tested: _Answers,
    *,
    folder: Path,
) -> tuple[Manifest, Manifest]:
    """The manifest by the validation part alone, whose results the test part gives, and the one
    that ships, by both parts."""
    logits = np.concatenate([checked.logits, tested.logits])
    truths = np.concatenate([checked.truths, tested.truths])
    ships = stated(recipe, logits, truths, measured_on="validation and test parts")
    manifest = stated(
        recipe, checked.logits, checked.truths, measured_on="validation", like=ships.conformal
    )
    manifest = trusted(
        replace(manifest, input=own.source.input),
        own,
        learnt=Embedded(places=learnt.places, embeddings=learnt.embeddings),
        kept=Embedded(
            places=np.concatenate([checked.places, tested.places]),
            embeddings=np.concatenate([checked.embeddings, tested.embeddings]),
        ),
        folder=folder,
        seed=recipe.seed,
    )
    return manifest, ships


def measurements_pack(
    recipe: Recipe,
    dataset: Dataset,
    shapes: Shapes,
    *,
    rows: NDArray[np.float64],
    truths: NDArray[np.int64],
    folded: NDArray[np.float64],
    out: Path,
) -> Path:
    """Write the pack of an additive model; `folded` [R, N] are its cross-validated log odds."""
    folder = fresh(out, recipe.name)
    export_measurements(AdditiveReader(shapes), folder / "model.onnx", count=rows.shape[1])
    measurements = tuple(Measurement(**each) for each in recipe.measurements)
    # Every row was answered once in each repeat, by a fit that had not seen it.
    odds = folded.reshape(-1)
    logits = np.stack([-odds / 2, odds / 2], 1).astype(np.float32)
    repeated = np.tile(truths, len(folded))
    manifest = stated(recipe, logits, repeated, measured_on="cross-validation")
    points = tuple(
        replace(each, measured_on=each.measured_on.replace(f"n = {len(odds)}", f"n = {len(rows)}"))
        for each in manifest.operating_points
    )
    centre, scale = np.nanmean(rows, axis=0), np.nanstd(rows, axis=0) + 1e-6
    kept = np.random.default_rng(recipe.seed).permutation(len(rows))
    fifth = len(rows) // 5
    manifest = replace(
        manifest,
        operating_points=points,
        measurements=measurements,
        measurements_model=MeasurementsModel(
            bias=(round(-shapes.bias / 2, 7), round(shapes.bias / 2, 7))
        ),
        familiarity=from_measurements(
            rows[kept[fifth:]],
            rows[kept[:fifth]],
            centre=centre,
            scale=scale,
            folder=folder,
            seed=recipe.seed,
        ),
        golden=row_golden(
            folder,
            check=manifest.check,
            labels=recipe.sources[0].labels,
            measurements=measurements,
        ),
        provenance=provenance(recipe, [(dataset, recipe.sources[0].licence)]),
    )
    of = f"{len(folded)} times repeated cross-validation by patient"
    known = clusters_of([item.patient for item in dataset.items])
    chances = probabilities(logits, temperature=manifest.calibration.temperature)
    drawn = draw(folder, manifest, truths=repeated, chances=chances)
    return sealed(
        folder,
        recipe,
        manifest,
        repeated,
        chances,
        of=of,
        n=len(rows),
        clusters=np.tile(np.arange(len(rows)) if known is None else known, len(folded)),
        story=Story(pictures=drawn),
    )


def sealed(
    folder: Path,
    recipe: Recipe,
    manifest: Manifest,
    truths: NDArray[np.int64],
    chances: NDArray[np.float64],
    *,
    of: str,
    n: int,
    clusters: Clusters | None,
    story: Story,
    ships: Manifest | None = None,
    more: Sequence[Result] = (),
) -> Path:
    """Write the pack with its results on a part that decided nothing of what `manifest` states.

    What ships instead is fitted on that part as well, for more samples place a threshold nearer
    to where it belongs; the results remain those of the thresholds that had not seen it.
    """
    positive = [label.code for label in manifest.labels if label.positive]
    found = results(
        truths,
        chances,
        labels=manifest.codes,
        positive=positive,
        conformal=manifest.conformal,
        of=of,
        n=n,
        clusters=clusters,
        groups=manifest.groups,
    )
    if ships is not None:
        manifest = replace(
            manifest,
            calibration=ships.calibration,
            conformal=ships.conformal,
            operating_points=ships.operating_points,
        )
    manifest = replace(manifest, results=(*found, *more))
    write_manifest(manifest, folder)
    told = {key: recipe.pack.get(key, "") for key in CARD_KEYS}
    write_card(folder, manifest, story=replace(story, **told))
    seal(folder)
    return put_in_place(folder, folder.parent / recipe.name)


def fresh(out: Path, name: str) -> Path:
    # A name with a dot is on no shelf, so a half-written pack is never offered.
    return emptied(out / f".{name}.part")


def _some(indices: Sequence[int], seed: int, *, at_most: int = 2500) -> list[int]:
    """Enough training samples to draw the familiarity reference from."""
    drawn = np.random.default_rng(seed).permutation(np.array(indices))[:at_most]
    return [int(index) for index in np.sort(drawn)]

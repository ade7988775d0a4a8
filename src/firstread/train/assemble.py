"""A trained model and its samples become a sealed pack folder, whole or not at all."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from firstread.datasets import Dataset
from firstread.domain.errors import BadConfiguration
from firstread.packs import (
    About,
    Calibration,
    Conformal,
    DatasetUsed,
    Golden,
    Group,
    Label,
    Manifest,
    Measurement,
    MeasurementsModel,
    OperatingPoint,
    Provenance,
    Result,
    seal,
    write_manifest,
)
from firstread.runtime.calibrate import probabilities
from firstread.runtime.session import Session
from firstread.train.additive import AdditiveReader, Shapes
from firstread.train.allds2020 import AllNetwork
from firstread.train.card import Story, how_it_learnt, write_card
from firstread.train.export import export_image, export_measurements, to_reader
from firstread.train.familiar import from_measurements
from firstread.train.figures import results, subgroups
from firstread.train.golden import image_golden, row_golden
from firstread.train.history import Progress
from firstread.train.networks import Network
from firstread.train.pixels import Pixels
from firstread.train.plots import draw
from firstread.train.recipe import Recipe
from firstread.train.thresholds import fit_conformal, fit_operating_point, fit_temperature
from firstread.train.trust import Embedded, trusted

# What [pack] says for the card alone.
CARD_KEYS = ("words", "larger")


def image_pack(
    recipe: Recipe,
    sources: Sequence[Pixels],
    network: Network | AllNetwork,
    *,
    out: Path,
    history: Sequence[Progress] = (),
    kept_epoch: int = 0,
    device: str = "",
) -> Path:
    """Write the pack of a trained network into the folder `out`, replacing the one of that name.

    `history`, `kept_epoch` and `device` are told in the card.
    """
    own = sources[0]
    source = own.source
    given = source.input
    folder = fresh(out, recipe.name)
    reader = to_reader(network, head=source.name, flips=recipe.flips)
    apart = export_image(
        reader,
        folder / "model.onnx",
        height_px=given.height_px,
        width_px=given.width_px,
        pictures=own.images[list(own.parts.validation[:16])],
    )
    session = Session(folder / "model.onnx", kind="image", threads=recipe.schedule.threads)
    seen = {
        part: _run(session, own.images, indices)
        for part, indices in (
            ("train", _some(own.parts.train, recipe.seed)),
            ("validation", own.parts.validation),
            ("test", own.parts.test),
        )
    }
    truths = own.targets[np.array(own.parts.validation)]
    tested = own.targets[np.array(own.parts.test)]
    logits = seen["validation"][0]
    both = np.concatenate([logits, seen["test"][0]]), np.concatenate([truths, tested])
    ships = stated(recipe, *both, measured_on="validation and test parts")
    manifest = stated(recipe, logits, truths, measured_on="validation", like=ships.conformal)
    learnt = np.array(_some(own.parts.train, recipe.seed))
    kept = np.array((*own.parts.validation, *own.parts.test))
    manifest = trusted(
        manifest,
        own,
        learnt=Embedded(places=learnt, embeddings=seen["train"][1]),
        kept=Embedded(
            places=kept, embeddings=np.concatenate([seen["validation"][1], seen["test"][1]])
        ),
        folder=folder,
        seed=recipe.seed,
    )
    manifest = replace(
        manifest,
        input=given,
        golden=image_golden(folder, check=manifest.check, labels=source.labels, given=given),
        provenance=provenance(recipe, [(one.dataset, one.source.licence) for one in sources]),
    )
    chances = probabilities(seen["test"][0], temperature=manifest.calibration.temperature)
    story = Story(
        subgroups=subgroups(
            [own.dataset.items[index] for index in own.parts.test], chances.argmax(1) == tested
        ),
        learnt=how_it_learnt(history, kept_epoch=kept_epoch, device=device),
        apart=apart,
    )
    drawn = draw(
        folder, manifest, truths=tested, chances=chances, history=history, kept_epoch=kept_epoch
    )
    return sealed(
        folder,
        recipe,
        manifest,
        tested,
        chances,
        of="own test part",
        n=len(tested),
        story=replace(story, pictures=drawn),
        ships=ships,
    )


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
        story=Story(pictures=drawn),
    )


def labels_of(recipe: Recipe) -> tuple[Label, ...]:
    """The labels as the manifest states them.

    Raises BadConfiguration where they are not those of the recipe's first source, in its order.
    """
    try:
        labels = tuple(
            Label(**{key: value for key, value in table.items() if key != "sensitivity"})
            for table in recipe.labels
        )
    except TypeError as why:
        raise BadConfiguration(f"A [[label]] of the recipe is not as it should be: {why}.") from why
    if tuple(label.code for label in labels) != recipe.sources[0].labels:
        raise BadConfiguration(
            "The recipe's [[label]] tables must be those of its first [[source]], in the same "
            "order."
        )
    return labels


def groups_of(recipe: Recipe) -> tuple[Group, ...]:
    """The groups as the manifest states them.

    Raises BadConfiguration where a table is not as it should be, or names no label of the recipe.
    """
    codes = recipe.sources[0].labels
    groups = []
    for table in recipe.groups:
        said = {key: value for key, value in table.items() if key != "sensitivity"}
        try:
            group = Group(**{**said, "labels": tuple(said.get("labels", ()))})
        except TypeError as why:
            raise BadConfiguration(
                f"A [[group]] of the recipe is not as it should be: {why}. It has code, title, "
                "labels, positive, priority and sensitivity."
            ) from why
        unknown = [code for code in group.labels if code not in codes]
        if unknown or not group.labels:
            raise BadConfiguration(
                f"The recipe's group '{group.code}' names "
                + (f"'{unknown[0]}', which is none of its labels" if unknown else "no labels")
                + f". The labels are: {', '.join(codes)}."
            )
        groups.append(group)
    return tuple(groups)


def _points(
    recipe: Recipe, chances: NDArray[np.float64], truths: NDArray[np.int64], *, measured_on: str
) -> tuple[OperatingPoint, ...]:
    """The operating points of what raises an alarm: positive labels, then positive groups.

    Where a group speaks for a label, the label has one only if its table says `sensitivity`.
    """
    codes = recipe.sources[0].labels
    groups = [each for each in recipe.groups if each.get("positive")]
    grouped = {code for each in groups for code in each["labels"]}
    alone = [
        each
        for each in recipe.labels
        if each["positive"] and ("sensitivity" in each or each["code"] not in grouped)
    ]
    return tuple(
        fit_operating_point(
            chances,
            truths,
            indices=[codes.index(code) for code in each.get("labels", [each["code"]])],
            label=each["code"],
            sensitivity=each.get("sensitivity", 0.95),
            measured_on=measured_on,
        )
        for each in (*alone, *groups)
    )


def stated(
    recipe: Recipe,
    logits: NDArray[np.float32],
    truths: NDArray[np.int64],
    *,
    measured_on: str,
    like: Conformal | None = None,
) -> Manifest:
    """The manifest with what follows from answers to samples that were not learnt from; its finding
    sets promise what those of `like` do.
    """
    labels = labels_of(recipe)
    calibration: Calibration = fit_temperature(logits, truths)
    chances = probabilities(logits, temperature=calibration.temperature)
    try:
        about = About(
            name=recipe.name,
            version=recipe.version,
            kind=recipe.kind,  # type: ignore[arg-type]  # the manifest is checked when it is read
            **{key: value for key, value in recipe.pack.items() if key not in CARD_KEYS},
        )
    except TypeError as why:
        raise BadConfiguration(f"The recipe's [pack] is not as it should be: {why}.") from why
    return Manifest(
        format=1,
        pack=about,
        labels=labels,
        groups=groups_of(recipe),
        operating_points=_points(recipe, chances, truths, measured_on=measured_on),
        calibration=calibration,
        conformal=fit_conformal(chances, truths, coverage=None if like is None else like.coverage),
        provenance=provenance(recipe, []),
        golden=(Golden(sample="golden/none", logits=(0.0,) * len(labels)),),
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
    place = folder.parent / recipe.name
    if place.exists():
        shutil.rmtree(place)
    folder.rename(place)
    return place


def fresh(out: Path, name: str) -> Path:
    # A name with a dot is on no shelf, so a half-written pack is never offered.
    folder = out / f".{name}.part"
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    return folder


def _run(
    session: Session, images: NDArray[np.uint8], indices: Sequence[int]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    found = [session.run(images[index : index + 1]) for index in indices]
    return (
        np.concatenate([one["logits"] for one in found]),
        np.concatenate([one["embedding"] for one in found]),
    )


def _some(indices: Sequence[int], seed: int, *, at_most: int = 2500) -> list[int]:
    """Enough training samples to draw the familiarity reference from."""
    drawn = np.random.default_rng(seed).permutation(np.array(indices))[:at_most]
    return [int(index) for index in np.sort(drawn)]


def provenance(recipe: Recipe, used: Sequence[tuple[Dataset, str]]) -> Provenance:
    return Provenance(
        datasets=tuple(
            DatasetUsed(name=one.name, sha256=one.sha256, n=len(one.items), licence=licence)
            for one, licence in used
        ),
        recipe=f"recipes/{Path(recipe.path).name}",
        seed=recipe.seed,
        trained_at=dt.datetime.now(dt.UTC).date().isoformat(),
        software={
            name: version(name) for name in ("torch", "onnx", "onnxscript", "numpy", "scipy")
        },
    )

"""Pictures and a recipe become a pack."""

from __future__ import annotations

from pathlib import Path

from firstread.domain.errors import BadConfiguration, BadDataset
from firstread.train.device import choose
from firstread.train.image.assemble import image_pack
from firstread.train.image.export import to_reader
from firstread.train.image.mean_of_runs import fit_runs
from firstread.train.image.pixels import Pixels, load
from firstread.train.recipe import Recipe
from firstread.train.training import Training


def train_images(wanted: Training) -> Path:
    """Train a recipe of kind image, and write its pack; the pack's folder.

    Raises BadConfiguration where the recipe has no [network], BadDataset where there are too few
    samples to part, or none of a label.
    """
    recipe, say = wanted.recipe, wanted.say
    if recipe.network is None:
        raise BadConfiguration(f"The recipe {recipe.name} has no [network]. Add that table.")
    if not wanted.fits:
        raise BadConfiguration(
            f"The recipe {recipe.name} learns from pictures. Name a folder that holds them."
        )
    place = choose(wanted.device, precision=recipe.schedule.precision)
    say(f"Opening {sum(len(one.items) for one in wanted.datasets)} pictures")
    pairs = zip(wanted.datasets, recipe.sources, strict=True)
    sources = [load(dataset, source, recipe) for dataset, source in pairs]
    own = sources[0]
    parts = own.parts
    if not (parts.train and parts.validation and parts.test):
        raise BadDataset(
            f"The folder {own.dataset.name} has too few samples to be parted into training, "
            "validation and test. Add samples, or patients."
        )
    _refuse_labels_without_samples(recipe, own)
    say(
        f"{len(parts.train)} to learn from, {len(parts.validation)} to calibrate, "
        f"{len(parts.test)} to test"
    )
    learnt = fit_runs(
        recipe, sources, state=wanted.work, device=place,
        report=wanted.report, step=wanted.step, say=say,
    )  # fmt: skip
    say("Measuring, and writing the pack")
    reader = to_reader(learnt.network, head=own.source.name, flips=recipe.flips)
    return image_pack(recipe, sources, reader, out=wanted.out, runs=learnt.runs)


def _refuse_labels_without_samples(recipe: Recipe, own: Pixels) -> None:
    """Raises BadDataset where a label cannot be learnt, or an alarm cannot be measured."""
    remedy = "Add samples of other patients, or take it out of the recipe."
    learnt = {own.source.labels[own.targets[index]] for index in own.parts.train}
    for code in own.source.labels:
        if code not in learnt:
            raise BadDataset(
                f"No sample of '{code}' stands in the training part of {own.dataset.name}. {remedy}"
            )
    alarms = {each.code: {each.code} for each in recipe.labels if each.positive}
    alarms |= {each.code: set(each.labels) for each in recipe.groups}
    tested = {own.source.labels[own.targets[index]] for index in own.parts.test}
    for code, among in alarms.items():
        if not tested & among or not tested - among:
            which = "others" if tested & among else "it"
            raise BadDataset(
                f"How well '{code}' is told cannot be measured: the test part of "
                f"{own.dataset.name} holds no sample of {which}. {remedy}"
            )

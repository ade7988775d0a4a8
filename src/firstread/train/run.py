"""A recipe and a data folder become a pack folder: the whole run, which can be killed and goes
on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from firstread.datasets import Dataset, open_dataset
from firstread.domain.errors import BadConfiguration, BadDataset
from firstread.packs.place import alone, written_alone
from firstread.train.additive import fit_shapes, out_of_fold
from firstread.train.allds2020_run import train_allds2020
from firstread.train.assemble import image_pack, measurements_pack
from firstread.train.device import choose
from firstread.train.loop import Progress, Step
from firstread.train.mean_of_runs import fit_runs
from firstread.train.pixels import Pixels, load
from firstread.train.recipe import Recipe, Source
from firstread.train.recordings import train_recordings
from firstread.train.rehearsal import rehearse


def train(
    recipe: Recipe,
    *,
    data: Path,
    out: Path,
    work: Path,
    device: str = "auto",
    report: Callable[[Progress], None] = lambda _: None,
    seeds: int = 1,
    step: Callable[[Step], None] = lambda _: None,
    say: Callable[[str], None] = lambda _: None,
) -> Path:
    """Train the recipe and write its pack into `out`; the pack's folder.

    `data` holds a folder per source of the recipe, by its name; with one source it may be that
    folder itself. `work` keeps checkpoints, so that a run that was killed goes on from its last
    whole epoch. `device` is auto, cpu or cuda; `seeds` is how often a recipe with [allds2020] is
    trained. One process at a time trains a recipe in `work`, or writes its pack into `out`.

    Raises BadConfiguration and BadDataset where recipe, folders or samples do not fit, and OSError
    where the disk does not take what is written.
    """
    rehearse(recipe)
    _ = recipe.flips
    if seeds != 1 and recipe.allds2020 is None:
        raise BadConfiguration(
            f"The recipe {recipe.name} is trained with one seed. Leave --seeds out: it is for "
            "recipes with an [allds2020] table."
        )
    with _alone(recipe, out=out, work=work):
        return _trained(
            recipe, data=data, out=out, work=work, device=device, seeds=seeds,
            report=report, step=step, say=say,
        )  # fmt: skip


@contextmanager
def _alone(recipe: Recipe, *, out: Path, work: Path) -> Iterator[None]:
    """Nobody else learns this recipe there or writes its pack; that both can be written is known
    before any time is spent."""
    busy = (
        f"Another training of '{recipe.name}' goes on in {work}. Wait until it ends, or name "
        "another folder with --work."
    )
    new = [folder for folder in (work, out) if not folder.exists()]
    work.mkdir(parents=True, exist_ok=True)
    lock = work / f"{recipe.name}-{recipe.fingerprint()}.lock"
    try:
        with alone(lock, otherwise=busy), written_alone(out, recipe.name):
            yield
    finally:
        for folder in new:
            with suppress(OSError):
                folder.rmdir()  # only where nothing came into it


def _trained(
    recipe: Recipe,
    *,
    data: Path,
    out: Path,
    work: Path,
    device: str,
    seeds: int,
    report: Callable[[Progress], None],
    step: Callable[[Step], None],
    say: Callable[[str], None],
) -> Path:
    datasets = [
        _dataset(source, data, single=len(recipe.sources) == 1) for source in recipe.sources
    ]
    if recipe.kind == "measurements":
        return _train_measurements(recipe, datasets[0], out=out, say=say)
    if recipe.kind == "recording":
        return train_recordings(recipe, datasets[0], out=out, work=work, report=report, say=say)
    if recipe.allds2020 is not None:
        place = choose(device, precision="float32")
        return train_allds2020(
            recipe,
            datasets[0],
            out=out,
            work=work,
            device=place,
            seeds=seeds,
            report=report,
            say=say,
        )
    if recipe.network is None:
        raise BadConfiguration(f"The recipe {recipe.name} has no [network]. Add that table.")
    place = choose(device, precision=recipe.schedule.precision)
    say(f"Opening {sum(len(one.items) for one in datasets)} pictures")
    pairs = zip(datasets, recipe.sources, strict=True)
    sources = [load(dataset, source, recipe) for dataset, source in pairs]
    parts = sources[0].parts
    if not (parts.train and parts.validation and parts.test):
        raise BadDataset(
            f"The folder {datasets[0].name} has too few samples to be parted into training, "
            "validation and test. Add samples, or patients."
        )
    _refuse_labels_without_samples(recipe, sources[0])
    say(
        f"{len(parts.train)} to learn from, {len(parts.validation)} to calibrate, "
        f"{len(parts.test)} to test"
    )
    soup = fit_runs(recipe, sources, state=work, device=place, report=report, step=step, say=say)
    say("Measuring, and writing the pack")
    return image_pack(recipe, sources, soup.network, out=out, runs=soup.runs)


def _refuse_labels_without_samples(recipe: Recipe, own: Pixels) -> None:
    """Raises BadDataset where a label cannot be learnt, or an alarm cannot be measured."""
    remedy = "Add samples of other patients, or take it out of the recipe."
    learnt = {own.source.labels[own.targets[index]] for index in own.parts.train}
    for code in own.source.labels:
        if code not in learnt:
            raise BadDataset(
                f"No sample of '{code}' stands in the training part of {own.dataset.name}. {remedy}"
            )
    alarms = {each["code"]: {each["code"]} for each in recipe.labels if each["positive"]}
    alarms |= {each["code"]: set(each["labels"]) for each in recipe.groups}
    tested = {own.source.labels[own.targets[index]] for index in own.parts.test}
    for code, among in alarms.items():
        if not tested & among or not tested - among:
            which = "others" if tested & among else "it"
            raise BadDataset(
                f"How well '{code}' is told cannot be measured: the test part of "
                f"{own.dataset.name} holds no sample of {which}. {remedy}"
            )


def _dataset(source: Source, data: Path, *, single: bool) -> Dataset:
    inner = data / source.name
    if not inner.is_dir() and not single:
        raise BadDataset(
            f"The recipe needs the folder '{source.name}' in {data}. Name the folder that holds it."
        )
    return open_dataset(inner if inner.is_dir() else data)


def _train_measurements(
    recipe: Recipe, dataset: Dataset, *, out: Path, say: Callable[[str], None]
) -> Path:
    if recipe.additive is None or dataset.kind != "measurements":
        raise BadConfiguration(
            f"The recipe {recipe.name} needs an [additive] table and a folder with "
            "measurements.csv. Add the one, or name the other."
        )
    codes = recipe.sources[0].labels
    if len(codes) != 2 or set(dataset.labels) - set(codes):
        raise BadDataset(
            f"The additive model tells two labels apart; the recipe has {', '.join(codes)}, and "
            f"the folder {', '.join(dataset.labels)}. Name a folder with the recipe's labels."
        )
    names = [each["code"] for each in recipe.measurements]
    table = [dict(item.measurements) for item in dataset.items]
    missing = [name for name in names if name not in table[0]]
    if missing:
        raise BadDataset(
            f"measurements.csv has no column '{missing[0]}', which the recipe names. Add it, or "
            "leave it out of the recipe."
        )
    rows = np.array([[row[name] for name in names] for row in table], dtype=np.float64)
    truths = np.array([codes.index(item.label) for item in dataset.items], np.int64)
    say(f"{recipe.additive.repeats} times {recipe.additive.folds}-fold cross-validation")
    folded = out_of_fold(dataset, rows, truths, recipe.additive, seed=recipe.seed)
    shapes = fit_shapes(rows, truths, recipe.additive)
    say("Writing the pack")
    return measurements_pack(
        recipe, dataset, shapes, rows=rows, truths=truths, folded=folded, out=out
    )

"""A recipe and a data folder become a pack folder: the whole run, which can be killed and goes
on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from firstread.datasets import Dataset, open_dataset
from firstread.domain.errors import BadConfiguration, BadDataset
from firstread.packs.place import alone, written_alone
from firstread.train.history import Progress, Step
from firstread.train.kinds import KINDS
from firstread.train.recipe import Recipe, Source
from firstread.train.rehearsal import rehearse
from firstread.train.training import Training


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
    if seeds != 1 and recipe.allds2020 is None:
        raise BadConfiguration(
            f"The recipe {recipe.name} is trained with one seed. Leave --seeds out: it is for "
            "recipes with an [allds2020] table."
        )
    with _alone(recipe, out=out, work=work):
        single = len(recipe.sources) == 1
        datasets = tuple(_dataset(source, data, single=single) for source in recipe.sources)
        return KINDS[recipe.kind].train(
            Training(
                recipe=recipe, datasets=datasets, out=out, work=work, device=device, seeds=seeds,
                report=report, step=step, say=say,
            )
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


def _dataset(source: Source, data: Path, *, single: bool) -> Dataset:
    inner = data / source.name
    if not inner.is_dir() and not single:
        raise BadDataset(
            f"The recipe needs the folder '{source.name}' in {data}. Name the folder that holds it."
        )
    return open_dataset(inner if inner.is_dir() else data)

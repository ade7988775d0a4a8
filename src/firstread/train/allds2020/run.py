"""A recipe with [allds2020] and a folder become a pack, and figures of merit over several seeds."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from firstread.datasets import Dataset
from firstread.domain.errors import BadConfiguration, BadDataset
from firstread.evaluation import wilson
from firstread.train.allds2020.network import AllNetwork, augmented, chances_of, fit, to_reader
from firstread.train.allds2020.over_seeds import Interval, Merit, merit, summary
from firstread.train.device import Device, choose
from firstread.train.history import Progress
from firstread.train.image.assemble import image_pack
from firstread.train.image.pixels import Pixels, load
from firstread.train.recipe import Recipe
from firstread.train.training import Training

TITLES = {
    "accuracy": "accuracy",
    "recall": "sensitivity (recall)",
    "specificity": "specificity",
    "precision": "precision",
    "auc": "AUC",
    "loss": "loss",
    "misclassified": "misclassified",
}
PARTS = ("validation", "test")


@dataclass(frozen=True, kw_only=True)
class Run:
    """What one seed came to; pictures that were copied are in neither part."""

    seed: int
    learnt_n: int
    validation: Merit
    test: Merit


def train_allds2020(wanted: Training) -> Path:
    """Train with each of the seeds asked for, from the recipe's on, and write the first one's pack.

    The folder is parted by picture before any picture is copied, anew for each seed. The figures of
    merit are said as a table, written into the card, and kept as JSON in `work`, as are the
    checkpoints. Raises BadConfiguration and BadDataset where the recipe or the folder does not fit.
    """
    recipe, say = wanted.recipe, wanted.say
    device = choose(wanted.device, precision="float32")
    _refuse_mistakes(recipe, seeds=wanted.seeds)
    runs: list[Run] = []
    first: tuple[Pixels, AllNetwork] | None = None
    for number in range(wanted.seeds):
        one = replace(recipe, seed=recipe.seed + number)
        pixels = _parted(wanted.datasets[0], one)
        say(f"Seed {one.seed}, {number + 1} of {wanted.seeds}")
        network = _learnt(
            one, pixels, work=wanted.work, device=device, report=wanted.report, say=say
        )
        runs.append(_measured(one.seed, pixels, network))
        first = first or (pixels, network)
    if first is None:
        raise BadConfiguration("There was no seed to train with. Say --seeds 5.")
    figures = {part: summary([getattr(run, part) for run in runs]) for part in PARTS}
    path = wanted.work / f"{recipe.name}-{recipe.fingerprint()}-seeds.json"
    path.write_text(as_json(recipe, runs, figures), encoding="utf-8")
    table = as_table(runs, figures)
    say(table)
    say(f"Every seed's figures are in {path}")
    words = f"{recipe.pack.words.strip()}\n\n## Over {len(runs)} seeds\n\n{table}\n"
    told = replace(recipe, pack=replace(recipe.pack, words=words))
    return image_pack(told, [first[0]], to_reader(first[1]), out=wanted.out)


def _refuse_mistakes(recipe: Recipe, *, seeds: int) -> None:
    """Raises BadConfiguration before any time is spent. Opening a recipe looks at single values."""
    if seeds < 1:
        raise BadConfiguration("The number of seeds must be 1 or more. Say --seeds 5.")
    if [one.positive for one in recipe.labels] != [False, True]:
        raise BadConfiguration(
            f"The recipe {recipe.name} has an [allds2020] table, so it needs two labels: the "
            "negative one first, then the positive one."
        )


def _parted(dataset: Dataset, recipe: Recipe) -> Pixels:
    pixels = load(dataset, recipe.sources[0], recipe)
    sizes = (pixels.source.width_px, pixels.source.height_px)
    if sizes[0] != sizes[1] or sizes[0] % 2:
        raise BadConfiguration(
            f"AllDS2020's network looks at squares of an even number of pixels, not {sizes[0]}x"
            f"{sizes[1]}. Correct width_px and height_px of the recipe's [[source]]."
        )
    for part in (pixels.parts.train, pixels.parts.validation, pixels.parts.test):
        if len({int(pixels.targets[index]) for index in part}) < 2:
            raise BadDataset(
                f"The folder {dataset.name} has too few pictures: training, validation and test "
                "need both labels. Add pictures."
            )
    return pixels


def _learnt(
    recipe: Recipe,
    pixels: Pixels,
    *,
    work: Path,
    device: Device,
    report: Callable[[Progress], None],
    say: Callable[[str], None],
) -> AllNetwork:
    if recipe.allds2020 is None:
        raise BadConfiguration(f"The recipe {recipe.name} has no [allds2020]. Add that table.")
    how = recipe.allds2020
    chosen = np.array(pixels.parts.train)
    images, targets = augmented(
        pixels.images[chosen], pixels.targets[chosen], rotations=how.rotations, seed=recipe.seed
    )
    say(f"{len(chosen)} pictures become {len(images)} to learn from")
    kept = np.array(pixels.parts.validation)
    work.mkdir(parents=True, exist_ok=True)
    return fit(
        images,
        targets,
        how,
        seed=recipe.seed,
        device=device,
        checkpoint=work / f"{recipe.name}-{recipe.fingerprint()}.pt",
        watched=(pixels.images[kept], pixels.targets[kept]),
        report=report,
        say=say,
    )


def _measured(seed: int, pixels: Pixels, network: AllNetwork) -> Run:
    found = {}
    for part in PARTS:
        chosen = np.array(getattr(pixels.parts, part))
        found[part] = merit(pixels.targets[chosen], chances_of(network, pixels.images[chosen]))
    return Run(seed=seed, learnt_n=len(pixels.parts.train), **found)


def as_table(runs: list[Run], figures: dict[str, dict[str, Interval]]) -> str:
    """The figures of merit as a table in Markdown: mean and 95 % interval over the seeds."""
    counted = [f"{part} ({getattr(runs[0], part).n} pictures)" for part in PARTS]
    lines = [f"| figure | {' | '.join(counted)} |", "|---|---|---|"]
    for name, title in TITLES.items():
        cells = [
            _cell(figures[part][name], most=math.inf if name == "loss" else 1.0) for part in PARTS
        ]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    last = runs[0].test
    alone = wilson(last.tp + last.tn, last.n)
    over = f"Mean over {len(runs)} seeds with the 95 % interval by Student's t: how far they differ"
    told = (
        f"{over if len(runs) > 1 else 'One seed: one run says little'}. The pack is that of seed "
        f"{runs[0].seed}. On its test part it has {last.tp} true and {last.fp} false positives, "
        f"{last.tn} true and {last.fn} false negatives; so few pictures alone leave its accuracy "
        f"anywhere from {alone.low:.3f} to {alone.high:.3f}."
    )
    return "\n".join([*lines, "", told])


def _cell(found: Interval, *, most: float) -> str:
    if math.isnan(found.mean):
        return "not known"
    if math.isnan(found.low):
        return f"{found.mean:.3f}"
    # A share is at most 1, which Student's t does not know.
    low, high = max(0.0, found.low), min(most, found.high)
    return f"{found.mean:.3f} ({low:.3f} to {high:.3f})"


def as_json(recipe: Recipe, runs: list[Run], figures: dict[str, dict[str, Interval]]) -> str:
    """The same for programs, with every seed by itself; what is not known is null."""
    told = {
        "recipe": recipe.name,
        "runs": [asdict(run) for run in runs],
        "over_seeds": {
            part: {name: asdict(each) for name, each in figures[part].items()} for part in PARTS
        },
    }
    return json.dumps(_plain(told), indent=1, allow_nan=False) + "\n"


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and math.isnan(value) else value

"""Gather the pictures that the pack `motifs` learns from into one folder of labelled samples.

    python benchmarks/motifs/gather.py DATA FOLDER [--everyday PICTURES]
    firstread train motifs --data FOLDER --out packs/

DATA holds the sets that the shipped packs were trained on, PICTURES any photographs and drawings
of other things. What is kept for the table of pairs (`pairs.py`) is left out.
"""

from __future__ import annotations

import argparse
import io
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from drawn import draw
from PIL import Image
from sent import as_sent
from sources import PACKS, Given, pictures

from firstread.datasets.sample import Sample
from firstread.datasets.write import write_dataset
from firstread.phantom.making import make

_EACH = {"train": 1500, "validation": 400}
"""Of each motif at most so many pictures come from its largest set."""
_TIMES = {
    "smear-field": 9, "smear-field-more": 2, "fundus": 3, "malaria/colour": 4, "other": 1,
    "blood-cell/originals": 6, "marrow-cell/originals": 6, "samples": 40, "everyday": 16,
}  # fmt: skip
"""How often a picture of a small set is shown, each time changed by chance."""
_DRAWN = {"train": 1100, "validation": 200, "test": 200}
_PHANTOMS = {"train": 150, "validation": 20, "test": 20}
_SEED = 20


def gathered(data: Path, *, everyday: Path | None) -> Iterator[Sample]:
    """Every sample, one at a time."""
    rng = np.random.default_rng(_SEED)
    counts: Counter[tuple[str, str]] = Counter()
    for given in _in_no_order(data, everyday):
        key = given.source, given.part
        if given.part == "test" or counts[key] >= _EACH[given.part]:
            continue
        counts[key] += 1
        image = Image.open(io.BytesIO(given.data)).convert("RGB")
        for number in range(_TIMES.get(given.source, 1)):
            yield from _samples(given, image, number, rng)
    yield from _made_up(rng)


def _in_no_order(data: Path, everyday: Path | None) -> Iterator[Given]:
    """Set by set, the pictures of each in an order drawn by chance."""
    rng = np.random.default_rng(_SEED)
    waiting: list[Given] = []
    for given in pictures(data, everyday=everyday):
        if waiting and given.source != waiting[0].source:
            yield from (waiting[index] for index in rng.permutation(len(waiting)))
            waiting = []
        waiting.append(given)
    yield from (waiting[index] for index in rng.permutation(len(waiting)))


def _samples(
    given: Given, image: Image.Image, number: int, rng: np.random.Generator
) -> Iterator[Sample]:
    # A quarter of what was given to validation tests what the card says; the rest calibrates.
    part = given.part
    if part == "validation" and int(rng.integers(4)) == 0:
        part = "test"
    whose = f"{given.source}/{given.patient or given.name}"
    part = _part_of.setdefault(whose, part)

    def sample(motif: str, shown: Image.Image, *, crops: bool = True) -> Sample:
        return Sample(
            label=motif,
            data=as_sent(shown, rng, crops=crops),
            name=f"{given.source}-{number}",
            patient=whose,
            part=part,
        )

    if given.source == "everyday":
        yield sample("other", _any_part(image, rng))
    elif given.source == "smear-field":
        yield sample("field", _parts_of_field(image, number, rng), crops=False)
        for box in given.white_cells[:1] if number < 5 else ():
            yield sample("blood-cell", _round(image, box, rng), crops=False)
    else:
        yield sample(given.motif, image)
        if given.source == "smear-field-more":
            yield sample("field", _mosaic(image, rng), crops=False)


_part_of: dict[str, str] = {}


def _made_up(rng: np.random.Generator) -> Iterator[Sample]:
    for part, count in _DRAWN.items():
        for number in range(count):
            name = f"drawn-{part}-{number}"
            data = as_sent(draw(rng), rng)
            yield Sample(label="other", data=data, name=name, patient=name, part=part)
    seed = 0
    for check, motif in (("blood-smear", "blood-cell"), ("leukaemia", "marrow-cell")):
        for part, count in _PHANTOMS.items():
            for _ in range(count):
                seed += 1
                shown = Image.open(io.BytesIO(make(check, seed=seed).png))
                name = f"phantom-{check}-{seed}"
                data = as_sent(shown, rng)
                yield Sample(label=motif, data=data, name=name, patient=name, part=part)


def _any_part(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """A part of a photograph, from a tenth of it to all of it."""
    share = float(rng.uniform(0.1, 1.0))
    width, height = (max(8, int(side * share)) for side in image.size)
    left = int(rng.integers(image.width - width + 1))
    top = int(rng.integers(image.height - height + 1))
    return image.crop((left, top, left + width, top + height))


def _parts_of_field(image: Image.Image, number: int, rng: np.random.Generator) -> Image.Image:
    """The whole field, most of it, or several fields beside each other as if from farther away."""
    if number < 4:
        return image
    if number < 6:
        share = float(rng.uniform(0.75, 1.0))
        width, height = int(image.width * share), int(image.height * share)
        left = int(rng.integers(image.width - width + 1))
        top = int(rng.integers(image.height - height + 1))
        return image.crop((left, top, left + width, top + height))
    return _mosaic(image, rng)


def _mosaic(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Two by two or three by three of it, each turned about: a field of many cells, none in the
    middle."""
    count = int(rng.integers(2, 4))
    side = min(image.size)
    whole = Image.new("RGB", (side * count, side * count))
    ways = list(Image.Transpose)
    for row in range(count):
        for column in range(count):
            tile = image.crop((0, 0, side, side)).transpose(ways[int(rng.integers(len(ways)))])
            whole.paste(tile, (column * side, row * side))
    left, top = (int(rng.integers(side // 2)) for _ in range(2))
    size = int(side * (count - 0.5))
    return whole.crop((left, top, left + size, top + size))


def _round(
    image: Image.Image, box: tuple[int, int, int, int], rng: np.random.Generator
) -> Image.Image:
    """One white cell in the middle, which fills two thirds of the picture or more."""
    left, top, right, bottom = box
    half = max(right - left, bottom - top) * float(rng.uniform(0.5, 0.75))
    x, y = (left + right) / 2, (top + bottom) / 2
    return image.crop(
        (
            max(0, int(x - half)), max(0, int(y - half)),
            min(image.width, int(x + half)), min(image.height, int(y + half)),
        )
    )  # fmt: skip


def main() -> None:
    """Gather."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("data", type=Path)
    asked.add_argument("folder", type=Path)
    asked.add_argument("--everyday", type=Path)
    given = asked.parse_args()
    found = write_dataset(
        gathered(given.data, everyday=given.everyday),
        to=given.folder,
        kind="image",
        source=f"the sets of {', '.join(PACKS.values())}, fields, and drawings",
        licence="CC-BY-4.0, CC0, MIT and public domain, set by set",
    )
    print(f"{found} pictures in {given.folder}")


if __name__ == "__main__":
    main()

"""Train a refiner from a recipe; stop it at any time and it goes on from its last checkpoint."""

from __future__ import annotations

import logging
import sys
import time
from pathlib import Path

import click
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from firstread.phantom.making import drawing
from firstread.phantom.workshop.export import export
from firstread.phantom.workshop.training import Recipe, Workshop, read_recipe, real_pictures

log = logging.getLogger("firstread.phantom.workshop")
FIRST_TRAINING_SEED = 1_000_000  # far from the seeds anybody asks phantoms for
KEEP_EVERY = 100


def drawings(recipe: Recipe, *, cache: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Drawings of every label in turn, kept in `cache` for the next run."""
    if cache.exists():
        with np.load(cache) as kept:
            return kept["x"], kept["y"]
    pixels, numbers = [], []
    for seed in range(recipe.drawings_per_label):
        for number, label in enumerate(recipe.labels):
            pixels.append(drawing(recipe.check, label=label, seed=FIRST_TRAINING_SEED + seed))
            numbers.append(number)
    np.savez(cache, x=np.stack(pixels), y=np.array(numbers))
    return np.stack(pixels), np.array(numbers)


def reading(folder: Path) -> tuple[nn.Module, NDArray[np.float32], float]:
    """A frozen reader (pixels 0..255 to logits and embedding), its reference and its limit."""
    module: nn.Module = torch.jit.load(folder / "reader.ts")  # type: ignore[no-untyped-call]
    module.eval()
    for weight in module.parameters():
        weight.requires_grad_(False)
    limit = float((folder / "familiar_below.txt").read_text(encoding="utf-8"))
    return module, np.load(folder / "familiarity.npy").astype(np.float32), limit


@click.command()
@click.argument("recipe_path", type=click.Path(exists=True, path_type=Path))
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--work", type=click.Path(path_type=Path), required=True, help="Checkpoints.")
@click.option("--reader", type=click.Path(exists=True, path_type=Path), help="A frozen reader.")
@click.option("--out", type=click.Path(path_type=Path), required=True)
def main(recipe_path: Path, *, data: Path, work: Path, reader: Path | None, out: Path) -> None:
    """Train the refiner of RECIPE_PATH on the pictures in --data and write it to --out."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    recipe = read_recipe(recipe_path)
    torch.set_num_threads(recipe.threads)
    work.mkdir(parents=True, exist_ok=True)
    drawn = drawings(recipe, cache=work / "drawings.npz")
    workshop = Workshop(recipe, drawn=drawn, real=real_pictures(data, recipe.labels))
    if reader is not None:
        workshop.reader, reference, limit = reading(reader)
        workshop.with_reference(reference, familiar_below=limit)
    checkpoint = work / "checkpoint.pt"
    if checkpoint.exists():
        workshop.resume(checkpoint)
    started, first = time.monotonic(), workshop.done
    while workshop.done < recipe.steps:
        losses = workshop.step()
        if workshop.done % KEEP_EVERY == 0:
            workshop.save(checkpoint)
            pace = (time.monotonic() - started) / (workshop.done - first)
            told = " ".join(f"{name} {value:.3f}" for name, value in losses.items())
            log.info("step %d, %.2f s a step: %s", workshop.done, pace, told)
    size_px = drawn[0].shape[1]
    export(workshop.average, out, size_px=size_px, labels=len(recipe.labels))


if __name__ == "__main__":
    main()

"""`firstread train`: a recipe and labelled samples become a pack."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("recipe")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    envvar="FIRSTREAD_DATASETS",
    default=Path("../shared/data"),
    show_default=True,
    help="The folder of labelled samples, or the folder that holds it.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("packs"),
    show_default=True,
    help="Where the pack is written.",
)
@click.option(
    "--work",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("var/train"),
    show_default=True,
    help="Where checkpoints are kept: a run that was killed goes on from there.",
)
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
    help="Where it learns: auto takes a graphics card (CUDA) where there is one.",
)
@click.option(
    "--seeds",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Train so often, each time with another seed and split, for the mean and its interval; "
    "for recipes with an [allds2020] table.",
)
def train(recipe: str, *, data: Path, out: Path, work: Path, device: str, seeds: int) -> None:
    """Train RECIPE, a TOML file or the name of a shipped one, and write the pack."""
    import torch  # noqa: F401  first, so that a missing extra is named before the data is opened

    from firstread.cli.learning import learning
    from firstread.train.recipe import find_recipe, open_recipe
    from firstread.train.run import train as run

    opened = open_recipe(find_recipe(recipe))
    with learning(opened.name, epochs=opened.schedule.epochs) as watched:
        pack = run(
            opened,
            data=data,
            out=out,
            work=work,
            device=device,
            seeds=seeds,
            report=watched.report,
            step=watched.step,
            say=watched.say,
        )
    click.echo(f"{pack}")

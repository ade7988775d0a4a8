"""`firstread train`: a recipe and labelled samples become a pack."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from firstread.train.loop import Progress


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
def train(recipe: str, *, data: Path, out: Path, work: Path) -> None:
    """Train RECIPE, a TOML file or the name of a shipped one, and write the pack."""
    import torch  # noqa: F401  first, so that a missing extra is named before the data is opened
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    from firstread.train.recipe import find_recipe, open_recipe
    from firstread.train.run import train as run

    opened = open_recipe(find_recipe(recipe))
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total} epochs"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(f"Training {opened.name}", total=opened.schedule.epochs, visible=False)

        def report(progress: Progress) -> None:
            told = f"loss {progress.loss:.3f}  validation accuracy {progress.accuracy:.3f}"
            bar.update(task, completed=progress.epoch, visible=True, description=told)
            if not console.is_terminal:
                left_s = progress.took_s * (progress.epochs - progress.epoch)
                click.echo(
                    f"epoch {progress.epoch}/{progress.epochs}  {told}  about {left_s:.0f} s left",
                    err=True,
                )

        say = lambda words: console.print(words, highlight=False)  # noqa: E731  one line for two ways of saying
        pack = run(opened, data=data, out=out, work=work, report=report, say=say)
    click.echo(f"{pack}")

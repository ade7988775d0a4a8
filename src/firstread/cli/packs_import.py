"""`firstread packs import`: a model from elsewhere becomes a pack."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from firstread.cli.running import progress, refuse_without

if TYPE_CHECKING:
    from firstread.importing.assemble import Imported
    from firstread.importing.run import Asked

F = TypeVar("F", bound=Callable[..., Any])

_FOLDER = click.Path(path_type=Path, exists=True)
_OPTIONS = (
    click.option("--recipe", help="A recipe for importing: a TOML file, or a shipped one's name."),
    click.option("--check", help="The question that it answers, such as retina-oct."),
    click.option("--name", help="What the pack is called; else as its check."),
    click.option("--version", help="The pack's version, such as 1.0.0."),
    click.option("--title", help="What people see it called."),
    click.option("--licence", help="Under which licence the model may be used."),
    click.option("--intended-use", help="What it is for, in a sentence."),
    click.option("--limits", help="What it is not for, in a sentence."),
    click.option("--labels", help="Its labels in the order of its outputs: a,b,c or a file."),
    click.option("--positive", help="The labels that raise the alarm: b,c."),
    click.option("--size", help="Pixels that it takes, as 224 or 224x192; else as it says."),
    click.option(
        "--colour", type=click.Choice(["rgb", "grey"]), help="Pictures in colour, or made grey."
    ),
    click.option(
        "--fit",
        type=click.Choice(["crop", "pad", "stretch"]),
        help="How a picture is made to fit: crop, the default, pad or stretch.",
    ),
    click.option(
        "--interpolation",
        type=click.Choice(["nearest", "box", "bilinear", "bicubic", "lanczos"]),
        help="How pixels are resampled; bilinear is the default.",
    ),
    click.option("--scale", help="Pixels of 0 to 255 are multiplied by it, as 1/255."),
    click.option("--mean", help="Then subtracted: one number, or one a channel."),
    click.option("--std", help="Then divided by: one number, or one a channel."),
    click.option(
        "--order",
        type=click.Choice(["rgb", "bgr", "grey"]),
        help="The order of its channels; rgb is the default, grey is a single one.",
    ),
    click.option(
        "--layout",
        type=click.Choice(["nchw", "nhwc"]),
        help="Channels before or after height and width; else as it says.",
    ),
    click.option("--output", help="Which output holds the answers, where it has several."),
    click.option(
        "--answers",
        type=click.Choice(["logits", "probabilities"]),
        help="What its answers are; else it is asked and found out.",
    ),
    click.option("--measurements", help="Of a table model: its columns in their order, a,b,c."),
    click.option("--range", "ranges", help="Lowest and highest measurement, as 1:10."),
    click.option("--network", help="The training recipe that weights of PyTorch are of."),
    click.option(
        "--samples", type=_FOLDER, help="Pictures for its golden samples; else synthetic ones."
    ),
    click.option(
        "--calibrate",
        type=_FOLDER,
        help="Labelled samples: they measure it, and from a hundred on half of them calibrate it.",
    ),
    click.option(
        "--i-trust-this-pickle",
        "trusted",
        is_flag=True,
        help="Open a pickle of scikit-learn, in a process apart.",
    ),
    click.option(
        "--out",
        type=click.Path(path_type=Path, file_okay=False),
        help="The shelf it is put on; else the first of FIRSTREAD_PACKS, or packs in the home "
        "folder, where everything finds it by its name.",
    ),
    click.option("--replace", is_flag=True, help="Put it in the place of a pack of that name."),
    click.option("--json", "as_json", is_flag=True, help="Print JSON."),
)


def import_options(command: F) -> F:
    """Everything that can be said of a model, for `import` and `install`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@import_options
def import_(file: Path, **options: Any) -> None:
    """Make a pack of FILE: ONNX, Keras .h5, weights of PyTorch, or a scikit-learn model.

    Preprocessing comes from the options or a recipe. Without labelled samples (--calibrate) the
    card says that nobody has measured it.
    """
    refuse_without_extra("packs import")
    from firstread.importing.run import import_model

    asked = asked_of(options)
    dataset = dataset_of(options)
    watched = dataset is not None and sys.stderr.isatty()
    with progress(
        "Measuring", total=len(dataset.items) if dataset else None, shown=watched
    ) as step:
        made = import_model(file, asked, wanted=wanted_of(options, dataset=dataset, step=step))
    show_import(made, as_json=options["as_json"])


def refuse_without_extra(command: str) -> None:
    """Raises MissingExtra, before anything is fetched or opened, where the extra is not whole."""
    modules = ("h5py", "httpx", "onnx", "scipy", "tomli_w")
    refuse_without(*modules, command=command, extra="import")


def asked_of(options: dict[str, Any]) -> Asked:
    """What the options say of the model."""
    from firstread.importing.recipe import Said
    from firstread.importing.run import Asked

    said = Said(**{each.name: options[each.name] for each in fields(Said)})
    return Asked(
        said=said,
        recipe=options["recipe"],
        network=options["network"],
        trusted=options["trusted"],
    )


def wanted_of(options: dict[str, Any], *, dataset: Any, step: Callable[[], None]) -> Any:
    """Where the pack goes, and what else there is to make it of."""
    from firstread.importing.assemble import Wanted
    from firstread.packs import own_shelf

    return Wanted(
        out=options["out"] or own_shelf(),
        samples=options["samples"],
        labelled=dataset,
        replace=options["replace"],
        step=step,
    )


def dataset_of(options: dict[str, Any]) -> Any:
    """The labelled samples that the options name, or None."""
    if options["calibrate"] is None:
        return None
    from firstread.cli.labelled import open_labelled

    return open_labelled(options["calibrate"])


def show_import(made: Imported, *, as_json: bool) -> None:
    """Print where the pack stands, and what whoever imported it should know."""
    if as_json:
        click.echo(json.dumps({"path": str(made.folder), "says": list(made.says)}))
        return
    for each in made.says:
        click.echo(f"firstread: {each}", err=True)
    click.echo(f"{made.folder}")

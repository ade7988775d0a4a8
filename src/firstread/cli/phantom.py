"""`firstread phantom`: make samples that hold no person's data."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command()
@click.argument("check")
@click.option("--label", help="What the phantom shows; without it, every label in turn.")
@click.option("--seed", default=0, show_default=True, help="The same seed makes the same phantom.")
@click.option(
    "--count", default=1, show_default=True, type=click.IntRange(1, 100_000), help="How many."
)
@click.option("--damage", help="Spoil it: blurred, dark, bright or empty.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path(),
    show_default=True,
    help="A folder, or a file name (.png, .json, .zip) for a single phantom.",
)
def phantom(
    check: str, *, label: str | None, seed: int, count: int, damage: str | None, out: Path
) -> None:
    """Make phantoms for CHECK: pictures, measurements or recordings drawn by chance, of nobody.

    \b
    firstread phantom leukaemia --label blast --out blast.png
    firstread phantom blood-smear --count 40 --out cells/
    firstread phantom breast-cytology --count 5 --out rows/
    """
    from firstread.phantom import damaged, make

    single = out.suffix.lower() in {".png", ".json", ".zip"}
    if single and count > 1:
        raise click.UsageError(f"{count} phantoms do not fit into one file: name a folder.")
    (out.parent if single else out).mkdir(parents=True, exist_ok=True)
    for number in range(seed, seed + count):
        sample = (
            damaged(damage, check=check, label=label, seed=number)
            if damage
            else make(check, label=label, seed=number)
        )
        stem = f"{sample.check}-{sample.label}-{number}" + (f"-{damage}" if damage else "")
        if isinstance(sample.data, bytes):
            path = out if single else out / f"{stem}{sample.ending}"
            path.write_bytes(sample.data)
        else:
            path = out if single else out / f"{stem}.json"
            path.write_text(json.dumps(sample.data, indent=2) + "\n", encoding="utf-8")
        click.echo(str(path))

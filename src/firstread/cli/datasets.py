"""`firstread datasets`: what is wrong with labelled samples, before anybody learns from them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from firstread.cli.datasets_write import write
from firstread.cli.kinds import KINDS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from firstread.datasets import Dataset
    from firstread.datasets.inspect.check import Findings

_WIDTH = 32
_SHOWN = 10


@click.group()
def datasets() -> None:
    """Look at labelled samples before anybody learns from them, and write them."""


datasets.add_command(write)


@datasets.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--pack", help="Tell samples apart by this pack's network; finds more wrong labels.")
@click.option("--json", "as_json", is_flag=True, help="Everything as one JSON object.")
@click.option(
    "--html",
    "sheet",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write one page with thumbnails of all that was found.",
)
@click.option(
    "--all", "everything", is_flag=True, help="List every finding, not the first ten of a kind."
)
@click.pass_context
def check(
    ctx: click.Context,
    folder: Path,
    *,
    pack: str | None,
    as_json: bool,
    sheet: Path | None,
    everything: bool,
) -> None:
    """Report on the samples in FOLDER: balance, sizes, duplicates, labels that may be wrong.

    FOLDER is a folder, a zip, a .npz or a .csv, in any form that train and evaluate take. Exit code
    1 where something must be put right first: samples that cannot be opened, or one picture under
    two labels.
    """
    if sheet is not None and not sheet.absolute().parent.is_dir():
        raise click.BadParameter(f"there is no folder {sheet.parent}", param_hint="--html")
    from firstread.cli.labelled import open_labelled
    from firstread.cli.running import progress
    from firstread.datasets.inspect.check import check as look

    dataset = open_labelled(folder)
    rows, by = (None, "") if pack is None else _embedded(dataset, pack)
    with progress("Looking", total=len(dataset.items), shown=sys.stderr.isatty()) as step:
        found = look(dataset, rows=rows, told_apart_by=by, step=step)
    if sheet is not None:
        from firstread.datasets.inspect.page import page

        sheet.write_text(page(dataset, found), encoding="utf-8", errors="replace")
    if as_json:
        click.echo(json.dumps(found.as_dict()))
    else:
        for line in _report(found, shown=None if everything else _SHOWN):
            click.echo(line)
    ctx.exit(1 if found.costs_trust else 0)


def _embedded(dataset: Dataset, pack: str) -> tuple[NDArray[np.float64], str]:
    """What the pack's network makes of each sample: its embedding, or its logits."""
    import numpy as np

    from firstread.cli.running import progress
    from firstread.domain.errors import BadDataset, BadMeasurement, UnreadableSample
    from firstread.packs import find_pack
    from firstread.runtime import open_reader, read_all

    reader = open_reader(find_pack(pack))
    if dataset.kind != reader.manifest.kind or not KINDS[dataset.kind].is_told_apart:
        raise BadDataset(
            f"{dataset.name} holds samples of kind {dataset.kind}, which the pack "
            f"{reader.manifest.name} cannot tell apart. Name another pack, or none."
        )

    def vector(item: Any) -> NDArray[np.float64] | None:
        try:
            outcome = reader.read(dataset.sample(item))
        except (UnreadableSample, BadMeasurement, BadDataset):
            return None
        found = outcome.logits if outcome.embedding is None else outcome.embedding
        return np.asarray(found, dtype=np.float64)

    threads = min(2, os.cpu_count() or 1)
    with progress("Reading", total=len(dataset.items), shown=sys.stderr.isatty()) as step:
        found = []
        for each in read_all(dataset.items, vector, threads=threads):
            found.append(each)
            step()
    some = next((each for each in found if each is not None), np.zeros(1))
    rows = np.array([np.zeros_like(some) if each is None else each for each in found])
    return rows, f"embeddings of {reader.manifest.name}"


def _report(found: Findings, *, shown: int | None) -> Iterator[str]:
    whose = "no patients named" if found.patients is None else f"{found.patients:,} patients"
    if found.patients is not None and found.without_patient:
        whose += f", {found.without_patient:,} samples without one"
    yield f"{_plain(found.name)}: {found.n:,} samples ({found.kind}), {whose}"
    if found.parts:
        yield f"parts that came with it: {_counts(found.parts)}"
    if found.remark:
        yield found.remark
    yield ""
    if KINDS[found.kind].counted:
        yield KINDS[found.kind].counted
    yield from _bars(found.labels)
    yield ""
    if found.sizes_px:
        yield f"sizes in pixels: {_counts(found.sizes_px)}"
    yield (f"groups that stay together: {found.groups:,}, the largest of {found.largest_group:,}")
    yield from _trouble(found, shown=shown)
    yield ""
    yield (
        "Put the unreadable samples and the conflicts right before you train or measure."
        if found.costs_trust
        else "Nothing that must be put right first."
    )


def _trouble(found: Findings, *, shown: int | None) -> Iterator[str]:
    kinds: list[tuple[str, Sequence[str]]] = [
        ("unreadable", [f"{path}: {why}" for path, why in found.unreadable]),
        (
            f"one {KINDS[found.kind].one} under two labels",
            [f"{' and '.join(one.labels)}: {', '.join(one.paths)}" for one in found.conflicts],
        ),
        ("samples without a label", found.unlabelled),
        ("exact duplicates", [" = ".join(paths) for paths in found.duplicates]),
        (
            f"near duplicates (likeness above {found.near_from:.2f})",
            [
                f"{one.likeness:.3f}  {one.first}  {one.second}"
                + ("  turned" if one.turned else "")
                + ("" if one.first_label == one.second_label else "  OTHER LABEL")
                for one in found.near_duplicates
            ],
        ),
        (
            f"suspected label errors{_how_far(found)}",
            [
                f"{one.label}, looks like {one.looks_like} ({one.probability:.0%}): {one.path}"
                for one in found.suspects
            ],
        ),
    ]
    for title, lines in kinds:
        if title.startswith("near") and not KINDS[found.kind].has_near_duplicates:
            continue
        yield f"{title}: {len(lines):,}"
        some = lines[:shown]
        yield from (f"    {_plain(line)}" for line in some)
        if len(some) < len(lines):
            yield f"    ... and {len(lines) - len(some):,} more: --all, --json or --html"


def _how_far(found: Findings) -> str:
    if found.told_apart is None:
        return ""
    return f", by {found.told_apart_by}, which name {found.told_apart:.0%} as labelled"


def _bars(labels: dict[str, int]) -> Iterator[str]:
    width = max(len(_plain(label)) for label in labels)
    most = max(labels.values())
    for label, n in labels.items():
        bar = "█" * max(1, round(_WIDTH * n / most))
        yield f"{_plain(label):<{width}}  {n:>7,}  {bar}"


def _counts(counts: dict[str, int]) -> str:
    some = [f"{name} ({n:,})" for name, n in list(counts.items())[:6]]
    more = len(counts) - len(some)
    return ", ".join([*some, *([f"and {more:,} more"] if more > 0 else [])])


def _plain(words: str | Iterable[str]) -> str:
    """A line that cannot move the cursor or break the table, whatever a file is called."""
    return "".join(letter if letter.isprintable() else "�" for letter in words)

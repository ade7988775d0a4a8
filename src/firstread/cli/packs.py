"""`firstread packs`: list, show and verify the packs, give one an int8 twin, take in others."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from firstread.cli.packs_import import import_
from firstread.cli.packs_install import install, pack
from firstread.domain.errors import FirstreadError
from firstread.domain.foremost import MANY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firstread.packs import Group, Manifest, OperatingPoint, Result
    from firstread.train.image.quantise import Measured

_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def packs() -> None:
    """List, show and verify the packs; take in models from elsewhere."""


for _command in (import_, install, pack):
    packs.add_command(_command)


@packs.command("list")
@_as_json
def list_(*, as_json: bool) -> None:
    """List the packs that stand where packs are looked for."""
    from firstread.packs import list_packs

    rows = [_row(folder) for folder in list_packs()]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    if not rows:
        click.echo("There are no packs here. Set FIRSTREAD_PACKS to a folder that holds some.")
    names, versions, checks = (
        max((len(row.get(key, "")) for row in rows), default=0)
        for key in ("name", "version", "check")
    )
    for row in rows:
        name = row["name"].ljust(names)
        if "error" in row:
            click.echo(f"{name}  REFUSED  {row['error']}")
        else:
            version, check = row["version"].ljust(versions), row["check"].ljust(checks)
            click.echo(f"{name}  {version}  {check}  {row['title']}")


@packs.command()
@click.argument("pack")
@_as_json
def show(pack: str, *, as_json: bool) -> None:
    """Show what a pack is, for whom, and how well it reads."""
    from firstread.packs import find_pack, open_manifest

    folder = find_pack(pack)
    manifest = open_manifest(folder)
    if as_json:
        click.echo(json.dumps(manifest.as_dict() | {"path": str(folder)}, indent=2))
        return
    for line in _portrait(manifest):
        click.echo(line)


@packs.command()
@click.argument("names", nargs=-1, metavar="[PACK]...")
@_as_json
@click.pass_context
def verify(ctx: click.Context, names: tuple[str, ...], *, as_json: bool) -> None:
    """Check that packs are whole and answer here as they must; without PACK, all of them."""
    from firstread.packs import find_pack, list_packs

    folders = [find_pack(name) for name in names] or list_packs()
    rows = [_verified(folder) for folder in folders]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    else:
        for row in rows:
            said = row.get("error") or (
                f"{row['version']}  is whole and answers as it must  sha256 {row['sha256'][:12]}"
            )
            click.echo(f"{row['name']:<20} {said}")
    ctx.exit(1 if any("error" in row for row in rows) else 0)


@packs.command()
@click.argument("pack")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    required=True,
    help="Labelled samples, as `firstread train` takes them; best those it was trained on.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("packs"),
    show_default=True,
    help="Where the pack with its twin is written.",
)
@_as_json
def quantise(pack: str, *, data: Path, out: Path, as_json: bool) -> None:
    """Give PACK a twin in whole numbers (int8), if it reads as well and faster on this machine.

    The twin is measured beside the float network on the test part of --data. It is refused where
    accuracy falls by more than half a point in a hundred, or where it is slower here. Read with it:
    --precision int8.
    """
    from firstread.cli.running import progress, refuse_without

    refuse_without("onnx", command="packs quantise", extra="train")
    from firstread.cli.labelled import open_labelled
    from firstread.packs import find_pack
    from firstread.train.image.quantise import quantise as run

    folder, dataset = find_pack(pack), open_labelled(data)
    with progress("Measuring", total=None, shown=sys.stderr.isatty()) as step:
        made = run(
            folder, dataset, out=out, say=lambda words: click.echo(words, err=True), step=step
        )
    if as_json:
        click.echo(json.dumps(made.measured.as_dict() | {"path": str(made.folder)}))
        return
    for line in _measured(made.measured):
        click.echo(line)
    click.echo(f"{made.folder}")


def _measured(found: Measured) -> list[str]:
    rows = [f"{'on ' + str(found.n) + ' test samples':<30}  {'float':>8}  {'int8':>8}"]
    for plain, whole in zip(found.float_results, found.int8_results, strict=True):
        rows.append(f"{plain.metric:<30}  {plain.value:>8.4f}  {whole.value:>8.4f}")
    rows.append(f"{'milliseconds a picture':<30}  {found.float_ms:>8.2f}  {found.int8_ms:>8.2f}")
    rows.append(
        f"int8 is {found.times_as_fast:.2f} times as fast; no logit differs by more than "
        f"{found.largest_difference:.3f}"
    )
    return rows


def _row(folder: Path) -> dict[str, Any]:
    from firstread.packs import open_manifest

    try:
        manifest = open_manifest(folder)
    except FirstreadError as error:
        return {"name": folder.name, "error": str(error), "path": str(folder)}
    about = manifest.pack
    return {
        "name": about.name,
        "version": about.version,
        "check": about.check,
        "kind": about.kind,
        "title": about.title,
        "labels": list(manifest.codes),
        "path": str(folder),
    }


def _verified(folder: Path) -> dict[str, Any]:
    from firstread.runtime import open_reader

    try:
        reader = open_reader(folder)
        if reader.manifest.twin is not None:
            open_reader(folder, precision="int8")
    except FirstreadError as error:
        return {"name": folder.name, "error": str(error)}
    return {
        "name": reader.manifest.name,
        "version": reader.manifest.version,
        "sha256": reader.pack_sha256,
        "golden": len(reader.manifest.golden),
        "runtime": reader.runtime,
    }


def _group(group: Group, point: OperatingPoint | None, *, told: str) -> str:
    note = f"{' or '.join(group.labels)}"
    if group.positive:
        note += f"; positive, {group.priority}"
    if point is not None:
        note += (
            f", alarm from {point.threshold:.2f} on: sensitivity {point.sensitivity:.3f}, "
            f"specificity {point.specificity:.3f} ({point.measured_on})"
        )
    return f"    {told}  {note}"


def _portrait(manifest: Manifest) -> list[str]:
    about = manifest.pack
    lines = [
        f"{about.name} {about.version}: {about.title}",
        f"  check         {about.check}",
        f"  intended use  {about.intended_use}",
        f"  limits        {about.limits}",
        f"  licence       {about.licence}",
        "  labels",
    ]
    points = {point.label: point for point in manifest.operating_points}
    shown = manifest.labels[:MANY]
    titles = [(each.code, each.title) for each in shown]
    named = _columns(titles + [(each.code, each.title) for each in manifest.groups])
    for label, told in zip(shown, named, strict=False):
        note = "asks for a better sample" if label.unfit else ""
        if label.positive:
            note = f"positive, {label.priority}"
        if label.code in points:
            point = points[label.code]
            note += (
                f", alarm from {point.threshold:.2f} on: sensitivity {point.sensitivity:.3f}, "
                f"specificity {point.specificity:.3f} ({point.measured_on})"
            )
        lines.append(f"    {told}  {note}".rstrip())
    if len(manifest.labels) > len(shown):
        lines.append(f"    and {len(manifest.labels) - len(shown)} more; --json names them all")
    if manifest.groups:
        lines.append("  groups")
    lines += [
        _group(group, points.get(group.code), told=told)
        for group, told in zip(manifest.groups, named[len(shown) :], strict=True)
    ]
    if manifest.results:
        lines.append("  results")
    lines += _results(manifest.results, on=True)
    if manifest.twin is not None:
        twin = manifest.twin
        lines.append(
            f"  int8 twin       {twin.times_as_fast:.2f} times as fast on {twin.measured_on}"
        )
        lines += _results(twin.results, on=False)
    return lines


def _columns(rows: Sequence[tuple[str, str]]) -> list[str]:
    """Two columns that line up, however long the words are."""
    first, second = (max((len(row[side]) for row in rows), default=0) for side in (0, 1))
    return [f"{one.ljust(first)}  {other.ljust(second)}" for one, other in rows]


def _results(results: Sequence[Result], *, on: bool) -> list[str]:
    width = max((len(each.metric) for each in results), default=0)
    return [
        f"    {each.metric.ljust(width)}  {each.value:.3f}  ({each.low:.3f} to {each.high:.3f})"
        + (f"  {each.set}, n = {each.n}" if on else "")
        for each in results
    ]

"""`firstread packs`: list, show and verify the packs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from firstread.domain.errors import FirstreadError

if TYPE_CHECKING:
    from firstread.packs import Manifest

_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def packs() -> None:
    """List, show and verify the packs."""


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
    for row in rows:
        if "error" in row:
            click.echo(f"{row['name']:<20} REFUSED  {row['error']}")
        else:
            click.echo(f"{row['name']:<20} {row['version']:<8} {row['check']:<16} {row['title']}")


@packs.command()
@click.argument("pack")
@_as_json
def show(pack: str, *, as_json: bool) -> None:
    """Show what a pack is, for whom, and how well it reads."""
    from firstread.packs import find_pack, open_manifest

    folder = find_pack(pack)
    manifest = open_manifest(folder)
    if as_json:
        from dataclasses import asdict

        click.echo(json.dumps(asdict(manifest) | {"path": str(folder)}, indent=2))
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
    except FirstreadError as error:
        return {"name": folder.name, "error": str(error)}
    return {
        "name": reader.manifest.name,
        "version": reader.manifest.version,
        "sha256": reader.pack_sha256,
        "golden": len(reader.manifest.golden),
        "runtime": reader.runtime,
    }


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
    for label in manifest.labels:
        note = "asks for a better sample" if label.unfit else ""
        if label.positive:
            note = f"positive, {label.priority}"
        if label.code in points:
            point = points[label.code]
            note += (
                f", alarm from {point.threshold:.2f} on: sensitivity {point.sensitivity:.3f}, "
                f"specificity {point.specificity:.3f} ({point.measured_on})"
            )
        lines.append(f"    {label.code:<16} {label.title:<28} {note}".rstrip())
    if manifest.results:
        lines.append("  results")
    lines += [
        f"    {each.metric:<28} {each.value:.3f}  ({each.low:.3f} to {each.high:.3f})  "
        f"{each.set}, n = {each.n}"
        for each in manifest.results
    ]
    return lines

"""`firstread classify`: read pictures or measurements right here, one line each."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from firstread.cli.options import precision
from firstread.cli.reading import PackFacts, Sample, answer_options, read_paths, wanted_of

if TYPE_CHECKING:
    from firstread.packs import Precision
    from firstread.runtime import PackReader


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--pack", "pack_name", required=True, help="The pack's name, or its folder.")
@click.option(
    "--threads",
    type=click.IntRange(1, 64),
    default=min(2, os.cpu_count() or 1),
    show_default=True,
    help="How many samples are read at once.",
)
@precision
@answer_options
@click.pass_context
def classify(
    ctx: click.Context,
    /,
    paths: tuple[str, ...],
    *,
    pack_name: str,
    threads: int,
    precision: Precision,
    **options: Any,
) -> None:
    """Read each PATH with a pack: a file, a folder with all that lies in it, or - for the input.

    A pack of measurements reads JSON (an object or a list of them) and tables (CSV or .xlsx). Where
    it is known what samples truly show, each answer is compared, and the figures follow. Exit code
    1 where a sample could not be read.
    """
    from firstread.packs import find_pack
    from firstread.runtime import open_reader

    reader = open_reader(find_pack(pack_name), precision=precision)
    failed = read_paths(
        paths,
        pack=_facts(reader),
        read=lambda sample: _read(sample, reader=reader),
        at_once=threads,
        wanted=wanted_of(**options),
    )
    ctx.exit(1 if failed else 0)


def _read(sample: Sample, *, reader: PackReader) -> dict[str, Any]:
    return reader.read(sample).read.as_answer()


def _facts(reader: PackReader) -> PackFacts:
    manifest = reader.manifest
    return PackFacts(
        name=manifest.name,
        version=manifest.version,
        sha256=reader.pack_sha256,
        codes=manifest.codes,
        positive=tuple(each.code for each in manifest.answers if each.positive),
        groups={group.code: group.labels for group in manifest.groups},
        kind=manifest.kind,
        measurements=manifest.measurements,
    )

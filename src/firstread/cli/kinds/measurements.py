"""Measurements on the command line: a file holds many rows, and each is a sample."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import click

from firstread.cli.kinds import KindOnTheLine
from firstread.cli.parcels import Asked, Parcel, accession_in
from firstread.domain.errors import FirstreadError
from firstread.inbox.names import accession_pattern

if TYPE_CHECKING:
    from firstread.cli.samples import ToRead
    from firstread.tables.columns import TakesMeasurements


def _rows_of(files: Iterable[ToRead], takes: TakesMeasurements) -> Iterator[ToRead]:
    from firstread.cli.samples import rows_of

    return rows_of(files, takes=takes)


def _parcels_of(files: Sequence[Path], asked: Asked) -> list[Parcel]:
    """Each row of the tables; what cannot be read is a parcel that says why."""
    from firstread.tables.measurements import parse_table

    manifest: TakesMeasurements = SimpleNamespace(
        measurements=tuple(SimpleNamespace(**each) for each in asked.check["measurements"])
    )
    parcels: list[Parcel] = []
    for file in files:
        try:
            table = parse_table(file.read_bytes(), manifest)
        except FirstreadError as error:
            parcels.append(Parcel(files=(file,), accession="", refused=str(error)))
            continue
        for told in table.told:
            click.echo(f"firstread: {file}: {told}", err=True)
        alone = len(table.rows) + len(table.refused) == 1
        own = asked.accession or accession_in(file, accession_pattern(""))
        parcels += [
            Parcel(
                files=(file,),
                accession=row.accession or (own if alone else ""),
                patient=row.patient or asked.patient,
                line=row.line,
                values=row.values,
            )
            for row in table.rows
        ]
        parcels += [
            Parcel(files=(file,), accession="", line=row.line, refused=row.reason)
            for row in table.refused
        ]
    return parcels


KIND = KindOnTheLine(rows_of=_rows_of, parcels_of=_parcels_of)

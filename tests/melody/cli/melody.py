"""A file is a melody, and a case."""

from collections.abc import Sequence
from pathlib import Path

from firstread.cli.kinds import KindOnTheLine
from firstread.cli.parcels import Asked, Parcel


def _parcels_of(files: Sequence[Path], asked: Asked) -> list[Parcel]:
    return [
        Parcel(files=(file,), accession=asked.accession_of(file), patient=asked.patient)
        for file in files
    ]


KIND = KindOnTheLine(parcels_of=_parcels_of, one="melody")

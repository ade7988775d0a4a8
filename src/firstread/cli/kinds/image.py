"""Pictures on the command line: a file is one; those of a case are sent together."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from firstread.cli.kinds import KindOnTheLine
from firstread.cli.parcels import Asked, Parcel, in_parcels


def _parcels_of(files: Sequence[Path], asked: Asked) -> list[Parcel]:
    """The files by case; where a check takes one picture a case, one by one."""
    patient, accession_of = asked.patient, asked.accession_of
    if asked.one_case:
        accession = asked.shared_accession(files, samples=len(files))
        return in_parcels(files, accession=accession, patient=patient)
    parcels: list[Parcel] = []
    for accession, group in groupby(sorted(files, key=accession_of), key=accession_of):
        if asked.check["many"] and accession:
            parcels += in_parcels(list(group), accession=accession, patient=patient)
        else:
            parcels += [
                Parcel(files=(file,), accession=accession, patient=patient) for file in group
            ]
    return parcels


KIND = KindOnTheLine(parcels_of=_parcels_of, one="picture", has_near_duplicates=True)

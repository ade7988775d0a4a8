"""Recordings on the command line: one may lie in two files, and its labels are those of beats."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from firstread.cli.kinds import KindOnTheLine
from firstread.cli.parcels import Asked, Parcel


def _beginning(file: Path) -> bytes:
    from firstread.recordings.together import beginning_of

    try:
        return beginning_of(file)
    except OSError:  # its own sentence comes where it is sent
        return b""


def _parcels_of(files: Sequence[Path], asked: Asked) -> list[Parcel]:
    """Each recording in a request of its own, all files of one together."""
    from firstread.recordings.together import together

    places = together([str(file) for file in files], beginning=lambda at: _beginning(files[at]))
    groups = [tuple(files[place] for place in each) for each in places]
    shared = asked.shared_accession(files, samples=len(groups)) if asked.one_case else None
    return [
        Parcel(
            files=group,
            accession=asked.accession_of(group[0]) if shared is None else shared,
            patient=asked.patient,
        )
        for group in groups
    ]


KIND = KindOnTheLine(parcels_of=_parcels_of, counted="beats by label", is_told_apart=False)

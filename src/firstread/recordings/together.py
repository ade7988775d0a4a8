"""Which of the files that come together are one recording: a header and its samples."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path, PurePath

from firstread.recordings.pair import HEADER, SAMPLES, is_pair


def half_of_a_pair(name: str) -> bool:
    """Whether a file of this name is no recording without its other half.

    >>> half_of_a_pair("100.HEA"), half_of_a_pair("100.edf")
    (True, False)
    """
    return PurePath(name).suffix.casefold() in (HEADER, SAMPLES)


def is_header(path: PurePath) -> bool:
    """Whether it is the half that says what the other holds."""
    return path.suffix.casefold() == HEADER


def other_half(path: Path) -> Path | None:
    """The file beside it that makes it a recording, however its ending is written."""
    wanted = SAMPLES if is_header(path) else HEADER
    for ending in (wanted, wanted.upper()):
        beside = path.with_suffix(ending)
        if beside.exists():
            return beside
    return None


def together(names: Sequence[str]) -> list[tuple[int, ...]]:
    """The places of the files of each recording, in the order in which they came.

    Files of one folder and stem belong together, where they make a pair; any other stands alone.

    >>> together(["a/1.dat", "x.edf", "a/1.hea", "a/2.dat"])
    [(0, 2), (1,), (3,)]
    """
    halves: dict[str, list[int]] = defaultdict(list)
    for place, name in enumerate(names):
        if half_of_a_pair(name):
            halves[str(PurePath(name.replace("\\", "/")).with_suffix(""))].append(place)
    pairs = {
        places[0]: tuple(places)
        for places in halves.values()
        if is_pair(names[place] for place in places)
        and len({names[place] for place in places}) == len(places)
    }
    taken = {place for places in pairs.values() for place in places}
    return [
        pairs.get(place, (place,))
        for place in range(len(names))
        if place in pairs or place not in taken
    ]

"""Which of the files that come together are one recording: a header and its samples."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from pathlib import Path, PurePath

from firstread.domain.errors import UnreadableSample
from firstread.recordings.pair import HEADER, SAMPLES, is_pair
from firstread.recordings.wfdb import text_of
from firstread.recordings.wfdb_header import parse_header

_MOST_OF_A_HEADER = 1 << 20


def half_of_a_pair(name: str) -> bool:
    """Whether a file of this name is no recording without its other half.

    >>> half_of_a_pair("100.HEA"), half_of_a_pair("100.edf")
    (True, False)
    """
    return PurePath(name).suffix.casefold() in (HEADER, *SAMPLES)


def is_header(path: PurePath) -> bool:
    """Whether it is the half that says what the other holds."""
    return path.suffix.casefold() == HEADER


def other_half(path: Path) -> Path | None:
    """The file beside it that makes it a recording, however its ending is written."""
    wanted = SAMPLES if is_header(path) else (HEADER,)
    for ending in (each for one in wanted for each in (one, one.upper())):
        beside = path.with_suffix(ending)
        if beside.exists():
            return beside
    return None


def named_files(header: bytes) -> list[str]:
    """The files with samples that a header names, in order; none where it is no header.

    >>> named_files(b"r 2 360 10\\na.dat 16\\nb.dat 16")
    ['a.dat', 'b.dat']
    """
    try:
        told = parse_header(text_of(header[:_MOST_OF_A_HEADER]))
    except UnreadableSample:
        return []
    return list(dict.fromkeys(PurePath(line.file).name for line in told.signals))


def files_beside(header: Path) -> list[Path]:
    """The files with samples that a header names, of those that lie in its folder."""
    try:
        names = named_files(beginning_of(header))
        beside = {each.name.casefold(): each for each in header.parent.iterdir()}
    except OSError:
        return []
    return [beside[name.casefold()] for name in names if name.casefold() in beside]


def beginning_of(header: Path) -> bytes:
    """As much of a file as a header may have; raises OSError."""
    with header.open("rb") as file:
        return file.read(_MOST_OF_A_HEADER)


def named_elsewhere(path: Path) -> bool:
    """Whether a header beside the file, of another name, says that it holds samples of its own."""
    if path.suffix.casefold() not in SAMPLES:
        return False
    return any(path in files_beside(other) for other in path.parent.iterdir() if is_header(other))


def together(
    names: Sequence[str], *, beginning: Callable[[int], bytes] = lambda _: b""
) -> list[tuple[int, ...]]:
    """The places of the files of each recording, in the order in which they came.

    `beginning` gives what a header, by its place, begins with: the files that it names belong to
    it. Otherwise files of one folder and stem belong together, where they make a pair; so does a
    further file of samples whose name begins with that of a pair, such as rec_2.dat. Any other
    stands alone.

    >>> together(["a/1.dat", "x.edf", "a/1.hea", "a/2.dat"])
    [(0, 2), (1,), (3,)]
    >>> together(["r.hea", "r.dat", "r_2.dat"])
    [(0, 1, 2)]
    >>> header = b"r 2 360 10\\na.dat 16\\nb.dat 16"
    >>> together(["r.hea", "a.dat", "b.dat"], beginning=lambda _: header)
    [(0, 1, 2)]
    """
    paths = [PurePath(name.replace("\\", "/")) for name in names]
    stems = [str(path.parent / path.stem) for path in paths]
    headers = {stems[place] for place, path in enumerate(paths) if is_header(path)}
    named = _named(paths, stems, beginning)
    halves: dict[str, list[int]] = defaultdict(list)
    for place, name in enumerate(names):
        if half_of_a_pair(name):
            spelt = str(paths[place].parent / paths[place].name.casefold())
            owner = named.get(spelt) or _owner(stems[place], headers)
            halves[owner].append(place)
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


def _named(
    paths: Sequence[PurePath], stems: Sequence[str], beginning: Callable[[int], bytes]
) -> dict[str, str]:
    """The header's stem for each file that one names; of two that name it the first's."""
    named: dict[str, str] = {}
    for place, path in enumerate(paths):
        if is_header(path):
            for each in named_files(beginning(place)):
                named.setdefault(str(path.parent / each.casefold()), stems[place])
    return named


def _owner(stem: str, headers: Collection[str]) -> str:
    """The header's stem that a file belongs to: its own, or the longest that it goes on from."""
    if stem in headers:
        return stem
    begun = [each for each in headers if stem.startswith(each) and not stem[len(each)].isalnum()]
    return max(begun, key=len, default=stem)

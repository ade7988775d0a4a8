"""Recordings with annotated beats: WFDB records in a folder, a zip or a tar archive."""

from __future__ import annotations

import io
import tarfile
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from lzma import LZMAError
from pathlib import PurePosixPath

from firstread.datasets.dataset import Dataset, Item
from firstread.datasets.forms.annotations import TrueBeats, true_beats
from firstread.datasets.place import Place
from firstread.domain.errors import BadDataset, UnreadableSample
from firstread.recordings import join_pair
from firstread.recordings.pair import SAMPLES
from firstread.recordings.together import named_files

_TARS = (".tar.xz", ".tar.gz", ".tgz", ".tar.bz2", ".tar")
ANNOTATIONS = (".atr", ".ecg", ".qrs")
"""Endings of annotation files: the first that a record has holds its beats."""
ANNOTATED = "annotations"
"""The column of an item that names the file of its annotations."""
MAX_BYTES = 4 << 30
"""What a tar archive may unpack to, in memory: nothing of it is written to disk."""
MAX_FILES = 100_000


def fits(place: Place) -> bool:
    """Whether annotated WFDB records lie there, or one tar archive that may hold them."""
    if _records(place.names):
        return True
    return len(_tars(place)) == 1 and not place.ending(".csv", ".png", ".jpg", ".npz")


def open_records(place: Place) -> Dataset:
    """One item a record, whose label is the commonest of its beats; a record is its own patient."""
    if _records(place.names):
        return _opened(place.name, place.names, place.read)
    archive = _tars(place)[0]
    files = _untarred(place.read(archive), name=PurePosixPath(archive).name)

    def read(name: str) -> bytes:
        return files[name]

    return _opened(place.name, tuple(files), read)


def beats_of(dataset: Dataset, item: Item) -> TrueBeats:
    """The annotated beats of one record of the dataset."""
    return true_beats(dataset.fetch(annotated(item)), name=item.path)


def annotated(item: Item) -> str:
    """The file of its annotations; raises BadDataset where a damaged set names none."""
    named = dict(item.columns).get(ANNOTATED)
    if named is None:
        raise BadDataset(
            f"The sample '{item.path[:200]}' names no annotations, as a recording does. Copy the "
            "folder again."
        )
    return named


def _opened(name: str, names: tuple[str, ...], read: Callable[[str], bytes]) -> Dataset:
    records = _records(names)
    if not records:
        raise BadDataset(
            f"{name} holds no annotated records. Each needs a .hea, a .dat and an .atr file."
        )
    items = []
    for stem, written in sorted(records.items()):
        beats = true_beats(read(written), name=written)
        if not beats.labels:
            raise BadDataset(f"The annotations {written} name no beat. Take the record out.")
        items.append(
            Item(
                path=stem,
                label=Counter(beats.labels).most_common(1)[0][0],
                patient=PurePosixPath(stem).name,
                columns=((ANNOTATED, written),),
            )
        )
    beside = _beside(names, records, read)
    headers = {name.removesuffix(".hea") for name in names if name.endswith(".hea")}

    def fetch(path: str) -> bytes:
        return read(path) if path not in records else _joined(path, beside[path], read)

    return Dataset(
        name, "recording", tuple(items), fetch, unlabelled=tuple(sorted(headers - set(records)))
    )


def _joined(stem: str, names: list[str], read: Callable[[str], bytes]) -> bytes:
    try:
        return join_pair({name: read(name) for name in names})
    except UnreadableSample as why:
        raise BadDataset(f"The record {stem} is not whole: {why}") from why


def _records(names: tuple[str, ...]) -> dict[str, str]:
    """The stem of each record that has a header, with the name of its annotations."""
    known = set(names)
    found = {}
    for name in names:
        stem = name.removesuffix(".hea")
        written = next((stem + end for end in ANNOTATIONS if stem + end in known), None)
        if stem != name and written is not None:
            found[stem] = written
    return found


def _beside(
    names: tuple[str, ...], records: Mapping[str, str], read: Callable[[str], bytes]
) -> Mapping[str, list[str]]:
    """The header of each record, and the files with samples that it names or that are called so."""
    known = {name.casefold(): name for name in names}
    samples: dict[str, list[str]] = {}
    for name in names:
        stem, dot, ending = name.rpartition(".")
        if f"{dot}{ending}" in SAMPLES:
            samples.setdefault(stem, []).append(name)
    found = {}
    for stem in records:
        folder = stem.rpartition("/")[0]
        wanted = (f"{folder}/{one}".lstrip("/") for one in named_files(read(f"{stem}.hea")))
        named = [known[one.casefold()] for one in wanted if one.casefold() in known]
        found[stem] = [f"{stem}.hea", *(named or samples.get(stem, []))]
    return found


def _tars(place: Place) -> list[str]:
    return [name for name in place.ending(*_TARS) if "/" not in name]


def _untarred(data: bytes, *, name: str) -> dict[str, bytes]:
    """The plain files of a tar archive by their names; links and devices are left out."""
    files: dict[str, bytes] = {}
    total = 0
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:*") as archive:
            for entry in archive:
                path = PurePosixPath(entry.name.removeprefix("/"))
                if not entry.isfile() or path.name.startswith("."):
                    continue
                if ".." in path.parts:
                    raise BadDataset(
                        f"{name} holds '{entry.name[:200]}', a name that leads elsewhere. Pack the "
                        "folder again."
                    )
                total += entry.size
                if total > MAX_BYTES or len(files) >= MAX_FILES:
                    raise BadDataset(
                        f"{name} unpacks to more than {MAX_BYTES >> 30} GiB, or to more than "
                        f"{MAX_FILES} files. Part it."
                    )
                opened = archive.extractfile(entry)
                if opened is not None:
                    files[path.as_posix()] = opened.read()
    except (tarfile.TarError, EOFError, OSError, LZMAError, zlib.error, ValueError) as why:
        raise BadDataset(f"{name} is damaged or cut short. Copy it again.") from why
    return files

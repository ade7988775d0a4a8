"""The files that came in, as samples: opened to see that they can be, and kept in the store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from firstread.clinic.storage import store
from firstread.domain.errors import UnreadableSample
from firstread.imaging import decode, media_type
from firstread.recordings import join_pair, open_recording
from firstread.recordings.together import together

TAKES = {"image": "pictures", "measurements": "measurements", "recording": "recordings"}
"""What a check takes, by its kind, as a sentence names it."""
ONE = {"image": "picture", "recording": "recording"}


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """A file as it came."""

    data: bytes
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A file that cannot be opened, and why; it is kept among the refused samples."""

    name: str
    reason: str
    place: int
    """Which of the files that came together it was, from 0: two may have one name."""


@dataclass(frozen=True, kw_only=True)
class StoredSample:
    """A sample whose bytes are in the store and can be opened."""

    sha256: str
    name: str
    kind: str
    media_type: str
    size_bytes: int
    width_px: int | None = None
    height_px: int | None = None


Refuse = Callable[[Incoming, str], None]
"""Is given each file that cannot be opened, with the reason."""


def store_files(
    files: Sequence[Incoming], *, kind: str, refuse: Refuse
) -> tuple[list[StoredSample], tuple[Refusal, ...]]:
    """The samples that the files are, each once, in the order in which they came.

    Two files of one recording are one sample. What cannot be opened is given to `refuse`.
    """
    named = [Incoming(data=file.data, name=shown_name(file.name)) for file in files]
    return _pictures(named, refuse) if kind == "image" else _recordings(named, refuse)


def _pictures(
    files: Sequence[Incoming], refuse: Refuse
) -> tuple[list[StoredSample], tuple[Refusal, ...]]:
    stored, refused = {}, []
    for place, file in enumerate(files):
        try:
            picture = decode(file.data)
        except UnreadableSample as error:
            refused.append(Refusal(name=file.name, reason=str(error), place=place))
            refuse(file, str(error))
            continue
        sha256 = store.put(file.data)
        stored[sha256] = StoredSample(
            sha256=sha256,
            name=file.name,
            kind="image",
            media_type=media_type(file.data),
            size_bytes=len(file.data),
            width_px=picture.width,
            height_px=picture.height,
        )
    return list(stored.values()), tuple(refused)


def _recordings(
    files: Sequence[Incoming], refuse: Refuse
) -> tuple[list[StoredSample], tuple[Refusal, ...]]:
    stored, refused = {}, []
    for places in together([file.name for file in files]):
        parts = [files[place] for place in places]
        try:
            data = parts[0].data
            if len(parts) > 1:
                data = join_pair({part.name: part.data for part in parts})
            open_recording(data)
        except UnreadableSample as error:
            for place, part in zip(places, parts, strict=True):
                refused.append(Refusal(name=part.name, reason=str(error), place=place))
                refuse(part, str(error))
            continue
        sha256 = store.put(data)
        stored[sha256] = StoredSample(
            sha256=sha256,
            name=" + ".join(part.name for part in parts)[:255],
            kind="recording",
            media_type=_media_type(data),
            size_bytes=len(data),
        )
    return list(stored.values()), tuple(refused)


def why_none(refused: Sequence[Refusal]) -> str:
    """Of several files each with its name, for each may have a reason of its own."""
    if len({each.reason for each in refused}) == 1:
        return refused[0].reason
    return " ".join(f"{each.name}: {each.reason}" for each in refused)


def shown_name(name: str) -> str:
    """The file's own name as text that can be stored and shown."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(c if c.isprintable() else "�" for c in last)[:255]


def _media_type(data: bytes) -> str:
    """Of a recording that opens."""
    if data.startswith(b"PK"):
        return "application/zip"
    if data[128:132] == b"DICM":
        return "application/dicom"
    return "application/edf" if data.startswith(b"0       ") else "text/csv"

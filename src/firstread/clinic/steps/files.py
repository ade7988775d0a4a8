"""The files that came in, as samples: those that can be opened are kept in the store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from firstread.clinic.storage import store
from firstread.domain.errors import UnreadableSample


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


@dataclass(frozen=True, kw_only=True)
class Opened:
    """The bytes of one sample that can be opened, and what they are."""

    data: bytes
    media_type: str
    width_px: int | None = None
    height_px: int | None = None


Open = Callable[[Sequence[Incoming]], Opened]
"""Opens the files of one sample; raises UnreadableSample where they cannot be."""
Refuse = Callable[[Incoming, str], None]
"""Is given each file that cannot be opened, with the reason."""


def store_each(
    groups: Sequence[Sequence[int]],
    files: Sequence[Incoming],
    *,
    kind: str,
    opened: Open,
    refuse: Refuse,
) -> tuple[list[StoredSample], tuple[Refusal, ...]]:
    """The samples that the files are, each once, in the order in which they came.

    `groups` are the places of the files that are one sample together. What cannot be opened is
    given to `refuse`.
    """
    stored, refused = {}, []
    for places in groups:
        parts = [files[place] for place in places]
        try:
            found = opened(parts)
        except UnreadableSample as error:
            for place, part in zip(places, parts, strict=True):
                refused.append(Refusal(name=part.name, reason=str(error), place=place))
                refuse(part, str(error))
            continue
        sha256 = store.put(found.data)
        stored[sha256] = StoredSample(
            sha256=sha256,
            name=" + ".join(part.name for part in parts)[:255],
            kind=kind,
            media_type=found.media_type,
            size_bytes=len(found.data),
            width_px=found.width_px,
            height_px=found.height_px,
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

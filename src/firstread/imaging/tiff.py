"""The pages of a TIFF: which of them is the picture, and what stands in its directory."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

MOST_PAGES = 1000
_MOST_TAGS = 100_000
"""Of all pages together; a page has about 15."""

_KIND, _OLD_KIND, _BITS, _PHOTOMETRIC, _SUBPAGES, _FORMAT = 254, 255, 258, 262, 330, 339
_REDUCED, _MASK = 1, 4
_OLD_REDUCED = 2
_SIZES = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
"""Types of whole numbers, as `struct` names them."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """One directory of a TIFF."""

    at: int
    """Where it begins."""
    values: dict[int, tuple[int, ...]]
    """What this room asks of it, by tag."""
    photometric_at: int
    """Where the value of PhotometricInterpretation stands; 0 where there is none."""

    @property
    def is_picture(self) -> bool:
        """Whether it is neither a smaller copy of another page nor a mask over one."""
        kind, old = self.values.get(_KIND, (0,))[0], self.values.get(_OLD_KIND, (1,))[0]
        return not kind & (_REDUCED | _MASK) and old != _OLD_REDUCED

    @property
    def white_is_zero(self) -> bool:
        return self.values.get(_PHOTOMETRIC, (1,))[0] == 0

    @property
    def bits(self) -> tuple[int, ...]:
        return self.values.get(_BITS, (1,))

    @property
    def form(self) -> int:
        """1 unsigned, 2 signed, 3 floating point."""
        return self.values.get(_FORMAT, (1,))[0]


@dataclass(frozen=True, kw_only=True)
class Tiff:
    """The bytes of a TIFF, and its pages in their order."""

    KEPT: ClassVar = frozenset((_KIND, _OLD_KIND, _BITS, _PHOTOMETRIC, _SUBPAGES, _FORMAT))
    data: bytes
    order: str
    big: bool
    pages: tuple[Page, ...]

    @property
    def picture(self) -> int | None:
        """The first page that is a picture; None where all are thumbnails and masks."""
        return next((n for n, page in enumerate(self.pages) if page.is_picture), None)

    def beginning_at(self, page: Page, *, black_is_zero: bool = False) -> bytes:
        """The same file with that page as its first; where asked, said to have black as zero."""
        changed = bytearray(self.data)
        if self.big:
            struct.pack_into(self.order + "Q", changed, 8, page.at)
        else:
            struct.pack_into(self.order + "I", changed, 4, page.at)
        if black_is_zero and page.photometric_at:
            struct.pack_into(self.order + "H", changed, page.photometric_at, 1)
        return bytes(changed)


def is_tiff(data: bytes) -> bool:
    """Whether the bytes begin as a TIFF does, of 32 or of 64 bits."""
    return data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def tiff_of(data: bytes) -> Tiff | None:
    """The directories of a TIFF; None where the first of them makes no sense."""
    order = "<" if data[:1] == b"I" else ">"
    big = data[2:4] in (b"+\0", b"\0+")
    pages: list[Page] = []
    try:
        (first,) = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)
        pages.extend(_chain(data, first, order=order, big=big))
    except struct.error:
        return None
    if pages and not any(page.is_picture for page in pages):
        # Cameras put the picture itself below a thumbnail.
        for below in [at for page in pages for at in page.values.get(_SUBPAGES, ())][:MOST_PAGES]:
            try:
                pages.extend(_chain(data, below, order=order, big=big, only=1))
            except struct.error:
                break
    return Tiff(data=data, order=order, big=big, pages=tuple(pages)) if pages else None


def _chain(
    data: bytes, at: int, *, order: str, big: bool, only: int = MOST_PAGES
) -> Iterator[Page]:
    """One directory after another, until there is none, or one for the second time."""
    seen: set[int] = set()
    tags = 0
    while at and at not in seen and len(seen) < only and tags < _MOST_TAGS:
        seen.add(at)
        try:
            (count,) = struct.unpack_from(order + ("Q" if big else "H"), data, at)
            begin, size = at + (8 if big else 2), 20 if big else 12
            tags += count
            if tags > _MOST_TAGS:
                return
            page = _page(data, at, begin=begin, count=count, order=order, big=big)
            (following,) = struct.unpack_from(
                order + ("Q" if big else "I"), data, begin + size * count
            )
        except struct.error:
            if len(seen) == 1:
                raise
            return  # what is behind the end of the file is no page
        yield page
        at = following


def _page(data: bytes, at: int, *, begin: int, count: int, order: str, big: bool) -> Page:
    values: dict[int, tuple[int, ...]] = {}
    photometric_at = 0
    for place in range(begin, begin + count * (20 if big else 12), 20 if big else 12):
        tag, form = struct.unpack_from(order + "HH", data, place)
        if tag not in Tiff.KEPT or form not in _SIZES:
            continue
        inside = place + (12 if big else 8)
        (many,) = struct.unpack_from(order + ("Q" if big else "I"), data, place + 4)
        each = struct.calcsize(order + _SIZES[form])
        if tag == _PHOTOMETRIC and form == 3:
            photometric_at = inside
        if 0 < many <= MOST_PAGES:
            if many * each > (8 if big else 4):
                (inside,) = struct.unpack_from(order + ("Q" if big else "I"), data, inside)
            values[tag] = struct.unpack_from(f"{order}{many}{_SIZES[form]}", data, inside)
    return Page(at=at, values=values, photometric_at=photometric_at)

"""What the markers of a JPEG say: how often it is gone over, and whether all of it is there."""

from __future__ import annotations

import random
import re
import struct
from dataclasses import dataclass, field

MOST_SCANS = 100
USUAL_SCANS = 16
"""Programs make 1 to 14 of them, whatever the size."""
MOST_PASSES = 300_000_000
"""Scans times pixels, where there are more: about a second, however little stands in them."""

_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
"""Ends entropy-coded data, in which FF stands before 00 and before the marks of restarts."""
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
_BARE = frozenset((0x01, *range(0xD0, 0xD9)))
_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_HUFFMAN = (0xC0, 0xC1, 0xC2)
_PROGRESSIVE = 0xC2
_SOS, _EOI, _DRI = 0xDA, 0xD9, 0xDD
_NOISE = bytes(byte or 1 for byte in random.Random(1).randbytes(1024)).replace(b"\xff", b"\xfe")


@dataclass(frozen=True, kw_only=True)
class Component:
    """One colour as the frame describes it."""

    number: int
    across: int
    down: int


@dataclass(frozen=True, kw_only=True)
class Scan:
    """One pass over the picture: which colours and frequencies, and where its data lie."""

    components: tuple[int, ...]
    first: int
    last: int
    low_bit: int
    begin: int
    end: int


@dataclass(kw_only=True)
class Markers:
    """What stands between the beginning and the end of the first picture."""

    form: int = 0
    """Which of the frames' markers it has; 0 where there is none."""
    width_px: int = 0
    height_px: int = 0
    components: tuple[Component, ...] = ()
    scans: list[Scan] = field(default_factory=list)
    restart_every: int = 0
    end: int = 0
    """Where its end mark stands; 0 where there is none."""

    @property
    def is_progressive(self) -> bool:
        return self.form == _PROGRESSIVE

    @property
    def is_huffman(self) -> bool:
        return self.form in _HUFFMAN

    @property
    def is_endless(self) -> bool:
        """Whether decoding takes a time that no picture is worth."""
        scans, pixels = len(self.scans), self.width_px * self.height_px
        return scans > MOST_SCANS or (scans > USUAL_SCANS and scans * pixels > MOST_PASSES)


def markers_of(data: bytes) -> Markers:
    """The markers of the first picture in `data`, as far as they make sense."""
    found, at = Markers(), 2
    try:
        while len(found.scans) <= MOST_SCANS:
            if data[at] != 0xFF:
                at = data.index(b"\xff", at)
            kind = data[at + 1]
            if kind == 0xFF:
                at += 1
            elif kind == _EOI:
                found.end = at
                break
            elif kind in _BARE:
                at += 2
            else:
                (length,) = struct.unpack_from(">H", data, at + 2)
                at = _segment(found, data, kind=kind, at=at + 4, end=at + 2 + max(length, 2))
    except (IndexError, ValueError, struct.error):
        pass  # cut off, or no JPEG: what decodes it says so
    return found


def _segment(found: Markers, data: bytes, *, kind: int, at: int, end: int) -> int:
    """Note what one segment says; where the next begins."""
    if kind in _SOF and not found.form:
        _, found.height_px, found.width_px, count = struct.unpack_from(">BHHB", data, at)
        found.form = kind
        found.components = tuple(
            Component(number=data[place], across=data[place + 1] >> 4, down=data[place + 1] & 15)
            for place in range(at + 6, at + 6 + 3 * count, 3)
        )
    elif kind == _DRI:
        (found.restart_every,) = struct.unpack_from(">H", data, at)
    elif kind == _SOS:
        after = _MARKER.search(data, end)
        stop = after.start() if after else len(data)
        count = data[at]
        first, last, bits = data[at + 1 + 2 * count : at + 4 + 2 * count]
        numbers = tuple(data[at + 1 + 2 * place] for place in range(count))
        found.scans.append(
            Scan(components=numbers, first=first, last=last, low_bit=bits & 15, begin=end, end=stop)
        )
        return stop
    return end


def lacks_scans(found: Markers) -> bool:
    """Whether a colour, a frequency or a bit of one was never sent, as where scans are cut off."""
    if not found.is_huffman or not found.components:
        return False
    if not found.is_progressive:
        sent = {number for scan in found.scans for number in scan.components}
        return any(each.number not in sent for each in found.components)
    left = {each.number: [99] * 64 for each in found.components}
    for scan in found.scans:
        places = range(scan.first, min(scan.last, 63) + 1)
        for number in scan.components:
            left.setdefault(number, [0] * 64)[places.start : places.stop] = [scan.low_bit] * len(
                places
            )
    return any(any(bits) for bits in left.values())


def lacks_restarts(found: Markers, data: bytes) -> bool:
    """Whether the last scan has fewer marks of restarts than its size asks for."""
    if not found.is_huffman or not found.restart_every or not found.scans:
        return False
    scan, units = found.scans[-1], _units(found)
    marks = sum(1 for _ in _RESTART.finditer(data, scan.begin, scan.end))
    return marks < -(-units // found.restart_every) - 1


def _units(found: Markers) -> int:
    """How many blocks, or groups of blocks of every colour, the last scan has."""
    scan = found.scans[-1]
    most_across = max(each.across for each in found.components)
    most_down = max(each.down for each in found.components)
    own = next((c for c in found.components if c.number == scan.components[0]), None)
    if len(scan.components) > 1 or own is None:
        across, down = 8 * most_across, 8 * most_down
        return -(-found.width_px // across) * -(-found.height_px // down)
    width = -(-found.width_px * own.across // most_across)
    height = -(-found.height_px * own.down // most_down)
    return -(-width // 8) * -(-height // 8)


def with_more_data(found: Markers, data: bytes) -> bytes:
    """The same picture with noise before its end mark.

    A decoder that has all it needs never looks at it; one that lacks some takes it for data.
    """
    return data[: found.end] + _NOISE + b"\xff\xd9"

"""What is put in: good pictures, and between them what was made to break whatever opens it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from tests.images_for_tests import (
    blurred_png,
    bomb_png,
    cell_png,
    not_pictures,
    text_bomb_png,
)
from tests.imaging.test_burning import BURNING

COLOURS = ("red", "green", "blue")
DOORS = {"api": 45, "folder": 30, "page": 15, "submit": 10}
"""By which doors samples come, of a hundred."""
GOOD, BLURRED = "good", "blurred"
ACCESSION, PATIENT, FILE = "QZA", "QZP", "QZF"
"""What every accession, patient and file name begins with, so that a log can be searched."""
MAY_BE_READ = {"bytes changed", "a long note"}
"""Hostile, and yet perhaps a picture."""


@dataclass(frozen=True, kw_only=True)
class File:
    """One sample."""

    number: int
    kind: str
    """`good`, `blurred`, or what is wrong with it."""
    colour: str
    data: bytes
    name: str

    @property
    def good(self) -> bool:
        return self.kind == GOOD

    @property
    def hostile(self) -> bool:
        return self.kind not in (GOOD, BLURRED)


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """What is put in by one act: one file, or several of one accession."""

    number: int
    door: str
    files: tuple[File, ...]

    @property
    def accession(self) -> str:
        return f"{ACCESSION}{self.number:06}"

    @property
    def patient(self) -> str:
        return f"{PATIENT}{self.number // 3:06}" if self.number % 2 else ""

    @property
    def key(self) -> str:
        return f"key-{self.number}"

    @property
    def has_case(self) -> bool:
        """Whether at least one of its files is a sample."""
        return any(not file.hostile for file in self.files)


def parcels(count: int, *, seed: int) -> Iterator[Parcel]:
    """`count` files in parcels; the same seed gives the same bytes."""
    chance = random.Random(seed)
    number = 0
    while number < count:
        door = chance.choices(list(DOORS), list(DOORS.values()))[0]
        several = door in ("api", "page") and chance.random() < 0.1
        many = min(count - number, 3 if several else 1)
        files = tuple(_file(number + place, chance) for place in range(many))
        yield Parcel(number=number, door=door, files=files)
        number += many


def _file(number: int, chance: random.Random) -> File:
    colour = chance.choice(COLOURS)
    name = f"{ACCESSION}{number:06}_{FILE}.png"
    kind, data = GOOD, b""
    drawn = chance.random()
    if drawn < 0.10:
        kind, data = _hostile(number, chance)
    elif drawn < 0.12:
        kind, data = BLURRED, blurred_png(colour, seed=number)
    else:
        data = cell_png(colour, seed=number, side_px=40)
    return File(number=number, kind=kind, colour=colour, data=data, name=name)


def _hostile(number: int, chance: random.Random) -> tuple[str, bytes]:
    kind = chance.choice([*_MADE, "cut off", "bytes changed", "noise"])
    if kind in _MADE:
        return kind, _made(kind)
    whole = cell_png("red", seed=number, side_px=40)
    if kind == "cut off":
        return kind, whole[: chance.randrange(2, len(whole) * 9 // 10)]
    if kind == "noise":
        return kind, chance.randbytes(20_000)
    changed = bytearray(whole)
    for _ in range(20):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return kind, bytes(changed)


_MADE: dict[str, Callable[[], bytes]] = {
    "a bomb": bomb_png,
    "a long note": text_bomb_png,
    **{name: make for name, (make, _) in BURNING.items()},
    **{name: (lambda data=data: data) for name, data in not_pictures().items() if data},
}


@cache
def _made(kind: str) -> bytes:
    return _MADE[kind]()

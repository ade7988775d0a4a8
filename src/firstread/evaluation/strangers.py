"""Whether a pack knows what is not its own: samples of something else, and its own ones spoiled."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from firstread.domain.errors import BadDataset, UnreadableSample
from firstread.domain.read import Read
from firstread.evaluation.metrics import Share, wilson
from firstread.imaging import decode, spoil
from firstread.runtime import PackReader

Change = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]

SURE = 0.9
"""A read of this probability or more is believed."""

SPOILINGS: Mapping[str, Change] = {
    "as they are": lambda pixels: pixels,
    "blurred by 1.5 % of the side": lambda pixels: spoil.blurred(pixels, share=0.015),
    "blurred by 2 % of the side": lambda pixels: spoil.blurred(pixels, share=0.02),
    "blurred by 3 % of the side": lambda pixels: spoil.blurred(pixels, share=0.03),
    "half the light": lambda pixels: spoil.lit(pixels, times=0.5),
    "three tenths of the light": lambda pixels: spoil.lit(pixels, times=0.3),
    "one and a half times the light": lambda pixels: spoil.lit(pixels, times=1.5),
    "twice the light": lambda pixels: spoil.lit(pixels, times=2.0),
    "hues turned by 60 degrees": lambda pixels: spoil.hue_turned(pixels, degrees=60),
    "hues turned by 180 degrees": lambda pixels: spoil.hue_turned(pixels, degrees=180),
    "red taken for blue": lambda pixels: spoil.channels_in(pixels, order=(2, 1, 0)),
    "without colour": spoil.greyed,
    "warm tint": lambda pixels: spoil.tinted(pixels, gains=(1.15, 1.0, 0.7)),
    "noise of 15 levels": lambda pixels: spoil.grainy(pixels, levels=15, seed=1),
    "noise of 30 levels": lambda pixels: spoil.grainy(pixels, levels=30, seed=1),
    "JPEG of quality 10": lambda pixels: _as_jpeg(pixels, quality=10),
    "twice as large": lambda pixels: spoil.magnified(pixels, times=2.0),
    "half as large": lambda pixels: spoil.magnified(pixels, times=0.5),
    "upside down": lambda pixels: np.ascontiguousarray(pixels[::-1, ::-1]),
}
"""How samples are spoiled, each at a strength that a person notices; the last should not matter
where a picture has no upper end."""


@dataclass(frozen=True, kw_only=True)
class Refusals:
    """What became of some samples: how many were flagged, and how many of the rest were believed.

    `flagged` counts reads that are unfit or unfamiliar, `believed` those that are neither and have
    a probability of `SURE` or more; both are shares of the `n` samples that could be opened.
    """

    name: str
    n: int
    unfit: int
    unfamiliar: int
    flagged: Share
    believed: Share


def refusals(reads: Sequence[Read], *, name: str) -> Refusals:
    """Count what is flagged among reads; raises BadDataset where there are none.

    >>> refusals([], name="nothing")
    Traceback (most recent call last):
        ...
    firstread.domain.errors.BadDataset: None of the samples of nothing could be read. Name others.
    """
    if not reads:
        raise BadDataset(f"None of the samples of {name} could be read. Name others.")
    flagged = [_is_flagged(read) for read in reads]
    believed = sum(
        read.probability >= SURE and not said for read, said in zip(reads, flagged, strict=True)
    )
    return Refusals(
        name=name,
        n=len(reads),
        unfit=sum(read.unfit is not None for read in reads),
        unfamiliar=sum(_unfamiliar(read) for read in reads),
        flagged=wilson(sum(flagged), len(reads)),
        believed=wilson(believed, len(reads)),
    )


def _is_flagged(read: Read) -> bool:
    """Whether a read warns its reader of the sample itself: unfit, or unfamiliar."""
    return read.unfit is not None or _unfamiliar(read)


def spoiled(
    reader: PackReader,
    samples: Sequence[bytes],
    *,
    ways: Mapping[str, Change] = SPOILINGS,
    step: Callable[[], None] = lambda: None,
) -> tuple[Refusals, ...]:
    """What becomes of a pack's own pictures when they are spoiled, a row for each of `ways`.

    Each sample is decoded, changed at its own size, and read as a PNG. Samples that cannot be
    opened are left out; `step` is called after each read. Raises BadDataset where none can be.
    """
    return tuple(
        refusals(read_each(reader, _changed(samples, change), step=step), name=name)
        for name, change in ways.items()
    )


def read_each(
    reader: PackReader, samples: Iterator[bytes], *, step: Callable[[], None] = lambda: None
) -> list[Read]:
    """The reads of those samples that can be opened."""
    reads = []
    for data in samples:
        try:
            reads.append(reader.read(data).read)
        except UnreadableSample:
            continue
        finally:
            step()
    return reads


def _changed(samples: Sequence[bytes], change: Change) -> Iterator[bytes]:
    for data in samples:
        try:
            pixels = np.asarray(decode(data), dtype=np.uint8)
        except UnreadableSample:
            continue
        yield _as_png(change(pixels))


def _unfamiliar(read: Read) -> bool:
    return read.familiarity is not None and not read.familiarity.familiar


def _as_png(pixels: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="PNG", compress_level=1)
    return file.getvalue()


def _as_jpeg(pixels: NDArray[np.uint8], *, quality: int) -> NDArray[np.uint8]:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="JPEG", quality=quality)
    return np.asarray(decode(file.getvalue()), dtype=np.uint8)

"""Near duplicates: the same picture again, recompressed, resized, brightened, mirrored or turned.

The low frequencies of a picture's detail, a perceptual hash kept as numbers instead of bits,
propose pairs by a product of matrices (the library imagehash keeps bits, which costs the same and
misses more, and knows no turned pictures). The detail of the whole thumbnail confirms them.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firstread.datasets.pictures.looks import SIDE_PX
from firstread.datasets.together import together

Detail = NDArray[np.float32]

_FREQUENCIES = 12
_FLAT = 1.5
"""Grey levels of detail; less is an empty picture, of which all look alike."""
_FEW = 100
_SAMPLE = 1000
_APART = 0.25
"""What of the way from the most alike strangers to identity a pair may be away from identity.
Chosen on eight sets with recompressed, halved, brightened and blurred copies put in; measured in
docs/datasets.md."""
_LEAST, _MOST = 0.80, 0.97
_OF_FEW = 0.9
"""What fewer than `_FEW` pictures need: they do not say how alike strangers are in their set."""
_SURELY_ONE = 0.95
"""Pairs above tell nothing of strangers, however many copies a set holds."""
_LARGEST_SHARE, _LARGEST = 0.05, 20
_BLOCK = 1024


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two items, by number, that show one picture; `turned`: mirrored or turned by right angles."""

    first: int
    second: int
    likeness: float
    """The correlation of their detail; 1 is the same."""
    turned: bool


@dataclass(frozen=True, kw_only=True)
class NearDuplicates:
    """The pairs, the most alike first, and from which likeness on they count in this set."""

    pairs: tuple[Pair, ...]
    threshold: float


def find_near_duplicates(grey: NDArray[np.float32]) -> NearDuplicates:
    """Pairs among thumbnails [N, 32, 32], in grey levels; they do not depend on the order.

    Single cells look alike by nature, slices of tissue do not: what counts as the same is far above
    the thousandth of pairs that are most alike in this very set. Where the pairs would still chain
    more than a twentieth of the set together, more likeness is asked for.

    >>> rng = np.random.default_rng(3)
    >>> three = rng.uniform(0, 255, (3, 32, 32)).astype(np.float32)
    >>> three[2] = three[0, ::-1] * 0.8
    >>> [(pair.first, pair.second, pair.turned) for pair in find_near_duplicates(three).pairs]
    [(0, 2, True)]
    """
    detail, rich = _detail(grey)
    kept = np.flatnonzero(rich)
    if len(kept) < 2:
        return NearDuplicates(pairs=(), threshold=_OF_FEW)
    detail = detail[kept]
    threshold = _threshold(detail, grey[kept])
    best: dict[tuple[int, int], tuple[float, int]] = {}
    for first, second, likeness, way in _confirmed(detail, threshold):
        key = (int(kept[first]), int(kept[second]))
        best[key] = max(best.get(key, (0.0, 0)), (likeness, -way))
    most = max(_LARGEST, int(_LARGEST_SHARE * len(grey)))
    while best and _largest(best, len(grey)) > most and threshold < 0.995:
        threshold = (1 + threshold) / 2
        best = {key: found for key, found in best.items() if found[0] > threshold}
    pairs = [
        Pair(first=a, second=b, likeness=round(min(1.0, likeness), 4), turned=way != 0)
        for (a, b), (likeness, way) in best.items()
    ]
    pairs.sort(key=lambda pair: (-pair.likeness, pair.first, pair.second))
    return NearDuplicates(pairs=tuple(pairs), threshold=threshold)


def _detail(grey: NDArray[np.float32]) -> tuple[Detail, NDArray[np.bool_]]:
    """What is left without the coarse light and dark, nor what all pictures of the set have in
    common, such as the rim of every fundus, at unit length; and whether there is any."""
    fine = grey - _blurred(grey)
    fine -= fine.mean((1, 2), keepdims=True)
    rich = np.linalg.norm(fine, axis=(1, 2)) > _FLAT * SIDE_PX
    unit = _unit(fine)
    if not rich.any():
        return unit, rich
    common = unit[rich].mean(0)
    common = sum(_mirrored(common[np.newaxis], way=way) for way in range(8)) / np.float32(8)
    # Of a few pictures, what is common may be no more than that two are one.
    return _unit(unit - common * np.float32(rich.sum() / (rich.sum() + _FEW))), rich


def _unit(pictures: Detail) -> Detail:
    length = np.linalg.norm(pictures, axis=(1, 2), keepdims=True)
    return np.asarray(pictures / np.maximum(length, 1e-6), dtype=np.float32)


def _blurred(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean of 5 by 5 pixels round each."""
    padded = np.pad(grey, ((0, 0), (2, 2), (2, 2)), mode="edge")
    whole = np.zeros_like(grey)
    for down in range(5):
        for right in range(5):
            whole += padded[:, down : down + SIDE_PX, right : right + SIDE_PX]
    return whole / np.float32(25)


def _threshold(detail: Detail, grey: NDArray[np.float32]) -> float:
    """From which likeness on two pictures of this set are one."""
    # A sample that follows from the pictures alone, not from their order.
    keys = np.array([zlib.crc32(one.tobytes()) for one in grey])
    sample = detail[np.unique(keys, return_index=True)[1][:_SAMPLE]].reshape(-1, SIDE_PX**2)
    if len(sample) < _FEW:
        return _OF_FEW
    pairs = (sample @ sample.T)[np.triu_indices(len(sample), 1)]
    alike = float(np.quantile(pairs[pairs < _SURELY_ONE], 0.999))
    return round(min(max(1 - _APART * (1 - alike), _LEAST), _MOST), 4)


def _confirmed(detail: Detail, threshold: float) -> Iterator[tuple[int, int, float, int]]:
    """Pairs above the threshold, with their likeness and the way that the second is turned."""
    hashes = _hashes(detail)
    whole = detail.reshape(len(detail), -1)
    for way in range(8):
        turned = _turned(hashes, way=way).reshape(len(hashes), -1)
        plain = hashes.reshape(len(hashes), -1)
        turned_detail = np.ascontiguousarray(_mirrored(detail, way=way)).reshape(whole.shape)
        for start in range(0, len(plain), _BLOCK):
            alike = plain[start : start + _BLOCK] @ turned[start:].T
            first, second = np.nonzero(alike > threshold)
            later = first < second
            first, second = first[later] + start, second[later] + start
            for at in range(0, len(first), _BLOCK):
                some = slice(at, at + _BLOCK)
                found = np.einsum("nd,nd->n", whole[first[some]], turned_detail[second[some]])
                for one in np.flatnonzero(found > threshold):
                    yield int(first[at + one]), int(second[at + one]), float(found[one]), way


def _hashes(detail: Detail) -> NDArray[np.float32]:
    """The lowest frequencies [N, 12, 12] of a discrete cosine transform, at unit length."""
    places, waves = np.arange(SIDE_PX), np.arange(_FREQUENCIES)
    basis = np.cos(np.pi * (2 * places + 1) * waves[:, np.newaxis] / (2 * SIDE_PX))
    waves_of = basis.astype(np.float32)
    return _unit(np.asarray(waves_of @ detail @ waves_of.T, dtype=np.float32))


def _turned(hashes: NDArray[np.float32], *, way: int) -> NDArray[np.float32]:
    """The hashes of the mirrored or turned pictures: mirroring changes the sign of odd waves."""
    sign = np.where(np.arange(_FREQUENCIES) % 2, -1, 1).astype(np.float32)
    turned = hashes.transpose(0, 2, 1) if way & 4 else hashes
    if way & 1:
        turned = turned * sign[:, np.newaxis]
    if way & 2:
        turned = turned * sign
    return turned


def _mirrored(pictures: Detail, *, way: int) -> Detail:
    turned = pictures.transpose(0, 2, 1) if way & 4 else pictures
    if way & 1:
        turned = turned[:, ::-1]
    if way & 2:
        turned = turned[:, :, ::-1]
    return turned


def _largest(pairs: Iterable[tuple[int, int]], count: int) -> int:
    return max(len(members) for members in together(count, pairs))

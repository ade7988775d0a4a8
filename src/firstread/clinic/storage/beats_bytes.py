"""The beats of a read as they lie in its row: a few bytes each, for a day has 100,000."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firstread.domain.read import Beat

_FORM = np.dtype([("at_s", "<f8"), ("label", "u1"), ("probability", "<f4")])


@dataclass(frozen=True, kw_only=True, eq=False)
class Beats:
    """All beats of a recording, in order of time."""

    codes: tuple[str, ...]
    """The labels that `label` counts in."""
    at_s: NDArray[np.float64]
    label: NDArray[np.uint8]
    probability: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.at_s)

    @property
    def counts(self) -> dict[str, int]:
        """How many there are of each label, also of those that there are none of."""
        found = np.bincount(self.label, minlength=len(self.codes)).tolist()
        return dict(zip(self.codes, found, strict=True))

    def as_pieces(self) -> bytes:
        """For the page: all moments in ms as uint32, then all labels, all percents, a byte each."""
        at_ms = np.rint(self.at_s * 1000).astype("<u4")
        percent = np.rint(self.probability * 100).astype("u1")
        return at_ms.tobytes() + self.label.tobytes() + percent.tobytes()


def pack_beats(beats: Sequence[Beat], *, codes: Sequence[str]) -> bytes | None:
    """The beats as bytes; None where there are none."""
    if not beats:
        return None
    place = {code: number for number, code in enumerate(codes)}
    rows = np.array(
        [(each.at_s, place[each.label], each.probability) for each in beats], dtype=_FORM
    )
    return zlib.compress(rows.tobytes(), level=6)


def unpack_beats(data: bytes | None, *, codes: Sequence[str]) -> Beats:
    """The beats that `pack_beats` made into bytes."""
    rows = np.frombuffer(zlib.decompress(data) if data else b"", dtype=_FORM)
    return Beats(
        codes=tuple(codes), at_s=rows["at_s"], label=rows["label"], probability=rows["probability"]
    )

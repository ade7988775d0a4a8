"""Make one phantom of a check and a label, the same one for the same seed."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from firstread.domain.errors import UnknownCheck, UnknownLabel
from firstread.phantom import blood, cytology, ecg, marrow

_PICTURES: dict[
    str, tuple[tuple[str, ...], Callable[[str, np.random.Generator], NDArray[np.uint8]]]
] = {
    "blood-smear": (blood.LABELS, blood.draw),
    "leukaemia": (marrow.LABELS, marrow.draw),
}
_ROWS = {"breast-cytology": (cytology.LABELS, cytology.draw)}
_RECORDINGS = {"heartbeat": (ecg.LABELS, ecg.draw)}


@dataclass(frozen=True, kw_only=True)
class Phantom:
    """A made-up sample: PNG bytes, a row of measurements, or a recording (a WFDB pair in a zip);
    and what it was meant to show."""

    check: str
    label: str
    seed: int
    data: bytes | dict[str, float]

    @property
    def ending(self) -> str:
        """What a file that holds it should end in."""
        if not isinstance(self.data, bytes):
            return ".json"
        return ".zip" if self.check in _RECORDINGS else ".png"

    @property
    def png(self) -> bytes:
        """The picture; raises for a row of measurements, and for a recording."""
        if isinstance(self.data, bytes) and self.ending == ".png":
            return self.data
        kind = "recordings" if self.check in _RECORDINGS else "rows of measurements"
        raise UnknownCheck(f"Phantoms of {self.check} are {kind}, not pictures.")

    @property
    def measurements(self) -> dict[str, float]:
        """The row; raises for a picture."""
        if isinstance(self.data, dict):
            return self.data
        kind = "recordings" if self.check in _RECORDINGS else "pictures"
        raise UnknownCheck(f"Phantoms of {self.check} are {kind}, not rows of measurements.")


def checks() -> tuple[str, ...]:
    """The checks that phantoms can be made for."""
    return tuple(sorted([*_PICTURES, *_ROWS, *_RECORDINGS]))


def labels(check: str) -> tuple[str, ...]:
    """The labels that phantoms of a check can show.

    >>> labels("breast-cytology")
    ('benign', 'malignant')
    """
    if check in _PICTURES:
        return _PICTURES[check][0]
    if check in _ROWS:
        return _ROWS[check][0]
    if check in _RECORDINGS:
        return _RECORDINGS[check][0]
    raise UnknownCheck(f"There are no phantoms for '{check}'. There are: {', '.join(checks())}.")


def make(check: str, *, label: str | None = None, seed: int = 0) -> Phantom:
    """One phantom of `check`; without a label the seed chooses one.

    >>> make("breast-cytology", label="malignant", seed=3).label
    'malignant'
    """
    known = labels(check)
    if label is None:
        label = known[seed % len(known)]
    if label not in known:
        raise UnknownLabel(
            f"Phantoms of '{check}' have no label '{label}'. There are: {', '.join(known)}."
        )
    rng = np.random.default_rng([seed & 0xFFFFFFFF, zlib.crc32(f"{check}/{label}".encode())])
    if check in _ROWS:
        return Phantom(check=check, label=label, seed=seed, data=_ROWS[check][1](label, rng))
    if check in _RECORDINGS:
        return Phantom(check=check, label=label, seed=seed, data=_RECORDINGS[check][1](label, rng))
    pixels = _PICTURES[check][1](label, rng)
    return Phantom(check=check, label=label, seed=seed, data=as_png(pixels))


def as_png(pixels: NDArray[np.uint8]) -> bytes:
    """PNG bytes of uint8 [H, W, 3]."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, format="PNG")
    return out.getvalue()

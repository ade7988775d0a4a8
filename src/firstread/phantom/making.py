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


@dataclass(frozen=True, kw_only=True)
class _Drawn:
    """How phantoms of one check are made."""

    labels: tuple[str, ...]
    draw: Callable[[str, np.random.Generator], bytes | dict[str, float]]
    ending: str
    """What a file that holds one should end in."""
    called: str
    """What they are."""


def _picture(
    labels: tuple[str, ...], draw: Callable[[str, np.random.Generator], NDArray[np.uint8]]
) -> _Drawn:
    return _Drawn(
        labels=labels,
        draw=lambda label, rng: as_png(draw(label, rng)),
        ending=".png",
        called="pictures",
    )


_CHECKS = {
    "blood-smear": _picture(blood.LABELS, blood.draw),
    "breast-cytology": _Drawn(
        labels=cytology.LABELS,
        draw=cytology.draw,
        ending=".json",
        called="rows of measurements",
    ),
    "heartbeat": _Drawn(labels=ecg.LABELS, draw=ecg.draw, ending=".zip", called="recordings"),
    "leukaemia": _picture(marrow.LABELS, marrow.draw),
}


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
        return _CHECKS[self.check].ending

    @property
    def png(self) -> bytes:
        """The picture; raises for a row of measurements, and for a recording."""
        if isinstance(self.data, bytes) and self.ending == ".png":
            return self.data
        called = _CHECKS[self.check].called
        raise UnknownCheck(f"Phantoms of {self.check} are {called}, not pictures.")

    @property
    def measurements(self) -> dict[str, float]:
        """The row; raises for a picture."""
        if isinstance(self.data, dict):
            return self.data
        called = _CHECKS[self.check].called
        raise UnknownCheck(f"Phantoms of {self.check} are {called}, not rows of measurements.")


def checks() -> tuple[str, ...]:
    """The checks that phantoms can be made for."""
    return tuple(sorted(_CHECKS))


def labels(check: str) -> tuple[str, ...]:
    """The labels that phantoms of a check can show.

    >>> labels("breast-cytology")
    ('benign', 'malignant')
    """
    if check in _CHECKS:
        return _CHECKS[check].labels
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
    return Phantom(check=check, label=label, seed=seed, data=_CHECKS[check].draw(label, rng))


def as_png(pixels: NDArray[np.uint8]) -> bytes:
    """PNG bytes of uint8 [H, W, 3]."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, format="PNG")
    return out.getvalue()

"""The samples (.dat) of a WFDB record: https://wfdb.io/spec/signal-files.html

The library wfdb reads them too, and more; it brings pandas and matplotlib, so it stands in the
tests, which hold this module to it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from firstread.domain.errors import UnreadableSample

Steps = NDArray[np.int32]


def _int16(raw: NDArray[np.uint8]) -> Steps:
    return raw.view("<i2").astype(np.int32)


def _int16_big(raw: NDArray[np.uint8]) -> Steps:
    return raw.view(">i2").astype(np.int32)


def _offset8(raw: NDArray[np.uint8]) -> Steps:
    return raw.astype(np.int32) - 128


def _offset16(raw: NDArray[np.uint8]) -> Steps:
    return raw.view("<u2").astype(np.int32) - 32768


def _int24(raw: NDArray[np.uint8]) -> Steps:
    parts = raw.reshape(-1, 3).astype(np.int32)
    return _signed(parts[:, 0] | parts[:, 1] << 8 | parts[:, 2] << 16, bits=24)


def _int32(raw: NDArray[np.uint8]) -> Steps:
    return raw.view("<i4").astype(np.int32)


def _packed12(raw: NDArray[np.uint8]) -> Steps:
    """Two samples of 12 bits in three bytes; the second byte holds the high bits of both."""
    parts = raw.reshape(-1, 3).astype(np.int32)
    pairs = np.empty((len(parts), 2), np.int32)
    pairs[:, 0] = parts[:, 0] | (parts[:, 1] & 0x0F) << 8
    pairs[:, 1] = parts[:, 2] | (parts[:, 1] & 0xF0) << 4
    return _signed(pairs.reshape(-1), bits=12)


def _packed10(raw: NDArray[np.uint8]) -> Steps:
    """Format 311: three samples of 10 bits in four bytes."""
    words = raw.view("<u4").astype(np.int64)
    found = np.stack([words & 0x3FF, words >> 10 & 0x3FF, words >> 20 & 0x3FF], 1)
    return _signed(found.reshape(-1).astype(np.int32), bits=10)


def _signed(values: Steps, *, bits: int) -> Steps:
    return np.asarray(np.where(values >= 1 << (bits - 1), values - (1 << bits), values), np.int32)


_FORMS: dict[int, tuple[int, int, int, Callable[[NDArray[np.uint8]], Steps]]] = {
    # samples and bytes of one unit, bits of a sample, and how units become steps
    16: (1, 2, 16, _int16),
    24: (1, 3, 24, _int24),
    32: (1, 4, 32, _int32),
    61: (1, 2, 16, _int16_big),
    80: (1, 1, 8, _offset8),
    160: (1, 2, 16, _offset16),
    212: (2, 3, 12, _packed12),
    311: (3, 4, 10, _packed10),
}
FORMS = tuple(_FORMS)


def not_measured(form: int) -> int:
    """The step that stands for a sample that was not measured.

    >>> not_measured(212)
    -2048
    """
    return -(1 << (_FORMS[form][2] - 1))


def count_of(size_bytes: int, *, form: int) -> int:
    """How many samples so many bytes hold.

    >>> count_of(9, form=212), count_of(8, form=212)
    (6, 5)
    """
    samples, unit, _, _ = _checked(form)
    whole, rest = divmod(size_bytes, unit)
    # The last unit may be cut short where its later samples are not there.
    partly = {212: {2: 1}, 311: {2: 1, 3: 2}}.get(form, {})
    return whole * samples + partly.get(rest, 0)


def steps(data: bytes, *, form: int, first: int, count: int) -> Steps:
    """`count` samples from the sample `first` on, which must begin a unit of the format."""
    samples, unit, _, decode = _checked(form)
    units = -(-count // samples)
    raw = np.frombuffer(data, np.uint8)[first // samples * unit :][: units * unit]
    short = units * unit - len(raw)
    if short:
        raw = np.concatenate([raw, np.zeros(short, np.uint8)])
    return decode(np.ascontiguousarray(raw))[:count]


def unit_samples(form: int) -> int:
    """How many samples lie in one unit of the format."""
    return _checked(form)[0]


def _checked(form: int) -> tuple[int, int, int, Callable[[NDArray[np.uint8]], Steps]]:
    if form not in _FORMS:
        raise UnreadableSample(
            f"The samples are in WFDB format {form}, which is not read. Save the recording in "
            f"format 16 or 212; there are: {', '.join(map(str, _FORMS))}."
        )
    return _FORMS[form]

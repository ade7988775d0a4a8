"""The samples (.dat) of a WFDB record: https://wfdb.io/spec/signal-files.html

The library wfdb reads them too, and more; it brings pandas and matplotlib, so it stands in the
tests, which hold this module to it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

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


class _Form(NamedTuple):
    """How samples are packed: always whole units, the last of which may be cut short."""

    samples: int
    """In one unit."""
    unit_bytes: int
    bits: int
    """Of one sample."""
    decode: Callable[[NDArray[np.uint8]], Steps]


_FORMS = {
    16: _Form(1, 2, 16, _int16),
    24: _Form(1, 3, 24, _int24),
    32: _Form(1, 4, 32, _int32),
    61: _Form(1, 2, 16, _int16_big),
    80: _Form(1, 1, 8, _offset8),
    160: _Form(1, 2, 16, _offset16),
    212: _Form(2, 3, 12, _packed12),
    311: _Form(3, 4, 10, _packed10),
}


def not_measured(form: int) -> int:
    """The step that stands for a sample that was not measured.

    >>> not_measured(212)
    -2048
    """
    return -(1 << (_FORMS[form].bits - 1))


def count_of(size_bytes: int, *, form: int) -> int:
    """How many samples so many bytes hold.

    >>> count_of(9, form=212), count_of(8, form=212)
    (6, 5)
    """
    found = _checked(form)
    whole, rest_bytes = divmod(size_bytes, found.unit_bytes)
    # The last unit may be cut short where its later samples are not there.
    return whole * found.samples + rest_bytes * 8 // found.bits


def steps(data: bytes, *, form: int, first: int, count: int) -> Steps:
    """`count` samples from the sample `first` on, which must begin a unit of the format."""
    found = _checked(form)
    size_bytes = -(-count // found.samples) * found.unit_bytes
    raw = np.frombuffer(data, np.uint8)[first // found.samples * found.unit_bytes :][:size_bytes]
    if len(raw) < size_bytes:
        raw = np.pad(raw, (0, size_bytes - len(raw)))
    return found.decode(np.ascontiguousarray(raw))[:count]


def unit_samples(form: int) -> int:
    """How many samples lie in one unit of the format."""
    return _checked(form).samples


def refuse_other_matrix(data: bytes, *, form: int, offset: int, signals: int) -> None:
    """Raises UnreadableSample where the file is one of MATLAB, and not as the header has it.

    The challenges of PhysioNet keep samples in a matrix of MATLAB 4, which begins with its type,
    rows, columns, whether it is complex, and how long its name is.
    """
    if data[:10] == b"MATLAB 5.0":
        raise UnreadableSample(
            f"The header says that samples lie in format {form} from byte {offset} on, and the "
            "file is one of MATLAB 5, which is packed otherwise. Save the recording as .dat."
        )
    if not offset or len(data) < 20:
        return
    kind, rows, columns, imaginary, name = np.frombuffer(data[:20], "<i4").tolist()
    its = _MATRICES.get(kind)
    if its is None or imaginary not in (0, 1) or not 0 < name < 64 or offset != 20 + name:
        return
    if (its, rows) != (form, signals):
        raise UnreadableSample(
            f"The header says {signals} signals in format {form}, and the .mat file holds {rows} "
            f"in format {its}, with {columns} samples each. Export the recording again."
        )


_MATRICES = {20: 32, 30: 16, 50: 80}
"""The types of a matrix of MATLAB 4 with the formats of samples."""


def _checked(form: int) -> _Form:
    if form not in _FORMS:
        raise UnreadableSample(
            f"The samples are in WFDB format {form}, which is not read. Save the recording in "
            f"format 16 or 212; there are: {', '.join(map(str, _FORMS))}."
        )
    return _FORMS[form]

"""A lead at another sampling rate, and what lies between two frequencies of it.

scipy.signal does this too; the lean install has only NumPy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Lead = NDArray[np.float32]

_AT_ONCE = 1 << 19
_TAPS = 8
"""Zero crossings of the sinc on each side of the low-pass filter."""


def resampled(lead: Lead, *, rate_hz: float, to_hz: float) -> Lead:
    """The lead [T] at `to_hz`, without what that rate cannot hold; straight lines in between.

    >>> resampled(np.ones(720, np.float32), rate_hz=360.0, to_hz=180.0).shape
    (360,)
    """
    count = max(1, round(len(lead) * to_hz / rate_hz))
    if count == len(lead):
        return lead
    if to_hz < rate_hz:
        lead = filtered(lead, low_pass(0.45 * to_hz, rate_hz=rate_hz))
    out = np.empty(count, np.float32)
    for begin in range(0, count, _AT_ONCE):
        at = np.arange(begin, min(count, begin + _AT_ONCE)) * (rate_hz / to_hz)
        left = min(int(at[0]), len(lead) - 1)
        piece = lead[left : int(at[-1]) + 2]
        out[begin : begin + len(at)] = np.interp(at - left, np.arange(len(piece)), piece)
    return out


def low_pass(edge_hz: float, *, rate_hz: float) -> NDArray[np.float32]:
    """A windowed sinc (Hamming) that lets through what is below `edge_hz`; its sum is 1."""
    half = max(1, round(_TAPS * rate_hz / (2 * edge_hz)))
    at = np.arange(-half, half + 1)
    taps = np.sinc(2 * edge_hz / rate_hz * at) * np.hamming(len(at))
    return np.asarray(taps / taps.sum(), np.float32)


def filtered(lead: Lead, taps: NDArray[np.float32]) -> Lead:
    """The lead through a filter, as long as before; its ends are held on beyond both ends.

    By Fourier transforms of pieces, so that a day of a lead takes no more memory than itself.
    """
    half = len(taps) // 2
    size = 1 << max(12, int(np.ceil(np.log2(8 * len(taps)))))
    step = size - 2 * half
    shape = np.fft.rfft(taps, size)
    padded = np.pad(lead, (half, half + step), mode="edge")
    out = np.empty(len(lead), np.float32)
    for begin in range(0, len(lead), step):
        piece = padded[begin : begin + size]
        whole = np.fft.irfft(np.fft.rfft(piece, size) * shape, size)
        kept = whole[2 * half : 2 * half + step]
        out[begin : begin + step] = kept[: len(out) - begin]
    return out


def moving_mean(lead: Lead, width: int) -> Lead:
    """The mean of `width` neighbours round each sample, the ends held on."""
    before = width // 2
    padded = np.pad(lead, (before + 1, width - before - 1), mode="edge").astype(np.float64)
    sums = np.cumsum(padded)
    return np.asarray((sums[width:] - sums[:-width]) / width, np.float32)[: len(lead)]

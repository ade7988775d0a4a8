"""A recording as numbers: the voltage of each lead over time, and nothing about whose it is."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAX_NUMBERS = 100_000_000
"""How many samples of all leads together are opened: 24 hours of three leads at 360 Hz fit."""
MAX_LEADS = 64

Spans = NDArray[np.int64]
"""[n, 2]: the first sample of each stretch, and the one after its last."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Recording:
    """An electrocardiogram that was opened. Names and numbers of persons are never kept.

    >>> flat = np.zeros((1, 720), np.float32)
    >>> Recording(signal=flat, rate_hz=360.0, leads=("II",)).length_s
    2.0
    """

    signal: NDArray[np.float32]
    """[C, T] in millivolts, all of it finite: a gap is bridged by a straight line."""
    rate_hz: float
    leads: tuple[str, ...]
    """One name for each row of the signal, such as 'II' or 'V1'."""
    started_at: dt.datetime | None = None
    """When it began, as its device wrote it, without a time zone; None where that is unknown."""
    missing: tuple[float, ...] = ()
    """The share of each lead that was not measured (lead off), and is bridged."""
    silent: tuple[Spans, ...] = ()
    """For each lead, where it shows nothing: not measured, flat, or held by its device."""
    notes: tuple[str, ...] = ()
    """What of the file was left out or taken in a way that it does not say, a sentence each."""

    @property
    def length_s(self) -> float:
        """How long it lasts."""
        return int(self.signal.shape[1]) / self.rate_hz

    def silent_share(self, row: int) -> float:
        """The share of a lead that shows nothing."""
        if not self.silent:
            return 0.0
        spans = self.silent[row]
        return float((spans[:, 1] - spans[:, 0]).sum()) / max(1, int(self.signal.shape[1]))

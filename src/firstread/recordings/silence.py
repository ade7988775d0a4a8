"""Where a lead shows nothing: it was not measured, or a device drew it flat or held it.

What is not measured is not heartbeat. A line that is drawn across such a place has edges like
those of a beat, so beats are neither looked for there nor compared with what is drawn there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from firstread.recordings.recording import Recording, Spans
from firstread.recordings.resample import Lead, moving_mean, resampled

Mask = NDArray[np.bool_]

_BLOCK_S = 0.05
"""Shorter gaps are bridged and forgotten: nothing of a beat is lost in them."""
_QUIET_S = 2.0
_QUIET = 0.06
_QUIET_MV = (0.02, 0.08)
"""A lead is flat where for so long it moves by less than that share of what it moves by
elsewhere, and by less than these bounds: between two beats hardly any heart is so still."""
_HELD_S = 0.3
_RARE_S = 5.0
_OFF_REST_MV = 0.2
"""For less long a lead is held where it does not move at all: far from where it rests,
or where that is rare, less than once in so many seconds. Often, it is how a clean recording
rests between two beats."""
_REST_S = 6
"""Where a lead rests is told by so many seconds before and after."""
_BESIDE_S = 0.05
"""So far a change of rate carries what lies beside."""
_LEVEL_S = 1.0


def not_measured(lead: Lead, *, rate_hz: float) -> Spans:
    """Where the lead [T] holds no numbers, as first and last sample, the last one excluded."""
    spans = _runs(~np.isfinite(lead))
    return spans[spans[:, 1] - spans[:, 0] >= _block(rate_hz)]


def held(lead: Lead, *, rate_hz: float) -> Spans:
    """Where the lead [T], all of it finite, is flat or held.

    >>> rng = np.random.default_rng(1)
    >>> lead = rng.normal(0, 0.3, 3600).astype(np.float32)
    >>> lead[1000:1720] = lead[1000]
    >>> held(lead, rate_hz=360.0).round(-2).tolist()
    [[1000, 1700]]
    """
    block = _block(rate_hz)
    count = len(lead) // block
    long, least = round(_QUIET_S / _BLOCK_S), round(_HELD_S / _BLOCK_S)
    if count < long:
        return np.empty((0, 2), np.int64)
    blocks = lead[: count * block].reshape(count, block)
    high, low = blocks.max(1), blocks.min(1)
    moves = _moves(high, low, long)
    usual = float(np.quantile(moves, 0.75))
    limit = float(np.clip(_QUIET * usual, *_QUIET_MV))
    rest, far = float(np.median(low)), max(_OFF_REST_MV, float(np.median(moves)))
    still = _covered(moves < limit, long, count)
    room = count - least + 1
    short = _moves(high, low, least)
    lasts_s = len(lead) / rate_hz
    exact = (short == 0.0) & ~still[:room]
    if len(_runs(exact)) * _RARE_S > lasts_s:
        exact &= _off_rest(low, exact, by_mv=_OFF_REST_MV)
    railed = (short < limit) & ~exact & ~still[:room] & (np.abs(low[:room] - rest) > far)
    railed &= _off_rest(low, railed, by_mv=far)
    still |= _covered(exact | railed, least, count)
    spans = _runs(still) * block
    spans[:, 0] = np.maximum(spans[:, 0] - block, 0)
    spans[:, 1] += block
    spans[spans[:, 1] + block > len(lead), 1] = len(lead)
    return spans


def joined_spans(one: Spans, other: Spans, *, rate_hz: float) -> Spans:
    """Both, in order; what lies between two that nearly touch belongs to them."""
    both = np.concatenate([one, other])
    if not len(both):
        return both
    both = both[np.argsort(both[:, 0], kind="stable")]
    ends = np.maximum.accumulate(both[:, 1])
    apart = both[1:, 0] > ends[:-1] + 2 * _block(rate_hz)
    firsts = np.concatenate([[True], apart])
    lasts = np.concatenate([apart, [True]])
    return np.stack([both[firsts, 0], ends[lasts]], 1)


def lead_at(recording: Recording, row: int, *, to_hz: float) -> tuple[Lead, Mask | None]:
    """One lead at another rate, level where it shows nothing, and where that is; None: nowhere."""
    lead = resampled(recording.signal[row], rate_hz=recording.rate_hz, to_hz=to_hz)
    if not recording.silent or not len(recording.silent[row]):
        return lead, None
    mask = _mask(recording.silent[row], rate_hz=recording.rate_hz, to_hz=to_hz, count=len(lead))
    return _levelled(lead, mask, width=round(_LEVEL_S * to_hz)), mask


def widened(mask: Mask, *, before: int = 0, after: int = 0) -> Mask:
    """The mask [T] with so many samples more before and after each place that it names.

    >>> widened(np.array([False, False, True, False, False]), before=1).tolist()
    [False, True, True, False, False]
    """
    wider = np.zeros(len(mask) + 1, np.int32)
    spans = _runs(mask)
    np.add.at(wider, np.maximum(spans[:, 0] - before, 0), 1)
    np.add.at(wider, np.minimum(spans[:, 1] + after, len(mask)), -1)
    return np.asarray(np.cumsum(wider)[:-1] > 0)


def spans_s(mask: Mask | None, *, rate_hz: float) -> NDArray[np.float64]:
    """The places of a mask as seconds [n, 2]."""
    return np.empty((0, 2)) if mask is None else _runs(mask) / rate_hz


def _block(rate_hz: float) -> int:
    return max(1, round(_BLOCK_S * rate_hz))


def _runs(mask: Mask) -> Spans:
    edges = np.diff(mask.astype(np.int8), prepend=np.int8(0), append=np.int8(0))
    return np.flatnonzero(edges).reshape(-1, 2).astype(np.int64)


def _moves(high: Lead, low: Lead, width: int) -> Lead:
    """By how much a lead moves in so many blocks from each on."""
    view = np.lib.stride_tricks.sliding_window_view
    return np.asarray(view(high, width).max(1) - view(low, width).min(1), np.float32)


def _off_rest(low: Lead, looked_at: Mask, *, by_mv: float) -> Mask:
    """At which of these blocks a lead is far from where it rests near by."""
    second = round(1 / _BLOCK_S)
    count = -(-len(low) // second)
    seconds = np.pad(low, (0, count * second - len(low)), mode="edge").reshape(count, second)
    near = np.pad(np.median(seconds, axis=1), _REST_S, mode="edge")
    rest = np.median(np.lib.stride_tricks.sliding_window_view(near, 2 * _REST_S + 1), axis=1)
    far = np.abs(low - np.repeat(rest, second)[: len(low)]) > by_mv
    return np.asarray(looked_at & far[: len(looked_at)])


def _covered(starts: Mask, width: int, count: int) -> Mask:
    return widened(np.pad(starts, (0, count - len(starts))), after=width - 1)


def _mask(spans: Spans, *, rate_hz: float, to_hz: float, count: int) -> Mask:
    beside = _BESIDE_S * to_hz
    edges = np.zeros(count + 1, np.int32)
    firsts = np.floor(spans[:, 0] * (to_hz / rate_hz) - beside)
    lasts = np.ceil(spans[:, 1] * (to_hz / rate_hz) + beside)
    np.add.at(edges, np.clip(firsts, 0, count).astype(np.int64), 1)
    np.add.at(edges, np.clip(lasts, 0, count).astype(np.int64), -1)
    return np.asarray(np.cumsum(edges)[:-1] > 0)


def _levelled(lead: Lead, mask: Mask, *, width: int) -> Lead:
    """The lead with its own level where it shows nothing, from what is measured near by."""
    if mask.all():
        return np.zeros_like(lead)
    weight = moving_mean((~mask).astype(np.float32), width)
    level = moving_mean(np.where(mask, 0.0, lead).astype(np.float32), width)
    near = weight > 0.2
    level = np.where(near, level / np.maximum(weight, 0.2), 0.0)
    if not near.any():
        return np.where(mask, 0.0, lead).astype(np.float32)
    at = np.flatnonzero(near)
    level[~near] = np.interp(np.flatnonzero(~near), at, level[at])
    return np.where(mask, level, lead).astype(np.float32)

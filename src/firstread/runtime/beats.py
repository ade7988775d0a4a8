"""Each beat of a recording as a pack's `[recording]` wants it: training and reading do the same.

The channels of one beat, all of the same length: for each lead the window round the beat's peak;
for each lead the recording's typical beat in the same window; and one row whose first numbers
tell the rhythm. What a beat is shows in how it differs from its own patient's beats, and in when
it came.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firstread.packs import RecordingInput
from firstread.recordings import Recording
from firstread.recordings.beats import silent_s
from firstread.recordings.resample import moving_mean
from firstread.recordings.silence import lead_at

BLOCK_S = 1800.0
"""What is typical is measured in stretches of about half an hour: over a day it changes."""
STATISTICS = 4
"""How many numbers about the stretch follow the intervals in the row of the rhythm."""
_WANDER_S = 1.0
"""The baseline is the mean of so much of the lead, taken twice."""
_TYPICAL_OF = 160
_ALIKE = 0.9
_RESTED = 0.9
"""A beat is rested that came after a longer interval than this share of those like it."""
_EARLY = 1.2
"""Where rested beats waited this much longer than the middle one, the common beat may be early.
Picked among eight ways by cross-validation (docs/critiques.md)."""
_TELLING_S = 45.0
"""In a shorter stretch the few beats that rested would make a noisy typical one."""
_LONGEST_S = 5.0

_MOSTLY = 0.5
_CORE_S = 0.1
"""The QRS complex reaches about so far to both sides of its peak."""
_P_WAVE_S = 0.25
"""So long before its peak a beat begins."""
_PAUSE, _PAUSE_S = 2.2, 1.5
_LONG, _PAUSE_OF_LONG = 0.85, 1.5
"""What lasts longer than so many usual intervals, so many seconds, and so many times the long ones
near by is a pause: in a heart that fibrillates long intervals are usual."""
_NEAR = 8
"""What is usual near by is the median of so many intervals before and after."""

Windows = NDArray[np.float32]
Masks = NDArray[np.bool_]


def window_samples(given: RecordingInput) -> tuple[int, int]:
    """How many samples a window has before the peak, and in all.

    >>> window_samples(RecordingInput(leads=1, preferred=(), rate_hz=180.0, before_s=0.4,
    ...     after_s=0.6, beats_around=8, alarm_beats=3, min_length_s=10.0))
    (72, 180)
    """
    before = round(given.before_s * given.rate_hz)
    return before, before + round(given.after_s * given.rate_hz)


def channels(given: RecordingInput) -> int:
    """How many rows the network sees of each beat."""
    return 2 * given.leads + 1


def chosen_leads(recording: Recording, *, given: RecordingInput) -> tuple[int, ...]:
    """The rows of the recording that the network sees: preferred ones first, then the others.

    Leads that show nothing, or nothing for most of the time, come last, so that a lead that fell
    off is not taken for the heart.
    """
    order = [recording.leads.index(name) for name in given.preferred if name in recording.leads]
    rest = [row for row in range(len(recording.leads)) if row not in order]
    seen = [*order, *rest]
    dead = {row for row in seen if float(np.ptp(recording.signal[row])) == 0.0}
    dead |= {row for row in seen if recording.silent_share(row) > _MOSTLY}
    return tuple(sorted(seen, key=lambda row: row in dead)[: given.leads])


def shown_beats(
    recording: Recording, *, given: RecordingInput, at_s: NDArray[np.float64]
) -> Iterator[Windows]:
    """The beats at `at_s`, in order, as float32 [n, C, T], a stretch of the recording at a time."""
    leads = prepared_leads(recording, given=given)
    between_s = intervals(at_s, silent_s=silent_s(recording))
    waits_s = waits(between_s)
    for first, last in stretches(at_s, length_s=BLOCK_S):
        windows, masks = windows_at(leads, given=given, at_s=at_s[first:last])
        typical = typical_beat(windows, waits_s[first:last], masks, given=given)
        rhythm = rhythm_rows(between_s, first=first, last=last, given=given)
        yield joined(*without_silence(windows, typical, masks, given=given), rhythm)


@dataclass(frozen=True, kw_only=True, eq=False)
class Prepared:
    """The leads that the network sees, at the pack's rate and without the wander of their line."""

    signal: Windows
    """[leads, T]"""
    silent: Masks | None
    """[leads, T]: where each shows nothing; None where all of it shows something."""


def prepared_leads(recording: Recording, *, given: RecordingInput) -> Prepared:
    """The chosen leads at the pack's rate, without the wander of their baseline."""
    chosen = [
        lead_at(recording, row, to_hz=given.rate_hz) for row in chosen_leads(recording, given=given)
    ]
    rows = [_level(lead, rate_hz=given.rate_hz) for lead, _ in chosen]
    rows += [np.zeros_like(rows[0])] * (given.leads - len(rows))
    if all(mask is None for _, mask in chosen):
        return Prepared(signal=np.stack(rows), silent=None)
    silent = np.zeros((given.leads, len(rows[0])), bool)
    for row, (_, mask) in enumerate(chosen):
        if mask is not None:
            silent[row] = mask
    return Prepared(signal=np.where(silent, 0.0, np.stack(rows)).astype(np.float32), silent=silent)


def stretches(at_s: NDArray[np.float64], *, length_s: float) -> list[tuple[int, int]]:
    """Where beats are parted into stretches of about `length_s`, none of them much shorter.

    >>> stretches(np.arange(0.0, 100.0), length_s=40.0)
    [(0, 50), (50, 100)]
    """
    if not len(at_s):
        return []
    whole_s = float(at_s[-1] - at_s[0])
    count = max(1, int(whole_s / length_s))
    edges = at_s[0] + whole_s / count * np.arange(1, count)
    cuts = [0, *np.searchsorted(at_s, edges).tolist(), len(at_s)]
    return [(a, b) for a, b in pairwise(cuts) if b > a]


def windows_at(
    leads: Prepared, *, given: RecordingInput, at_s: NDArray[np.float64]
) -> tuple[Windows, Masks | None]:
    """The windows [n, leads, T] round each moment, and where in them a lead shows nothing.

    Beyond the ends of the recording they are zero.
    """
    before, length = window_samples(given)
    size = leads.signal.shape[1]
    starts = np.clip(np.round(at_s * given.rate_hz).astype(np.int64), 0, size)
    places = starts[:, None] + np.arange(length)

    def cut(rows: NDArray[Any]) -> NDArray[Any]:
        padded = np.pad(rows, ((0, 0), (before, length)))
        return np.ascontiguousarray(padded[:, places].transpose(1, 0, 2))

    masks = None if leads.silent is None else cut(leads.silent)
    # Where even the P wave is cut off the rest cannot stand for the beat; what comes after it can.
    beyond = places < before
    beyond[at_s >= _P_WAVE_S] = False
    if beyond.any():
        masks = beyond[:, None] if masks is None else masks | beyond[:, None]
        masks = np.broadcast_to(masks, (len(at_s), given.leads, length))
    return cut(leads.signal), masks if masks is not None and masks.any() else None


def intervals(at_s: NDArray[np.float64], *, silent_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """The seconds from each beat to the next [B - 1]; where the next one is not known, as many as
    are usual near by.

    It is not known across what was not measured, nor across a pause: a beat beside one is judged
    as the first and the last of a recording are, without the neighbour that is missing.

    >>> intervals(np.array([0, 1, 2, 7, 8.0]), silent_s=np.array([[2.5, 6.5]])).tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    between = np.diff(at_s)
    if not len(between):
        return between
    # The first stretch that ends behind a beat lies before the next one, or does not count.
    following = np.searchsorted(silent_s[:, 1], at_s[:-1])
    begins = np.append(silent_s[:, 0], np.inf)[following]
    unknown = begins < at_s[1:]
    around = np.where(unknown, np.nan, between)
    padded = np.pad(around, _NEAR, constant_values=np.nan)
    for place in np.flatnonzero(unknown | (between > _PAUSE_S)).tolist():
        near = np.delete(padded[place : place + 2 * _NEAR + 1], _NEAR)
        near = near[np.isfinite(near)]
        if not len(near):
            near = np.ones(1)
        usual, long_s = float(np.median(near)), float(np.quantile(near, _LONG))
        if unknown[place] or between[place] > max(_PAUSE * usual, _PAUSE_OF_LONG * long_s):
            between[place] = usual
    return between


def waits(intervals_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """How many seconds after the one before each beat came; the first one 0.

    >>> waits(np.array([0.5, 1.0]))
    array([0. , 0.5, 1. ])
    """
    return np.concatenate([np.zeros(1), intervals_s])


def typical_beat(
    windows: Windows,
    waits_s: NDArray[np.float64],
    masks: Masks | None = None,
    *,
    given: RecordingInput,
) -> Windows:
    """The beat [leads, T] that is normal for a stretch, from its beats' windows [n, leads, T],
    `waits` [n], and where in the windows a lead shows nothing.

    It is the median of those most alike. Where a tenth of these waited much longer than most, most
    may be premature: then it is the median of that tenth, in stretches of three quarters of a
    minute or more.
    """
    telling = float(waits_s.sum()) >= _TELLING_S
    telling_beats = _whole(windows, masks, given=given)
    places = np.linspace(0, len(telling_beats) - 1, min(len(telling_beats), _TYPICAL_OF))
    places = telling_beats[places.astype(int)]
    some, waits_s = windows[places], waits_s[places]
    before, _ = window_samples(given)
    near = round(0.12 * given.rate_hz)
    shapes = some[:, :, max(0, before - near) : before + near].reshape(len(some), -1)
    shapes = shapes - shapes.mean(1, keepdims=True)
    shapes = shapes / np.maximum(np.linalg.norm(shapes, axis=1, keepdims=True), 1e-6)
    alike = shapes @ shapes.T > _ALIKE
    best = int(alike.sum(1).argmax())
    kept = alike[best] if alike[best].any() else np.ones(len(some), bool)
    long_s = float(np.quantile(waits_s[kept], _RESTED))
    if telling and long_s > _EARLY * float(np.median(waits_s[kept])):
        kept = kept & (waits_s >= long_s)
    if masks is None:
        return np.asarray(np.median(some[kept], axis=0), np.float32)
    return _median(some[kept], masks[places][kept])


def _whole(windows: Windows, masks: Masks | None, *, given: RecordingInput) -> NDArray[np.int64]:
    """Beats whose every lead shows something round the peak, where there are enough of them."""
    every = np.arange(len(windows))
    if masks is None:
        return every
    whole = every[~core(masks, given=given).any(1)]
    return whole if len(whole) >= max(3, len(windows) // 10) else every


def _median(windows: Windows, masks: Masks) -> Windows:
    """The median of what is measured; zero where nothing is."""
    measured = np.where(masks, np.nan, windows)
    measured[:, masks.all(0)] = 0.0
    return np.asarray(np.nanmedian(measured, axis=0), np.float32)


def core(masks: Masks, *, given: RecordingInput) -> NDArray[np.bool_]:
    """Of which beats' leads [n, leads] part of the QRS complex is not measured."""
    before, _ = window_samples(given)
    near = round(_CORE_S * given.rate_hz)
    return np.asarray(masks[:, :, max(0, before - near) : before + near].any(2))


def without_silence(
    windows: Windows, typical: Windows, masks: Masks | None, *, given: RecordingInput
) -> tuple[Windows, Windows]:
    """Windows and their typical beats in which what was not measured speaks for nothing.

    A lead without the QRS complex is not there, in neither, where another has it; else the typical
    beat stands where nothing was measured.
    """
    if masks is None:
        return windows, typical
    gone = core(masks, given=given)[:, :, None]
    gone = gone & ~gone.all(1, keepdims=True)
    filled = np.where(masks, typical, windows)
    own = np.broadcast_to(typical, windows.shape)
    return (
        np.where(gone, 0.0, filled).astype(np.float32),
        np.where(gone, 0.0, own).astype(np.float32),
    )


def rhythm_rows(
    intervals_s: NDArray[np.float64], *, first: int, last: int, given: RecordingInput
) -> NDArray[np.float32]:
    """What the network knows of when beats came, [last - first, 2 * beats_around + 4].

    The intervals before each beat, oldest first, and those after it, in seconds; then the mean, the
    median, and the tenth and ninetieth hundredth of the stretch's intervals. Where there is no
    further beat the median stands.
    """
    around = given.beats_around
    own = intervals_s[max(0, first - 1) : last]
    own = np.clip(own, 0.0, _LONGEST_S) if len(own) else np.array([1.0])
    usual = float(np.median(own))
    stretch = [float(own.mean()), usual, *np.quantile(own, [0.1, 0.9]).tolist()]
    gaps = np.clip(intervals_s, 0.0, _LONGEST_S)
    padded = np.concatenate([np.full(around, usual), gaps, np.full(around, usual)])
    places = np.arange(first, last)[:, None] + np.arange(2 * around)
    rows = np.concatenate([padded[places], np.tile(stretch, (last - first, 1))], 1)
    return np.asarray(rows, np.float32)


def joined(windows: Windows, typical: Windows, rhythm: NDArray[np.float32]) -> Windows:
    """Windows [n, leads, T], a typical beat [leads, T] for all or [n, leads, T] for each, and
    rhythm [n, R], as input [n, C, T]."""
    count, leads, length = windows.shape
    out = np.zeros((count, 2 * leads + 1, length), np.float32)
    out[:, :leads] = windows
    out[:, leads : 2 * leads] = typical
    out[:, -1, : rhythm.shape[1]] = rhythm
    return out


def _level(lead: NDArray[np.float32], *, rate_hz: float) -> NDArray[np.float32]:
    width = max(3, round(_WANDER_S * rate_hz))
    return lead - moving_mean(moving_mean(lead, width), width)

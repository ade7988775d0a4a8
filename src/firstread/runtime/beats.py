"""Each beat of a recording as a pack's `[recording]` wants it: training and reading do the same.

The channels of one beat, all of the same length: for each lead the window round the beat's peak;
for each lead the recording's typical beat in the same window; and one row whose first numbers
tell the rhythm. What a beat is shows in how it differs from its own patient's beats, and in when
it came.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from firstread.packs import RecordingInput
from firstread.recordings import Recording
from firstread.recordings.resample import moving_mean, resampled

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

Windows = NDArray[np.float32]


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

    Leads that show nothing come last, so that a lead that fell off is not taken for the heart.
    """
    order = [recording.leads.index(name) for name in given.preferred if name in recording.leads]
    rest = [row for row in range(len(recording.leads)) if row not in order]
    seen = [*order, *rest]
    dead = {row for row in seen if float(np.ptp(recording.signal[row])) == 0.0}
    return tuple(sorted(seen, key=lambda row: row in dead)[: given.leads])


def shown_beats(
    recording: Recording, *, given: RecordingInput, at_s: NDArray[np.float64]
) -> Iterator[Windows]:
    """The beats at `at_s`, in order, as float32 [n, C, T], a stretch of the recording at a time."""
    leads = prepared_leads(recording, given=given)
    waits_s = waits(at_s)
    for first, last in stretches(at_s, length_s=BLOCK_S):
        windows = windows_at(leads, given=given, at_s=at_s[first:last])
        typical = typical_beat(windows, waits_s[first:last], given=given)
        rhythm = rhythm_rows(at_s, first=first, last=last, given=given)
        yield joined(windows, typical, rhythm)


def prepared_leads(recording: Recording, *, given: RecordingInput) -> Windows:
    """The chosen leads at the pack's rate, without the wander of their baseline: [leads, T]."""
    rows = [
        _level(
            resampled(recording.signal[row], rate_hz=recording.rate_hz, to_hz=given.rate_hz),
            rate_hz=given.rate_hz,
        )
        for row in chosen_leads(recording, given=given)
    ]
    rows += [np.zeros_like(rows[0])] * (given.leads - len(rows))
    return np.stack(rows)


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


def windows_at(leads: Windows, *, given: RecordingInput, at_s: NDArray[np.float64]) -> Windows:
    """The windows [n, leads, T] round each moment; beyond the ends of the recording zero."""
    before, length = window_samples(given)
    padded = np.pad(leads, ((0, 0), (before, length)))
    starts = np.round(at_s * given.rate_hz).astype(np.int64)
    starts = np.clip(starts, 0, leads.shape[1])
    places = starts[:, None] + np.arange(length)
    return np.ascontiguousarray(padded[:, places].transpose(1, 0, 2))


def waits(at_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """How many seconds after the one before each beat came; the first one 0.

    >>> waits(np.array([2.0, 2.5, 3.5]))
    array([0. , 0.5, 1. ])
    """
    return np.diff(at_s, prepend=at_s[:1])


def typical_beat(
    windows: Windows, waits_s: NDArray[np.float64], *, given: RecordingInput
) -> Windows:
    """The beat [leads, T] that is normal for a stretch, from its beats' windows [n, leads, T] and
    `waits` [n].

    It is the median of those most alike. Where a tenth of these waited much longer than most, most
    may be premature: then it is the median of that tenth, in stretches of three quarters of a
    minute or more.
    """
    telling = float(waits_s.sum()) >= _TELLING_S
    places = np.linspace(0, len(windows) - 1, min(len(windows), _TYPICAL_OF)).astype(int)
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
    return np.asarray(np.median(some[kept], axis=0), np.float32)


def rhythm_rows(
    at_s: NDArray[np.float64], *, first: int, last: int, given: RecordingInput
) -> NDArray[np.float32]:
    """What the network knows of when beats came, [last - first, 2 * beats_around + 4].

    The intervals before each beat, oldest first, and those after it, in seconds; then the mean, the
    median, and the tenth and ninetieth hundredth of the stretch's intervals. Where there is no
    further beat the median stands.
    """
    around = given.beats_around
    own = np.diff(at_s[max(0, first - 1) : last + 1])
    own = np.clip(own, 0.0, _LONGEST_S) if len(own) else np.array([1.0])
    usual = float(np.median(own))
    stretch = [float(own.mean()), usual, *np.quantile(own, [0.1, 0.9]).tolist()]
    gaps = np.clip(np.diff(at_s), 0.0, _LONGEST_S)
    padded = np.concatenate([np.full(around, usual), gaps, np.full(around, usual)])
    places = np.arange(first, last)[:, None] + np.arange(2 * around)
    rows = np.concatenate([padded[places], np.tile(stretch, (last - first, 1))], 1)
    return np.asarray(rows, np.float32)


def joined(windows: Windows, typical: Windows, rhythm: NDArray[np.float32]) -> Windows:
    """Windows [n, leads, T], a typical beat [leads, T] and rhythm [n, R] as input [n, C, T]."""
    count, leads, length = windows.shape
    out = np.zeros((count, 2 * leads + 1, length), np.float32)
    out[:, :leads] = windows
    out[:, leads : 2 * leads] = typical
    out[:, -1, : rhythm.shape[1]] = rhythm
    return out


def _level(lead: NDArray[np.float32], *, rate_hz: float) -> NDArray[np.float32]:
    width = max(3, round(_WANDER_S * rate_hz))
    return lead - moving_mean(moving_mean(lead, width), width)

"""A stretch of a recording drawn on ECG paper, as SVG: for a page without scripts, a thumbnail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

MM_PER_S = 25.0
"""The paper's usual speed."""
GAINS_MM_PER_MV = (10.0, 5.0, 2.5)
"""The paper's usual gain, and those at which a signal is drawn that is too tall for its row."""
POINTS_PER_MM = 4
"""So many columns are drawn to a millimetre; each holds its lowest and highest value."""
BAND_MM = 6.0
"""Above the first lead: the letters of the beats."""
_ROW_MM = (14.0, 40.0)
_LIGHT = {
    "paper": "#fffaf8",
    "fine": "#f8dfda",
    "bold": "#eebbb2",
    "line": "#171b1c",
    "quiet": "#6b5a57",
}
_DARK = {
    "paper": "#17110f",
    "fine": "#2a1c1a",
    "bold": "#4a2f2b",
    "line": "#f2ebe9",
    "quiet": "#b3a09c",
}
TONES = {
    "quiet": (_LIGHT["quiet"], _DARK["quiet"]),
    "caution": ("#7d5200", "#eabb62"),
    "alarm": ("#ad1f2d", "#ff8d8d"),
    "accent": ("#086170", "#63c6d3"),
    "other": ("#5b3f8f", "#c3a8f0"),
}
"""What a beat's letter may be coloured with, in the light and in the dark."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A beat on the paper: its letter, and how it is coloured."""

    at_s: float
    letter: str
    tone: str = "quiet"


@dataclass(frozen=True, kw_only=True)
class Row:
    """How tall each lead is drawn, and where in its row its line rests."""

    height_mm: float
    mm_per_mv: float
    middles_mv: tuple[float, ...] = ()
    """Of each lead, how far above its resting line the middle of what it draws lies."""


def row_of(signal_mv: NDArray[np.float32], *, rate_hz: float) -> Row:
    """The row that holds nearly all of a recording [C, T], with room above and below.

    Looks at ten seconds at a time, for a line that drifts is centred anew in each window.
    """
    length = max(1, int(10 * rate_hz))
    starts = np.linspace(0, max(0, signal_mv.shape[1] - length), 60).astype(int)
    windows = [signal_mv[:, start : start + length] for start in sorted(set(starts.tolist()))]
    drawn = np.array([_extent(window) for window in windows])  # [windows, C, low and high]
    span_mv = float(np.percentile((drawn[:, :, 1] - drawn[:, :, 0]).max(axis=1), 90))
    least, most = _ROW_MM
    fitting = [gain for gain in GAINS_MM_PER_MV if span_mv * gain <= most]
    mm_per_mv = fitting[0] if fitting else GAINS_MM_PER_MV[-1]
    return Row(
        height_mm=min(most, max(least, span_mv * mm_per_mv + 4.0)),
        mm_per_mv=mm_per_mv,
        middles_mv=tuple(np.median(drawn.mean(axis=2), axis=0).round(3).tolist()),
    )


def _extent(window: NDArray[np.float32]) -> NDArray[np.float64]:
    """How far each lead goes below and above its resting line [C, 2], but for rare outliers."""
    if not window.shape[1]:
        return np.zeros((len(window), 2))
    low, rests, high = np.percentile(window, (0.2, 50, 99.8), axis=1)
    return np.stack([low - rests, high - rests], axis=1)


def strip_svg(
    signal_mv: NDArray[np.float32],
    *,
    rate_hz: float,
    leads: Sequence[str],
    starts_s: float,
    row: Row,
    marks: Sequence[Mark] = (),
) -> str:
    """The signal [C, n] on paper, one lead under another, 25 mm a second; lengths are in mm."""
    width = max(10.0, signal_mv.shape[1] / rate_hz * MM_PER_S)
    height = BAND_MM + row.height_mm * max(1, len(signal_mv)) + 4.0
    parts = [_open(width, height), _grid(width, height)]
    for place, (name, lead) in enumerate(zip(leads, signal_mv, strict=True)):
        middle = BAND_MM + row.height_mm * (place + 0.5)
        rests_mm = middle + (row.middles_mv[place] if row.middles_mv else 0.0) * row.mm_per_mv
        parts.append(_lead(lead, rate_hz=rate_hz, middle_mm=rests_mm, row=row))
        parts.append(
            f'<text class="q" x="1.2" y="{middle - row.height_mm / 2 + 4:.1f}" font-size="3" '
            f'fill="{_LIGHT["quiet"]}">{escape(name)}</text>'
        )
    parts += [_mark(mark, starts_s=starts_s) for mark in marks]
    said = f"25 mm/s · {row.mm_per_mv:g} mm/mV · from {clock(starts_s)}"
    parts.append(
        f'<text class="q" x="{width - 1.2:.1f}" y="{height - 1.3:.1f}" font-size="2.8" '
        f'text-anchor="end" fill="{_LIGHT["quiet"]}">{said}</text></svg>'
    )
    return "".join(parts)


def thumbnail_svg(lead_mv: NDArray[np.float32], *, rate_hz: float) -> str:
    """One lead [n] in a square, its height stretched to fill it: a beat or two at a glance."""
    side = 40.0
    low, high = (float(lead_mv.min()), float(lead_mv.max())) if lead_mv.size else (0.0, 0.0)
    row = Row(height_mm=side, mm_per_mv=min(26.0, side * 0.72 / max(high - low, 1e-3)))
    seconds = max(lead_mv.shape[0] / rate_hz, 1e-3)
    line = _lead(
        lead_mv - (low + high) / 2,
        rate_hz=rate_hz,
        middle_mm=side / 2,
        row=row,
        mm_per_s=side / seconds,
        centred=True,
        stroke_mm=0.9,
    )
    return "".join([_open(side, side), _grid(side, side), line, "</svg>"])


def clock(at_s: float) -> str:
    """A moment of a recording as people read it.

    >>> clock(7.31), clock(754.0), clock(3754.96)
    ('0:07.3', '12:34.0', '1:02:34.9')
    """
    tenths = int(at_s * 10)
    minutes, left = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{left // 10:02}.{left % 10}"
    return f"{hours}:{minutes:02}:{seconds}" if hours else f"{minutes}:{seconds}"


def _open(width: float, height: float) -> str:
    # Colours stand in attributes as well: where a policy forbids styles it is drawn in the light.
    dark = "".join(
        [
            f".p{{fill:{_DARK['paper']}}}.f{{stroke:{_DARK['fine']}}}.b{{stroke:{_DARK['bold']}}}",
            f".l{{stroke:{_DARK['line']}}}.q{{fill:{_DARK['quiet']}}}",
            *(f".t-{tone}{{fill:{colours[1]}}}" for tone, colours in TONES.items()),
        ]
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.1f} {height:.1f}" '
        f'width="{width:.1f}mm" height="{height:.1f}mm" font-family="system-ui, sans-serif">'
        f"<style>@media (prefers-color-scheme: dark){{{dark}}}</style>"
    )


def _grid(width: float, height: float) -> str:
    def lines(step: float, weight: float, name: str, colour: str) -> str:
        across = "".join(f"M0 {y:g}H{width:.1f}" for y in np.arange(0, height, step).tolist())
        down = "".join(f"M{x:g} 0V{height:.1f}" for x in np.arange(0, width, step).tolist())
        return (
            f'<path class="{name}" d="{across}{down}" stroke="{colour}" stroke-width="{weight}"/>'
        )

    paper = f'<rect class="p" width="{width:.1f}" height="{height:.1f}" fill="{_LIGHT["paper"]}"/>'
    fine = lines(1, 0.12, "f", _LIGHT["fine"])
    return paper + fine + lines(5, 0.2, "b", _LIGHT["bold"])


def _lead(
    lead: NDArray[np.float32],
    *,
    rate_hz: float,
    middle_mm: float,
    row: Row,
    mm_per_s: float = MM_PER_S,
    centred: bool = False,
    stroke_mm: float = 0.3,
) -> str:
    rests_at = 0.0 if centred or not lead.size else float(np.median(lead))
    y = middle_mm - (lead - rests_at) * row.mm_per_mv
    x = np.arange(len(lead)) / rate_hz * mm_per_s
    step = max(1, int(rate_hz / mm_per_s / POINTS_PER_MM))
    points = []
    for start in range(0, len(lead), step):
        column = y[start : start + step]
        ends = sorted({int(column.argmin()), int(column.argmax())})
        points += [f"{x[start + at]:.2f} {column[at]:.2f}" for at in ends]
    path = f"M{'L'.join(points)}" if points else ""
    return (
        f'<path class="l" d="{path}" fill="none" stroke="{_LIGHT["line"]}" '
        f'stroke-width="{stroke_mm}" stroke-linejoin="round"/>'
    )


def _mark(mark: Mark, *, starts_s: float) -> str:
    tone = mark.tone if mark.tone in TONES else "quiet"
    x = (mark.at_s - starts_s) * MM_PER_S
    weight = "500" if tone == "quiet" else "700"
    return (
        f'<text class="t-{tone}" x="{x:.2f}" y="4.4" font-size="3.4" text-anchor="middle" '
        f'font-weight="{weight}" fill="{TONES[tone][0]}">{escape(mark.letter)}</text>'
    )

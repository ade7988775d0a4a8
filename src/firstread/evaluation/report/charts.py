"""Charts as SVG text that takes its colours from the page: curves, and differences with intervals.

matplotlib draws them for packs; a report is made on the lean install, which has none, and its
charts must follow a dark page and a phone's width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 420, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 12, 10, 44
_MOST_POINTS = 400
"""Of a curve; more would only make the page heavy."""
_LETTER = 7
"""So wide a letter may be, of the 12 pixels in which a chart is lettered."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Trace:
    """One line of a chart, or single points with what they may be off by."""

    name: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    low: NDArray[np.float64] | None = None
    high: NDArray[np.float64] | None = None
    dots: bool = False
    steps: bool = False
    """Each value holds from the point before on, as precision does."""
    faint: bool = False


@dataclass(frozen=True, kw_only=True)
class Axis:
    """What an axis shows, from where to where."""

    title: str
    low: float = 0.0
    high: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of a table of differences."""

    name: str
    value: float
    low: float
    high: float


def chart(
    traces: Sequence[Trace], *, across: Axis, up: Axis, title: str, diagonal: str = ""
) -> str:
    """An SVG element; `diagonal` is '' or 'up' or 'down', a faint line from corner to corner.

    >>> half = Trace(name="a", x=np.array([0.0, 1.0]), y=np.array([0.0, 1.0]))
    >>> chart([half], across=Axis(title="x"), up=Axis(title="y"), title="t")[:4]
    '<svg'
    """
    parts = [_opened(WIDTH, HEIGHT, title=title), *_grid(across, up)]
    if diagonal:
        ends = (HEIGHT - _BOTTOM, _TOP) if diagonal == "up" else (_TOP, HEIGHT - _BOTTOM)
        parts.append(
            f'<line class="faint" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" '
            f'y1="{ends[0]}" y2="{ends[1]}"/>'
        )
    colour = 0
    for trace in traces:
        style = "faint" if trace.faint else f"c{colour % 8}"
        colour += not trace.faint
        parts += _dots(trace, across, up, style) if trace.dots else _curve(trace, across, up, style)
    parts.append(f'</svg><p class="caption">{escape(title)}</p>')
    return "".join(parts) + _legend(traces)


def forest(rows: Sequence[Row], *, title: str) -> str:
    """Differences with their intervals beside a line at nought; as wide as their names need, so
    that a phone scrolls it.
    """
    known = [each for each in rows if np.isfinite([each.low, each.high]).all()]
    reach = max((max(abs(each.low), abs(each.high)) for each in known), default=0.0) or 0.01
    told = [f"{each.value:+.3f} ({each.low:+.3f} to {each.high:+.3f})" for each in known]
    named = _LETTER * max((len(each.name) for each in known), default=0)
    middle, scale, tall = named + 140, 120 / reach, 26 * len(known) + 34
    wide = named + 280 + _LETTER * max(map(len, told), default=0)
    parts = [
        f'<div class="scroll forest"><p class="caption">{escape(title)}</p>',
        _opened(wide, tall, title=title),
        f'<line class="faint" x1="{middle}" x2="{middle}" y1="4" y2="{tall - 24}"/>',
    ]
    for place, (each, words) in enumerate(zip(known, told, strict=True)):
        y = 18 + 26 * place
        low, at, high = (middle + scale * e for e in (each.low, each.value, each.high))
        parts.append(
            f'<text x="{named}" y="{y + 4}" text-anchor="end">{escape(each.name)}</text>'
            f'<line class="c0" x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}"/>'
            f'<circle class="c0 dot" cx="{at:.1f}" cy="{y}" r="4"/>'
            f'<text x="{named + 280}" y="{y + 4}">{words}</text>'
        )
    parts += [
        f'<text class="tick" x="{middle + scale * at:.1f}" y="{tall - 6}" text-anchor="middle">'
        f"{at:+.2f}</text>"
        for at in (-reach, 0.0, reach)
    ]
    return "".join([*parts, "</svg></div>"])


def _opened(width: int, height: int, *, title: str) -> str:
    return (
        f'<svg class="chart" style="max-width: {width * 1.25:.0f}px" '
        f'viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>"
    )


def _x(value: float, axis: Axis) -> float:
    inside = min(max((value - axis.low) / (axis.high - axis.low), 0.0), 1.0)
    return _LEFT + inside * (WIDTH - _LEFT - _RIGHT)


def _y(value: float, axis: Axis) -> float:
    inside = min(max((value - axis.low) / (axis.high - axis.low), -0.02), 1.0)
    return HEIGHT - _BOTTOM - inside * (HEIGHT - _TOP - _BOTTOM)


def round_top(most: float) -> float:
    """The end of an axis of shares from 0 on which `most` fits and whose quarters are round.

    >>> round_top(0.42), round_top(0.013)
    (0.8, 0.02)
    """
    return next((top for top in (0.02, 0.04, 0.1, 0.2, 0.4, 0.8) if most <= top), 1.0)


def _grid(across: Axis, up: Axis) -> list[str]:
    parts = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        x_at = across.low + share * (across.high - across.low)
        y_at = up.low + share * (up.high - up.low)
        x, y = _x(x_at, across), _y(y_at, up)
        parts.append(
            f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{HEIGHT - _BOTTOM}"/>'
            f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="tick" x="{x:.1f}" y="{HEIGHT - _BOTTOM + 16}" text-anchor="middle">'
            f'{x_at:.3g}</text><text class="tick" x="{_LEFT - 6}" y="{y + 4:.1f}" '
            f'text-anchor="end">{y_at:.3g}</text>'
        )
    parts.append(
        f'<text x="{(_LEFT + WIDTH - _RIGHT) / 2}" y="{HEIGHT - 8}" text-anchor="middle">'
        f"{escape(across.title)}</text>"
        f'<text transform="translate(14 {(_TOP + HEIGHT - _BOTTOM) / 2}) rotate(-90)" '
        f'text-anchor="middle">{escape(up.title)}</text>'
    )
    return parts


def _curve(trace: Trace, across: Axis, up: Axis, style: str) -> list[str]:
    kept = np.isfinite(trace.x) & np.isfinite(trace.y)
    x, y = trace.x[kept], trace.y[kept]
    if len(x) > _MOST_POINTS:
        places = np.unique(np.linspace(0, len(x) - 1, _MOST_POINTS).round().astype(int))
        x, y = x[places], y[places]
    points = []
    for place, (one, other) in enumerate(zip(x, y, strict=True)):
        if trace.steps and place:
            points.append(f"{_x(x[place - 1], across):.1f},{_y(other, up):.1f}")
        points.append(f"{_x(one, across):.1f},{_y(other, up):.1f}")
    return [f'<polyline class="{style}" points="{" ".join(points)}"/>']


def _dots(trace: Trace, across: Axis, up: Axis, style: str) -> list[str]:
    parts = []
    for place, (x, y) in enumerate(zip(trace.x, trace.y, strict=True)):
        at = f"{_x(x, across):.1f}"
        if trace.low is not None and trace.high is not None:
            ends = (_y(float(trace.low[place]), up), _y(float(trace.high[place]), up))
            parts.append(
                f'<line class="{style}" x1="{at}" x2="{at}" y1="{ends[0]:.1f}" y2="{ends[1]:.1f}"/>'
            )
        parts.append(f'<circle class="{style} dot" cx="{at}" cy="{_y(y, up):.1f}" r="4"/>')
    return parts


def _legend(traces: Sequence[Trace]) -> str:
    named, colour = [], 0
    for trace in traces:
        style = "faint" if trace.faint else f"c{colour % 8}"
        colour += not trace.faint
        if trace.name:
            named.append(f'<li><span class="key {style}"></span>{escape(trace.name)}</li>')
    return f'<ul class="legend">{"".join(named)}</ul>' if len(named) > 1 else ""

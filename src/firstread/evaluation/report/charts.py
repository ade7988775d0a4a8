"""Charts as SVG: on a page they take its colours and its width, in a file they bring their own."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 420, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 12, 10, 44
_MOST_POINTS = 400
"""Of a curve; more would only make the page heavy."""
_LETTER = 7
"""So wide a letter may be, of the 12 pixels in which a chart is lettered."""
_TITLE, _LINE = 26, 18
"""So high a file's title is, and each line of its legend."""
_NAMED_CELL = 14
"""A cell of a matrix that is smaller holds no number."""
COLOURS = 8


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
    colour: int | None = None
    """None: the next one."""
    marked: tuple[float, float] | None = None
    """A point of the line that is shown."""


@dataclass(frozen=True, kw_only=True)
class Axis:
    """What an axis shows, from where to where."""

    title: str
    low: float = 0.0
    high: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of a table of values with their intervals."""

    name: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A chart: what it shows, and what each of its lines is called."""

    title: str
    width: float
    height: float
    inside: str
    legend: tuple[tuple[str, str], ...] = ()
    """Style and name of each line."""

    def on_page(self) -> str:
        """An SVG element with its caption and its legend."""
        title = escape(self.title)
        named = "".join(
            f'<li><span class="key {style}"></span>{escape(name)}</li>'
            for style, name in self.legend
        )
        return (
            f'<svg class="chart" style="max-width: {self.width * 1.25:.0f}px" '
            f'viewBox="0 0 {self.width:.0f} {self.height:.0f}" role="img" aria-label="{title}">'
            f'<title>{title}</title>{self.inside}</svg><p class="caption">{title}</p>'
            + (f'<ul class="legend">{named}</ul>' if named else "")
        )


def as_file(*drawings: Drawing) -> str:
    """A whole SVG file, the drawings abreast on paper of their own: a dark page shows it as well.

    The same drawings give the same bytes: a pack that is made again has the same checksums.
    """
    parts, across = [], 0.0
    tall = max(each.height + _TITLE + _LINE * len(each.legend) for each in drawings) + _LINE / 2
    for each in drawings:
        parts.append(
            f'<g transform="translate({across:.0f} 0)"><text class="title" x="12" y="18">'
            f'{escape(each.title)}</text><g transform="translate(0 {_TITLE})">{each.inside}</g>'
        )
        for place, (style, name) in enumerate(each.legend, start=1):
            y = _TITLE + each.height + _LINE * place - 4
            parts.append(
                _line(style, (12, 32), (y - 4, y - 4))
                + f'<text x="38" y="{y}">{escape(name)}</text>'
            )
        parts.append("</g>")
        across += max(each.width, _LETTER * (len(each.title) + 4))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{across:.0f}" height="{tall:.0f}" '
        f'viewBox="0 0 {across:.0f} {tall:.0f}" font-family="Arial, Helvetica, sans-serif">'
        f'<style>{_plain(style_sheet())}</style><rect class="paper" width="100%" height="100%"/>'
        f"{''.join(parts)}</svg>\n"
    )


def style_sheet() -> str:
    """How charts look on a page, which may give the colours of `:root` other values."""
    numbered = "".join(
        f"svg .c{n} {{ stroke: var(--c{n}); }} svg .c{n}.dot {{ fill: var(--c{n}); }}\n"
        for n in range(COLOURS)
    )
    return (Path(__file__).parent / "charts.css").read_text(encoding="utf-8") + numbered


def _plain(style: str) -> str:
    """The style with its colours in their places: not everything that shows SVG knows variables."""
    colours = dict(re.findall(r"--(\w+): ([^;]+);", style))
    rules = style[style.index("}") + 1 :]
    return re.sub(r"var\(--(\w+)\)", lambda named: colours[named[1]], rules)


def chart(traces: Sequence[Trace], *, across: Axis, up: Axis, title: str) -> Drawing:
    """Lines and points over two axes.

    >>> half = Trace(name="a", x=np.array([0.0, 1.0]), y=np.array([0.0, 1.0]))
    >>> chart([half], across=Axis(title="x"), up=Axis(title="y"), title="t").on_page()[:4]
    '<svg'
    """
    parts, named, following = _grid(across, up), [], 0
    for trace in traces:
        colour = following if trace.colour is None else trace.colour
        following += not trace.faint
        style = "faint" if trace.faint else f"c{colour % COLOURS}"
        parts += _dots(trace, across, up, style) if trace.dots else _curve(trace, across, up, style)
        if trace.name:
            named.append((style, trace.name))
    inside = "".join(parts)
    return Drawing(title=title, width=WIDTH, height=HEIGHT, inside=inside, legend=tuple(named))


def forest(rows: Sequence[Row], *, title: str, span: tuple[float, float], mark: float) -> Drawing:
    """Values with their intervals from one end of `span` to the other, beside a line at `mark`; as
    wide as names and values need."""
    known = [each for each in rows if np.isfinite([each.low, each.high]).all()]
    sign = "+.3f" if span[0] < 0 else ".3f"
    told = [f"{each.value:{sign}} ({each.low:{sign}} to {each.high:{sign}})" for each in known]
    named = _LETTER * max((len(each.name) for each in known), default=0)
    first, tall = named + 20, 26 * len(known) + 34

    def x(value: float) -> float:
        return first + 240 * (value - span[0]) / (span[1] - span[0])

    parts = [_line("faint", (x(mark), x(mark)), (4, tall - 24))]
    for place, (each, words) in enumerate(zip(known, told, strict=True)):
        y = 18 + 26 * place
        parts.append(
            f'<text x="{named}" y="{y + 4}" text-anchor="end">{escape(each.name)}</text>'
            + _line("c0", (x(each.low), x(each.high)), (y, y))
            + _dot("c0", x(each.value), y)
            + f'<text x="{first + 260}" y="{y + 4}">{words}</text>'
        )
    parts += [_tick(x(at), tall - 6, f"{at:{sign[:-2]}2f}", "middle") for at in span]
    if all(abs(x(mark) - x(end)) > 6 * _LETTER for end in span):
        parts.append(_tick(x(mark), tall - 6, f"{mark:{sign[:-2]}2f}", "middle"))
    wide = first + 260 + _LETTER * max(map(len, told), default=0)
    return Drawing(title=title, width=wide, height=tall, inside="".join(parts))


def matrix(counts: NDArray[np.int64], *, names: Sequence[str], title: str) -> Drawing:
    """Counts [K, K], a row for each true label, a column for each label read, darker where more of
    the row stand."""
    side = min(44.0, max(4.0, 330 / len(names)))
    margin = min(180, _LETTER * max(map(len, names)) + 8) + 20
    edge = margin + side * len(names)
    parts = []
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    for row, column in zip(*np.nonzero(counts), strict=True):
        share = float(shares[row, column])
        x, y = margin + side * column, 10 + side * row
        parts.append(
            f'<rect class="heat" x="{x:.1f}" y="{y:.1f}" width="{side - 1:.1f}" '
            f'height="{side - 1:.1f}" fill-opacity="{share:.2f}"/>'
        )
        if side >= _NAMED_CELL:
            parts.append(
                f'<text class="{"on" if share > 0.5 else "off"}" x="{x + side / 2:.1f}" '
                f'y="{y + side / 2 + 4:.1f}" text-anchor="middle">{counts[row, column]}</text>'
            )
    bottom = 10 + side * len(names)
    for place, name in enumerate(names if side >= _NAMED_CELL else ()):
        middle = side * (place + 0.5)
        parts.append(
            f'<text x="{margin - 6}" y="{14 + middle:.1f}" text-anchor="end">{escape(name)}</text>'
            f'<text transform="translate({margin + middle:.1f} {bottom + 12:.1f}) rotate(-40)" '
            f'text-anchor="end">{escape(name)}</text>'
        )
    parts.append(_named_axes("read as", "truly", (margin, edge), (10, bottom), bottom + margin - 4))
    return Drawing(title=title, width=edge + 20, height=bottom + margin, inside="".join(parts))


def _line(style: str, x: tuple[float, float], y: tuple[float, float]) -> str:
    return (
        f'<line class="{style}" x1="{x[0]:.1f}" x2="{x[1]:.1f}" y1="{y[0]:.1f}" y2="{y[1]:.1f}"/>'
    )


def _dot(style: str, x: float, y: float) -> str:
    return f'<circle class="{style} dot" cx="{x:.1f}" cy="{y:.1f}" r="4"/>'


def _tick(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text class="tick" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{words}</text>'


def _named_axes(
    across: str, up: str, x: tuple[float, float], y: tuple[float, float], below: float
) -> str:
    return (
        f'<text x="{sum(x) / 2:.1f}" y="{below:.1f}" text-anchor="middle">{escape(across)}</text>'
        f'<text transform="translate(14 {sum(y) / 2:.1f}) rotate(-90)" text-anchor="middle">'
        f"{escape(up)}</text>"
    )


def _x(value: float, axis: Axis) -> float:
    inside = min(max((value - axis.low) / (axis.high - axis.low), 0.0), 1.0)
    return _LEFT + inside * (WIDTH - _LEFT - _RIGHT)


def _y(value: float, axis: Axis) -> float:
    inside = min(max((value - axis.low) / (axis.high - axis.low), -0.02), 1.0)
    return HEIGHT - _BOTTOM - inside * (HEIGHT - _TOP - _BOTTOM)


def round_top(most: float) -> float:
    """The end of an axis from 0 on which `most` fits and whose quarters are round.

    >>> round_top(0.42), round_top(0.013), round_top(0.9), round_top(2.3)
    (0.6, 0.02, 1.0, 2.4)
    """
    scale = 10.0 ** math.floor(math.log10(max(most, 0.01)))
    tops = (scale * step for step in (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10))
    return max(0.02, next(round(each, 9) for each in tops if most <= each * (1 + 1e-9)))


def _grid(across: Axis, up: Axis) -> list[str]:
    parts = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        x_at = across.low + share * (across.high - across.low)
        y_at = up.low + share * (up.high - up.low)
        x, y = _x(x_at, across), _y(y_at, up)
        parts += [
            _line("grid", (x, x), (_TOP, HEIGHT - _BOTTOM)),
            _line("grid", (_LEFT, WIDTH - _RIGHT), (y, y)),
            _tick(x, HEIGHT - _BOTTOM + 16, f"{x_at:.3g}", "middle"),
            _tick(_LEFT - 6, y + 4, f"{y_at:.3g}", "end"),
        ]
    ends = (_LEFT, WIDTH - _RIGHT), (_TOP, HEIGHT - _BOTTOM)
    parts.append(_named_axes(across.title, up.title, *ends, HEIGHT - 8))
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
    parts = [f'<polyline class="{style}" points="{" ".join(points)}"/>']
    if trace.marked is not None:
        parts.append(_dot(style, _x(trace.marked[0], across), _y(trace.marked[1], up)))
    return parts


def _dots(trace: Trace, across: Axis, up: Axis, style: str) -> list[str]:
    parts = []
    for place, (one, other) in enumerate(zip(trace.x, trace.y, strict=True)):
        x = _x(one, across)
        if trace.low is not None and trace.high is not None:
            ends = (_y(float(trace.low[place]), up), _y(float(trace.high[place]), up))
            parts.append(_line(style, (x, x), ends))
        parts.append(_dot(style, x, _y(other, up)))
    return parts

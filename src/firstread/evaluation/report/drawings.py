"""The drawings of a report and of a pack's card: what is drawn against what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from firstread.evaluation.calibration import Bin
from firstread.evaluation.compare import Comparison
from firstread.evaluation.evaluation import Evaluation
from firstread.evaluation.parts import risk_coverage
from firstread.evaluation.ranking import curve
from firstread.evaluation.report.charts import Axis, Drawing, Row, Trace, chart, forest, round_top
from firstread.evaluation.report.page import figure_name

_MOST_LABELS = 30
"""Of more labels than these neither the matrix nor the curves could be told apart."""
CURVES = 8
"""As many as there are colours: among more of them nobody finds one."""
_ALL_FOUND = 0.99


@dataclass(frozen=True, kw_only=True, eq=False)
class Scored:
    """A label or group, which samples [N] truly are it, and how probable that was said to be."""

    name: str
    true: NDArray[np.bool_]
    said: NDArray[np.float64]
    threshold: float | None = None
    """From where it raises an alarm, if it does."""


def scored(found: Evaluation) -> list[Scored]:
    """What raises an alarm; else every label."""
    codes = [each.code for each in found.alarms] or [e.label for e in found.labels if e.n]
    sides = [(code, *found.answers.of(code)) for code in codes[:CURVES]]
    return [Scored(name=code, true=true, said=said) for code, true, said in sides]


def confusion(found: Evaluation) -> str:
    """A row for each true label, a column for each answer, darker where more of the row stand."""
    if len(found.labels) > _MOST_LABELS:
        return ""
    names = [each.label for each in found.labels]
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    rows = []
    for name, row in zip(names, found.confusion, strict=True):
        total = max(1, sum(row))
        cells = "".join(
            '<td class="cell" style="background: color-mix(in srgb, var(--c0) '
            f'{75 * cell / total:.0f}%, transparent)">{cell or ""}</td>'
            for cell in row
        )
        rows.append(f"<tr><th>{escape(name)}</th>{cells}</tr>")
    return (
        f'<div class="scroll"><table><thead><tr><th>truly, read as</th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _diagonal(to: float = 1.0) -> Trace:
    return Trace(name="", x=np.array([0.0, to]), y=np.array([0.0, to]), faint=True)


def roc(given: Sequence[Scored]) -> list[Drawing]:
    """Sensitivity against the share of false alarms, as far as it rises; none of one side only."""
    traces, shown = [], 0.1
    for place, each in enumerate(given):
        if each.true.all() or not each.true.any():
            continue
        drawn = curve(each.true, each.said)
        x = np.concatenate([[0.0], 1 - drawn.specificity[0]])
        y = np.concatenate([[0.0], drawn.sensitivity[0]])
        shown = max(shown, float(x[y >= _ALL_FOUND][0]))
        marked = None
        if each.threshold is not None:
            alarm = each.said >= each.threshold
            marked = float(alarm[~each.true].mean()), float(alarm[each.true].mean())
            shown = max(shown, marked[0])
        name = f"{each.name}: AUC {drawn.area()[0]:.3f}"
        traces.append(Trace(name=name, x=x, y=y, colour=place, marked=marked))
    if not traces:
        return []
    top = round_top(shown)
    return [
        chart(
            [_diagonal(top), *traces],
            across=Axis(title="false alarms among the others", high=top),
            up=Axis(title="found (sensitivity)"),
            title="What finding more costs"
            + (" (dot: where the alarm is set)" if any(e.marked for e in traces) else ""),
        )
    ]


def precision(given: Sequence[Scored]) -> list[Drawing]:
    """Precision against sensitivity; faint what it is when everything is called so."""
    traces = []
    for place, each in enumerate(given):
        if not each.true.any():
            continue
        drawn = curve(each.true, each.said)
        x, y = drawn.sensitivity[0], drawn.found[0] / (drawn.found[0] + drawn.false[0])
        all_found = int(np.argmax(x >= 1 - 1e-12)) + 1  # beyond, only false alarms are added
        name = f"{each.name}: average precision {drawn.average_precision()[0]:.3f}"
        traces.append(Trace(name=name, x=x[:all_found], y=y[:all_found], steps=True, colour=place))
        flat = np.full(2, each.true.mean())
        traces.append(Trace(name="", x=np.array([0.0, 1.0]), y=flat, faint=True))
    if not traces:
        return []
    return [
        chart(
            traces,
            across=Axis(title="found (sensitivity)"),
            up=Axis(title="right among the alarms (PPV)"),
            title="How many alarms are right",
        )
    ]


def reliability(bins: Sequence[Bin], *, title: str) -> Drawing:
    """How often the most probable label was right against how probable it was said to be."""
    shares = [each.observed for each in bins]
    dots = Trace(
        name="",
        x=np.array([each.said for each in bins]),
        y=np.array([each.value for each in shares]),
        low=np.array([each.low for each in shares]),
        high=np.array([each.high for each in shares]),
        dots=True,
    )
    return chart(
        [_diagonal(), dots],
        across=Axis(title="probability that was said"),
        up=Axis(title="share that was right, 95 % interval"),
        title=title,
    )


def risk(found: Evaluation) -> Drawing:
    """The share read wrong among those kept, when the least sure are set aside first."""
    kept, wrong = risk_coverage(found.answers)
    return chart(
        [Trace(name="", x=kept, y=wrong)],
        across=Axis(title="share of samples kept"),
        up=Axis(title="share wrong among them", high=round_top(float(wrong.max()))),
        title="Mistakes among what is kept, the least sure set aside first",
    )


def decisions(found: Evaluation) -> list[Drawing]:
    """For each alarm the net benefit of acting on it, beside acting on all and on none."""
    drawn = []
    for each in found.alarms[:CURVES]:
        if not 0 < each.n < found.n:
            continue
        gain = each.benefit
        top = round_top(each.n / found.n)
        sensible = gain.of_all > -0.1 * top
        traces = [
            Trace(name=f"{each.code}: act on its probability", x=gain.thresholds, y=gain.of_pack),
            Trace(
                name="act on everyone",
                x=gain.thresholds[sensible],
                y=gain.of_all[sensible],
                faint=True,
            ),
        ]
        drawn.append(
            chart(
                traces,
                across=Axis(title="probability from which one would act"),
                up=Axis(title="net benefit a sample", high=top),
                title=f"Decision curve of {each.code}",
            )
        )
    return drawn


def differences(found: Comparison, first: str, second: str) -> Drawing:
    """Every figure of the second pack less the first's, with its interval."""
    rows = [
        Row(name=figure_name(name), value=each.value, low=each.low, high=each.high)
        for name, each in found.differences.items()
        if name not in ("mean_set_size", "log_loss")
    ]
    ends = [abs(end) for each in rows for end in (each.low, each.high) if np.isfinite(end)]
    reach = max(ends, default=0.0) or 0.01
    return forest(rows, title=f"{second} less {first}", span=(-reach, reach), mark=0.0)

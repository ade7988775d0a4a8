"""The charts of a report, each from an evaluation: what is drawn against what."""

from __future__ import annotations

from html import escape

import numpy as np

from firstread.evaluation.compare import Comparison
from firstread.evaluation.evaluation import Evaluation
from firstread.evaluation.parts import risk_coverage
from firstread.evaluation.ranking import curve
from firstread.evaluation.report.charts import Axis, Row, Trace, chart, forest, round_top
from firstread.evaluation.report.page import figure_name

_MOST_LABELS = 30
"""Of more labels than these neither the matrix nor the curves could be told apart."""
_CURVES = 8


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
            f'<td class="cell" style="background: rgba(var(--heat), {0.75 * cell / total:.2f})">'
            f"{cell or ''}</td>"
            for cell in row
        )
        rows.append(f"<tr><th>{escape(name)}</th>{cells}</tr>")
    return (
        f'<div class="scroll"><table><thead><tr><th>truly, read as</th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def roc(found: Evaluation) -> str:
    """Sensitivity against one less specificity, of what raises an alarm; else of every label."""
    traces = []
    for code in _shown(found):
        true, said = found.answers.of(code)
        if true.all() or not true.any():
            continue
        drawn = curve(true, said)
        x = np.concatenate([[0.0], 1 - drawn.specificity[0]])
        y = np.concatenate([[0.0], drawn.sensitivity[0]])
        traces.append(Trace(name=f"{code}, AUC {drawn.area()[0]:.3f}", x=x, y=y))
    if not traces:
        return ""
    return chart(
        traces,
        across=Axis(title="1 - specificity"),
        up=Axis(title="sensitivity"),
        title="ROC curves",
        diagonal="up",
    )


def precision(found: Evaluation) -> str:
    """Precision against sensitivity."""
    traces = []
    for code in _shown(found):
        true, said = found.answers.of(code)
        if not true.any():
            continue
        drawn = curve(true, said)
        y = drawn.found[0] / (drawn.found[0] + drawn.false[0])
        name = f"{code}, average precision {drawn.average_precision()[0]:.3f}"
        x = drawn.sensitivity[0]
        all_found = int(np.argmax(x >= 1 - 1e-12)) + 1  # beyond, only false alarms are added
        traces.append(Trace(name=name, x=x[:all_found], y=y[:all_found], steps=True))
    if not traces:
        return ""
    return chart(
        traces,
        across=Axis(title="sensitivity"),
        up=Axis(title="precision (PPV)"),
        title="Precision and recall",
    )


def reliability(found: Evaluation) -> str:
    """How often the most probable label was right against how probable it was said to be."""
    bins = found.reliability
    x = np.array([each.said for each in bins])
    shares = [each.observed for each in bins]
    dots = Trace(
        name="most probable label",
        x=x,
        y=np.array([each.value for each in shares]),
        low=np.array([each.low for each in shares]),
        high=np.array([each.high for each in shares]),
        dots=True,
    )
    return chart(
        [dots],
        across=Axis(title="probability that was said"),
        up=Axis(title="share that was right"),
        title=f"Reliability; calibration error {found.ece:.3f}",
        diagonal="up",
    )


def risk(found: Evaluation) -> str:
    """The share read wrong among those kept, when the least sure are set aside first."""
    kept, wrong = risk_coverage(found.answers)
    return chart(
        [Trace(name="the least sure set aside first", x=kept, y=wrong)],
        across=Axis(title="share of samples kept"),
        up=Axis(title="share wrong among them", high=round_top(float(wrong.max()))),
        title="Mistakes among what is kept",
    )


def decisions(found: Evaluation) -> list[str]:
    """For each alarm the net benefit of acting on it, beside acting on all and on none."""
    drawn = []
    for each in found.alarms[:_CURVES]:
        if not 0 < each.n < found.n:
            continue
        gain = each.benefit
        top = round_top(each.n / found.n)
        traces = [
            Trace(name=f"{each.code}: act on its probability", x=gain.thresholds, y=gain.of_pack),
            Trace(
                name="act on everyone",
                x=gain.thresholds[gain.of_all > -0.1 * top],
                y=gain.of_all[gain.of_all > -0.1 * top],
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


def differences(found: Comparison, first: str, second: str) -> str:
    """Every figure of the second pack less the first's, with its interval."""
    rows = [
        Row(name=figure_name(name), value=each.value, low=each.low, high=each.high)
        for name, each in found.differences.items()
        if name not in ("mean_set_size", "log_loss")
    ]
    return forest(rows, title=f"{second} less {first}")


def _shown(found: Evaluation) -> list[str]:
    codes = [each.code for each in found.alarms] or [e.label for e in found.labels if e.n]
    return codes[:_CURVES]

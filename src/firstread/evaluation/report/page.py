"""The frame of a report: one HTML page with its style inside, for screens, phones and paper."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from pathlib import Path

from firstread.evaluation.metrics import Share
from firstread.evaluation.report.charts import COLOURS, WIDTH, Drawing, style_sheet

NOTICE = "Decision support for research; a qualified person decides."
_KEYS = "".join(f".key.c{n} {{ background: var(--c{n}); }}\n" for n in range(COLOURS))


def page(title: str, parts: Sequence[str]) -> str:
    """The whole page; `parts` are HTML already."""
    own = (Path(__file__).parent / "report.css").read_text(encoding="utf-8")
    style = style_sheet() + own + _KEYS
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'; img-src data:\">"
        f"<title>{escape(title)}</title><style>{style}</style></head><body><main>"
        + "".join(parts)
        + f'<p class="quiet">{NOTICE}</p></main></body></html>\n'
    )


def section(title: str, *parts: str | Drawing) -> str:
    """A heading with what stands under it; nothing where there is nothing. Charts stand abreast,
    but for one that is wider than a phone, which is scrolled."""
    charts = [each for each in parts if isinstance(each, Drawing)]
    abreast = "".join(f"<div>{each.on_page()}</div>" for each in charts if each.width <= WIDTH)
    wide = [each.on_page() for each in charts if each.width > WIDTH]
    others = "".join(each for each in parts if isinstance(each, str))
    inside = f'<div class="charts">{abreast}</div>' if abreast else ""
    inside += "".join(f'<div class="scroll forest">{each}</div>' for each in wide) + others
    return f"<section><h2>{escape(title)}</h2>{inside}</section>" if inside else ""


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of texts, scrolled by itself where a phone is too narrow; '' without rows."""
    if not rows:
        return ""
    top = "".join(f"<th>{escape(each)}</th>" for each in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(each)}</td>" for each in row) + "</tr>" for row in rows
    )
    return (
        f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>'
        "</div>"
    )


_NAMES = {
    "auc": "AUC, mean",
    "average_precision": "average precision, mean",
    "brier": "Brier score",
    "ece": "calibration error",
    "ece_equal_mass": "calibration error, bins of equally many",
    "f1": "F1, mean",
    "kappa": "Cohen's kappa",
    "quadratic_kappa": "kappa, quadratic weights",
    "top_five_accuracy": "accuracy of the first five",
    "mcc": "Matthews' coefficient",
    "mean_set_size": "labels in a finding set",
}


def figure_name(key: str) -> str:
    """What a figure is called where people read it.

    >>> figure_name("f1"), figure_name("log_loss")
    ('F1, mean', 'log loss')
    """
    return _NAMES.get(key, key.replace("_", " "))


def share(given: Share, *, value: bool = True) -> str:
    """A figure with its interval in words.

    >>> share(Share(value=0.5, low=0.25, high=0.75)), share(Share(value=0.5, low=0.2, high=0.7),
    ...     value=False)
    ('0.500 (0.250 to 0.750)', '0.200 to 0.700')
    """
    if math.isnan(given.value):
        return "-"
    if math.isnan(given.low) or math.isnan(given.high):
        return f"{given.value:.3f}" if value else ""
    interval = f"{given.low:.3f} to {given.high:.3f}"
    return f"{given.value:.3f} ({interval})" if value else interval

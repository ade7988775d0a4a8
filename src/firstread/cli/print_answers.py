"""How answers are shown and what they add up to: one form for `classify` and `client`."""

from __future__ import annotations

import json
import math
import sys
from typing import TYPE_CHECKING, Any

from firstread.domain.foremost import FIRST, MANY

if TYPE_CHECKING:
    from firstread.evaluation import Share
    from firstread.evaluation.tally import Summary

_OUTCOME_WIDTH = len("false negative")
_SHOWN = 8
"""Labels of a finding set that one line names."""
_LEAST = 0.005
"""Of many labels the first five are named, down to this probability."""


def answer_as_json(answer: dict[str, Any], *, truth: str | None, outcome: str | None) -> str:
    """One JSON object; with what the sample truly shows where that is known."""
    told = answer
    if truth is not None:
        told = answer | {"truth": truth, "outcome": outcome}
    return json.dumps(told)


def answer_as_line(
    answer: dict[str, Any],
    *,
    width: int,
    labelled: bool,
    truth: str | None,
    outcome: str | None,
) -> str:
    """One line for a person, the name `width` signs wide; `labelled` keeps room for outcomes."""
    name = answer["path"] + (f":{answer['line']}" if "line" in answer else "")
    name = printable(name).ljust(width)
    if labelled:
        name = f"{name}  {outcome or '':<{_OUTCOME_WIDTH}}"
    if "error" in answer:
        return f"{name}  ERROR  {answer['error']}"
    words = _found(answer) if answer["label"] is not None else _not_found(answer)
    if truth is not None and truth not in (answer["label"], "positive", "negative"):
        words.append(f"truly {truth}")
    if "notes" in answer:
        words.append(f"({printable(' '.join(answer['notes']))})")
    return f"{name}  {'  '.join(words)}"


def _found(answer: dict[str, Any]) -> list[str]:
    words = [f"{answer['label']:<14} {answer['probability']:7.1%}"]
    words += _beats(answer) if "beats" in answer else _others(answer)
    if answer["alarms"]:
        words.append(f"ALARM {', '.join(answer['alarms'])}")
    if (verdict := answer.get("verdict")) is not None and not verdict["stands"]:
        words.append(printable(verdict["says"]))
    return words


def _not_found(answer: dict[str, Any]) -> list[str]:
    """Why no finding stands, where it would; then what the pack would have said, as such."""
    verdict = answer["verdict"]
    said = f"{verdict['says']}: {answer['unfit']}" if answer["unfit"] else f"{verdict['says']}."
    would = verdict["would_say"]
    if verdict["would_alarm"]:
        would += f", with an alarm of {', '.join(verdict['would_alarm'])}"
    return [printable(said), f"(would have said {printable(would)})"]


def _beats(answer: dict[str, Any]) -> list[str]:
    """How many beats of a recording have each label, and when the alarming ones are."""
    counts = {label: count for label, count in answer["counts"].items() if count}
    words = [f"{len(answer['beats'])} beats: {', '.join(f'{c} {n}' for c, n in counts.items())}"]
    for label in answer["alarms"]:
        times = [_clock(beat["at_s"]) for beat in answer["beats"] if beat["label"] == label]
        more = f" and {len(times) - _SHOWN} more" if len(times) > _SHOWN else ""
        words.append(f"{label} at {', '.join(times[:_SHOWN])}{more}")
    return words


def _clock(at_s: float) -> str:
    """A moment as hours, minutes and seconds.

    >>> _clock(75.25), _clock(7205.0)
    ('1:15.2', '2:00:05.0')
    """
    minutes, seconds = divmod(at_s, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{seconds:04.1f}" if hours else f"{minutes}:{seconds:04.1f}"


def _others(answer: dict[str, Any]) -> list[str]:
    """What else it may be: the finding set; where nothing is ruled out, what comes next of many."""
    others = [label for label in answer["finding_set"] if label != answer["label"]]
    if others:
        more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
        return [f"perhaps {', '.join(others[:_SHOWN])}{more}"]
    if answer["finding_set"] or len(answer["findings"]) <= MANY:
        return []
    following = [
        f"{each['label']} {each['probability']:.1%}"
        for each in answer["findings"][1:FIRST]
        if each["probability"] >= _LEAST
    ]
    return [f"then {', '.join(following)}"] if following else []


def printable(name: str) -> str:
    """The name as a terminal may show it: control signs would move its cursor."""
    return "".join(sign if sign.isprintable() else "?" for sign in name)


def summary_as_json(summary: Summary, *, truths: dict[str, int]) -> str:
    """The last JSON object of a run whose truths are known, under the key `summary`."""
    return json.dumps({"summary": summary.as_dict() | {"truths": truths}})


def summary_as_text(summary: Summary, *, truths: dict[str, int]) -> str:
    """The figures of a run: as a table where a person watches, else in plain lines."""
    told = _about(summary, truths=truths)
    rows = _rows(summary)
    if sys.stdout.isatty():
        return f"\n{told}\n{_drawn(rows)}"
    width = max(len(name) for name, _, _ in rows)
    lines = [
        f"{name.ljust(width)}  {value:>6}  {interval}".rstrip() for name, value, interval in rows
    ]
    return "\n".join(["", told, "", *lines])


def _about(summary: Summary, *, truths: dict[str, int]) -> str:
    known = ", ".join(f"{count} from {source}" for source, count in truths.items())
    lines = [f"What samples truly show: {known}."]
    if summary.rule:
        lines.append(f"Positive: {summary.rule}.")
    left_out = [
        f"{count} {why}"
        for count, why in (
            (summary.unread, "could not be read"),
            (summary.unlabelled, "without a known label"),
        )
        if count
    ]
    if left_out:
        lines.append(f"Not counted: {', '.join(left_out)}.")
    if summary.doubtful:
        why = ", ".join(f"{count} {why}" for why, count in summary.doubtful.items())
        lines.append(f"Counted, though no finding stands for them: {why}.")
    return "\n".join(lines)


def _rows(summary: Summary) -> list[tuple[str, str, str]]:
    """Name, value and interval of each figure that there is."""
    counts = [
        ("true positives", summary.true_positives),
        ("false positives", summary.false_positives),
        ("true negatives", summary.true_negatives),
        ("false negatives", summary.false_negatives),
    ]
    rows = [(name, str(count), "") for name, count in counts if count is not None]
    shares = [
        ("accuracy", summary.accuracy),
        ("recall (sensitivity)", summary.recall),
        ("precision", summary.precision),
        ("specificity", summary.specificity),
    ]
    rows += [(name, *_share(share)) for name, share in shares if share is not None]
    if summary.auc is not None:
        rows.append(("AUC", "-" if math.isnan(summary.auc) else f"{summary.auc:.3f}", ""))
    if summary.labels_right is not None:
        value, interval = _share(summary.labels_right)
        rows.append(("label right", value, f"{interval} of {summary.labels_n}"))
    return rows


def _share(share: Share) -> tuple[str, str]:
    if math.isnan(share.value):
        return "-", ""
    return f"{share.value:.3f}", f"({share.low:.3f}-{share.high:.3f})"


def _drawn(rows: list[tuple[str, str, str]]) -> str:
    from rich.box import ROUNDED
    from rich.console import Console
    from rich.table import Table

    table = Table(box=ROUNDED, show_header=True)
    table.add_column("figure")
    table.add_column("value", justify="right", style="bold")
    table.add_column("95 % interval", style="dim")
    for number, (name, value, interval) in enumerate(rows):
        ends = number + 1 < len(rows) and not rows[number + 1][0].endswith("tives")
        table.add_row(name, value, interval, end_section=name == "false negatives" and ends)
    console = Console()
    with console.capture() as drawn:
        console.print(table)
    return drawn.get().rstrip("\n")

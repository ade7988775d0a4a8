"""How the figures of a pack are shown in a terminal: short, widest first."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from firstread.cli.print_answers import printable
from firstread.domain.foremost import FIRST

if TYPE_CHECKING:
    from firstread.evaluation import Evaluation, Share
    from firstread.evaluation.further_figures import Compared, More
    from firstread.evaluation.strangers import Refusals
    from firstread.evaluation.strangers_read import Foreign
    from firstread.evaluation.subgroups import Subgroup

T = TypeVar("T")

_MOST_LABELS = 30
"""Of more labels than these a terminal shows the few with most samples, and no matrix."""


def as_text(found: Evaluation, more: More) -> str:
    """The figures of one pack on one set, then what was asked beside them; a sentence last."""
    lines = _table(found)
    for values in more.subgroups.values():
        lines += _subgroups(values)
    lines += [*_foreign(more.foreign), *_spoiled(more.spoiled)]
    if more.compared is not None:
        lines += _comparison(more.compared)
    return "\n".join(lines)


def _table(found: Evaluation) -> list[str]:
    by = "" if found.answers.clusters is None else f" of {found.answers.patients} patients"
    figures = found.figures
    rows = [
        ("accuracy", share(found.accuracy)),
        *_first_five(found),
        *_among_groups(found),
        ("balanced accuracy", share(figures["balanced_accuracy"])),
        ("AUC, mean", share(figures["auc"])),
        ("F1, mean", share(figures["f1"])),
        ("calibration error", f"{share(figures['ece'])}, without chance {found.ece_debiased:.3f}"),
        ("coverage", f"{share(found.coverage)}, {found.mean_set_size:.2f} labels a set"),
        ("unfamiliar", f" {found.unfamiliar} of {found.n}; unfit {found.unfit}"),
        ("a read takes", f"{found.ms:6.1f} ms"),
    ]
    width = max(18, *(len(name) for name, _ in rows)) + 2
    lines = [
        f"{found.pack} {found.version} on {found.dataset}, {found.n:,} samples{by}",
        "",
        *(f"{name.ljust(width)}{told}" for name, told in rows),
        "",
        *_beats(found),
        *_labels(found),
        *_alarms(found),
        *_matrix(found),
    ]
    lines += [f"note: {each}" for each in found.warnings]
    if found.unreadable:
        lines += ["", f"{len(found.unreadable)} samples could not be read"]
    return lines


def _beats(found: Evaluation) -> list[str]:
    beats = found.beats
    if beats is None:
        return []
    unfit = [each.record for each in beats.records if each.unfit is not None]
    lines = [
        f"{len(beats.records)} recordings; each sample is a beat",
        f"beats found         {share(beats.detection_sensitivity)}",
        f"of those found true {share(beats.detection_ppv)}",
    ]
    if unfit:
        lines.append(f"unfit recordings    {', '.join(unfit)}")
    lines += ["", "as AAMI counts       sensitivity           +P"]
    lines += [
        f"{each.label:<7}{each.n:7d}      {share(each.sensitivity):<22}{share(each.ppv)}"
        for each in beats.labels
        if each.n
    ]
    return [*lines, ""]


def _labels(found: Evaluation) -> list[str]:
    shown = _most(found.labels, n=lambda each: each.n)
    width = max(len("label"), *(len(each.label) for each in shown))
    lines = [f"{'label'.ljust(width)}     n   {'sensitivity':<22}{'specificity':<22}ppv"]
    for each in shown:
        shares = (each.sensitivity, each.specificity, each.ppv)
        lines.append(
            f"{each.label.ljust(width)} {each.n:5d}  " + "".join(f"{share(s):<22}" for s in shares)
        )
    return [line.rstrip() for line in [*lines, *_left_out(found.labels, shown, "labels")]]


def _alarms(found: Evaluation) -> list[str]:
    if not found.alarms:
        return []
    shown = _most(found.alarms, n=lambda each: each.n)
    width = max(len("alarm"), *(len(each.code) for each in shown))
    lines = ["", f"{'alarm'.ljust(width)}     n   {'found':<22}{'spared':<22}AUC"]
    for each in shown:
        at = each.at_alarm
        shares = (at.sensitivity, at.specificity) if at else ()
        told = "".join(f"{share(s):<22}" for s in shares).ljust(44)
        lines.append(f"{each.code.ljust(width)} {each.n:5d}  {told}{share(each.auc)}")
    return [*lines, *_left_out(found.alarms, shown, "alarms")]


def _matrix(found: Evaluation) -> list[str]:
    if len(found.labels) > _MOST_LABELS:
        return [""]
    width = max(len(each.label) for each in found.labels)
    lines = ["", "read as (columns) and truly (rows)"]
    for each, row in zip(found.labels, found.confusion, strict=True):
        lines.append(f"{each.label.ljust(width)} " + "".join(f"{cell:6d}" for cell in row))
    return [*lines, ""]


def _subgroups(found: Sequence[Subgroup]) -> list[str]:
    shown = _most(found, n=lambda each: each.n)
    values = [printable(each.value) for each in shown]
    width = max(len(found[0].by), *map(len, values))
    lines = ["", f"{found[0].by.ljust(width)}     n   {'accuracy':<22}{'AUC, mean':<22}coverage"]
    for each, value in zip(shown, values, strict=True):
        shares = "".join(f"{share(s):<22}" for s in (each.accuracy, each.auc, each.coverage))
        few = "  few: says little" if each.few else ""
        lines.append(f"{value.ljust(width)} {each.n:5d}  {shares.rstrip()}{few}")
    return [*lines, *_left_out(found, shown, "parts")]


def _among_groups(found: Evaluation) -> list[tuple[str, str]]:
    among = [name for name in found.figures if name.startswith("accuracy_among_")]
    return [(name.replace("_", " "), share(found.figures[name])) for name in among]


def _first_five(found: Evaluation) -> list[tuple[str, str]]:
    held = found.figures.get("top_five_accuracy")
    return [] if held is None else [("among first five", share(held))]


def _most(rows: Sequence[T], *, n: Callable[[T], int]) -> list[T]:
    """All; where there are many, the few with most samples."""
    if len(rows) <= _MOST_LABELS:
        return list(rows)
    return sorted(rows, key=n, reverse=True)[:FIRST]


def _left_out(rows: Sequence[T], shown: Sequence[T], what: str) -> list[str]:
    more = len(rows) - len(shown)
    return [f"and {more} more {what}, which stand in --json"] if more else []


def _foreign(found: Sequence[Foreign]) -> list[str]:
    if not found:
        return []
    width = max(len("samples of"), *(len(each.name) for each in found))
    head = f"{'samples of'.ljust(width)}     n   {'AUROC, familiarity':<22}{'flagged':<22}believed"
    return [
        "",
        head,
        *(
            f"{each.name.ljust(width)} {each.n:5d}  "
            + "".join(f"{share(s):<22}" for s in (each.auroc, each.flagged, each.believed)).rstrip()
            for each in found
        ),
    ]


def _spoiled(found: Sequence[Refusals]) -> list[str]:
    if not found:
        return []
    width = max(len(each.name) for each in found)
    head = f"{'spoiled'.ljust(width)}     n   {'flagged':<22}believed"
    return [
        "",
        head,
        *(
            f"{each.name.ljust(width)} {each.n:5d}  {share(each.flagged):<22}{share(each.believed)}"
            for each in found
        ),
    ]


def _comparison(given: Compared) -> list[str]:
    found = given.comparison
    width = max(len(name) for name in found.differences)
    lines = ["", f"{given.second} less {given.first}"]
    for name, each in found.differences.items():
        told = f"{each.value:+.3f} ({each.low:+.3f} to {each.high:+.3f})"
        lines.append(f"{name.replace('_', ' ').ljust(width)}  {told}")
    return [*lines, "", given.sentence]


def share(given: Share) -> str:
    """A figure with its interval, in columns that line up."""
    if math.isnan(given.value):
        return "    -"
    if math.isnan(given.low) or math.isnan(given.high):
        return f"{given.value:6.3f}"
    return f"{given.value:6.3f} ({given.low:.3f}-{given.high:.3f})"

"""One page in one file that shows how well a pack reads: figures, charts, its worst mistakes."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np

from firstread.datasets import Dataset, Item
from firstread.domain.errors import BadDataset, UnreadableSample
from firstread.domain.verdict import Doubt, verdict_of_doubt
from firstread.evaluation.evaluation import Evaluation
from firstread.evaluation.further_figures import Compared, More
from firstread.evaluation.kinds import KINDS
from firstread.evaluation.report import drawings
from firstread.evaluation.report.charts import Drawing, as_file, matrix
from firstread.evaluation.report.page import figure_name, page, section, share, table
from firstread.evaluation.strangers import Refusals
from firstread.evaluation.strangers_read import Foreign
from firstread.evaluation.subgroups import Subgroup
from firstread.imaging.show import SHOWN_AS

_WORST = 24
_UNFIT, _UNLIKE = verdict_of_doubt(Doubt.UNFIT), verdict_of_doubt(Doubt.UNFAMILIAR)


def write_report(
    path: Path,
    found: Evaluation,
    *,
    dataset: Dataset,
    more: More,
) -> None:
    """Write the report as one HTML file that needs nothing else; OSError where it cannot be.

    The file holds thumbnails of the samples that were read worst: treat it as the samples.
    """
    alarms = drawings.scored(found)
    reliability = drawings.reliability(
        found.reliability, title=f"Reliability; calibration error {found.ece:.3f}"
    )
    parts = [
        _head(found),
        section("All figures", _overall(found)),
        section("Beats", _beats(found)),
        section("By label", _labels(found)),
        section("Read as, and truly", drawings.confusion(found)),
        section("Found against spared", *drawings.roc(alarms), *drawings.precision(alarms)),
        section("Whether its probabilities hold", reliability, _lines(found)),
        section("Finding sets", _sets(found)),
        section("Setting the doubtful aside", drawings.risk(found), _kept(found)),
        section("Whether acting on an alarm helps", *drawings.decisions(found), _alarms(found)),
    ]
    parts += [section(f"By {by}", _subgroups(each)) for by, each in more.subgroups.items()]
    if more.compared is not None:
        parts.append(section("Beside another pack", *_compared(more.compared)))
    parts.append(section("Whether it knows what is not its own", _foreign(more.foreign)))
    parts.append(section("What becomes of spoiled samples", _spoiled(more.spoiled)))
    parts.append(section("Worst mistakes", _worst(found, dataset)))
    if found.unreadable:
        rows = [(each["path"], each["error"]) for each in found.unreadable]
        parts.append(section("Could not be read", table(("sample", "why"), rows)))
    title = f"{found.pack} {found.version} on {found.dataset}"
    whole = page(title, [each for each in parts if each])
    path.write_text(whole, encoding="utf-8", errors="replace")  # names that are no text


def write_picture(path: Path, found: Evaluation) -> None:
    """Draw the confusion matrix and the reliability, side by side, into an SVG file; OSError where
    it cannot be written."""
    title = f"{found.pack} {found.version} on {found.dataset}, n = {found.n}"
    counts = np.array(found.confusion, np.int64)
    confused = matrix(counts, names=found.answers.codes, title=title)
    holds = drawings.reliability(found.reliability, title="Do the stated chances hold?")
    path.write_text(as_file(confused, holds), encoding="utf-8")


def _head(found: Evaluation) -> str:
    tiles = [
        ("accuracy", found.accuracy),
        ("balanced accuracy", found.figures["balanced_accuracy"]),
        ("AUC, mean", found.figures["auc"]),
        ("calibration error", found.figures["ece"]),
        ("coverage", found.coverage),
    ]
    by = "sample" if found.answers.clusters is None else "patient"
    patients = f" of {found.answers.patients} patients" if found.answers.patients else ""
    warnings = "".join(f"<li>{escape(each)}</li>" for each in found.warnings)
    return (
        f"<h1>{escape(found.pack)} {escape(found.version)}</h1>"
        f'<p class="lead">Measured on {escape(found.dataset)}: {found.n} samples{patients}. '
        f'Intervals are 95 %, by {by}.</p><ul class="tiles">'
        + "".join(
            f"<li><span>{name}</span><strong>{each.value:.3f}</strong>"
            f"<small>{share(each, value=False)}</small></li>"
            for name, each in tiles
        )
        + "</ul>"
        + (f'<ul class="warnings">{warnings}</ul>' if warnings else "")
    )


def _overall(found: Evaluation) -> str:
    rows = [(figure_name(name), share(each)) for name, each in found.figures.items()]
    rows += [
        ("calibration error less its bias", f"{found.ece_debiased:.3f}"),
        ("unfamiliar", f"{found.unfamiliar} of {found.n}"),
        ("unfit", f"{found.unfit} of {found.n}"),
        ("a read takes", f"{found.ms:.1f} ms"),
    ]
    return table(("figure", "value"), rows)


def _beats(found: Evaluation) -> str:
    if found.beats is None:
        return ""
    rows = [
        ("beats found", share(found.beats.detection_sensitivity)),
        ("of those found true", share(found.beats.detection_ppv)),
    ]
    named = [
        (each.label, str(each.n), share(each.sensitivity), share(each.ppv))
        for each in found.beats.labels
        if each.n
    ]
    records = [
        (each.record, str(each.beats), str(each.missed), str(each.extra),
         str(each.beats - each.missed - each.right), each.unfit or "")
        for each in found.beats.records
    ]  # fmt: skip
    return (
        table(("figure", "value"), rows)
        + table(("as AAMI counts", "n", "sensitivity", "+P"), named)
        + table(("record", "beats", "missed", "not true", "named wrongly", "unfit"), records)
    )


def _labels(found: Evaluation) -> str:
    rows = [
        (
            each.label,
            str(each.n),
            *(share(e) for e in (each.sensitivity, each.specificity, each.ppv, each.npv)),
            share(more.auc),
        )
        for each, more in zip(found.labels, found.more, strict=True)
        if each.n or found.n < len(found.labels)
    ]
    return table(("label", "n", "sensitivity", "specificity", "PPV", "NPV", "AUC"), rows)


def _lines(found: Evaluation) -> str:
    rows = [("most probable label", found.line)] + [(e.code, e.line) for e in found.alarms]
    return table(
        ("", "in the large (0)", "slope (1)"),
        [(name, share(line.intercept), share(line.slope)) for name, line in rows],
    )


def _sets(found: Evaluation) -> str:
    sizes = np.bincount(found.answers.sets.sum(1))
    held = found.answers.sets[np.arange(found.n), found.truths]
    counted = [
        (str(size), str(count), f"{held[found.answers.sets.sum(1) == size].mean():.3f}")
        for size, count in enumerate(sizes.tolist())
        if count
    ]
    rows = [
        (each.label, share(more.coverage), f"{more.mean_set_size:.2f}")
        for each, more in zip(found.labels, found.more, strict=True)
        if each.n
    ]
    return table(("labels in the set", "samples", "right one inside"), counted) + table(
        ("label", "coverage", "mean size"), rows
    )


def _kept(found: Evaluation) -> str:
    rows = [
        (f"without the {each.without}" if each.without else "all", str(each.n),
         f"{100 * each.kept:.1f} %", share(each.accuracy))
        for each in found.kept
    ]  # fmt: skip
    return table(("", "n", "left", "accuracy"), rows)


def _alarms(found: Evaluation) -> str:
    rows = []
    for each in found.alarms:
        at, useful = each.at_alarm, each.benefit.useful()
        shares = (at.sensitivity, at.specificity, at.ppv, at.npv) if at else ()
        rows.append(
            (
                each.code,
                str(each.n),
                *(share(e) for e in shares),
                *[""] * (4 - len(shares)),
                f"{useful[0]:.0%} to {useful[1]:.0%}" if useful else "nowhere",
            )
        )
    head = ("alarm", "n", "sensitivity", "specificity", "PPV", "NPV", "helps from ... to")
    return table(head, rows)


def _subgroups(found: Sequence[Subgroup]) -> str:
    codes = list(found[0].sensitivity)
    rows = [
        (
            each.value + (" (few)" if each.few else ""),
            str(each.n),
            share(each.accuracy),
            share(each.auc),
            share(each.coverage),
            *(share(s[code]) for code in codes for s in (each.sensitivity, each.specificity)),
        )
        for each in found
    ]
    alarms = [f"{side} of {code}" for code in codes for side in ("sensitivity", "specificity")]
    return table(("", "n", "accuracy", "AUC", "coverage", *alarms), rows)


def _compared(given: Compared) -> list[str | Drawing]:
    found = given.comparison
    areas = [
        (code, share(each.difference), f"{each.p:.3f}")
        for code, each in found.areas.items()
        if np.isfinite(each.p)
    ]
    differing = [
        (e.path, e.truth, f"{e.first} {e.first_probability:.0%}",
         f"{e.second} {e.second_probability:.0%}")
        for e in found.differing[:50]
    ]  # fmt: skip
    return [
        f'<p class="lead">{escape(given.sentence)}</p>',
        drawings.differences(found, given.first, given.second),
        table(("AUC of", "difference", "p"), areas),
        f"<p>They answer differently on {len(found.differing)} of {found.n} samples"
        + (", of which 50 are listed." if len(found.differing) > 50 else ".")
        + "</p>",
        table(("sample", "truly", given.first, given.second), differing),
    ]


def _foreign(found: Sequence[Foreign]) -> str:
    rows = [
        (each.name, str(each.n), share(each.auroc), share(each.flagged), share(each.believed))
        for each in found
    ]
    head = ("samples of", "n", "AUROC of familiarity", "flagged", "believed all the same")
    return table(head, rows)


def _spoiled(found: Sequence[Refusals]) -> str:
    rows = [
        (e.name, str(e.n), str(e.unfit), str(e.unfamiliar), share(e.flagged), share(e.believed))
        for e in found
    ]
    head = ("how", "n", "unfit", "unfamiliar", "either", "believed all the same")
    return table(head, rows)


def _worst(found: Evaluation, dataset: Dataset) -> str:
    answers = found.answers.given
    said = found.chances[np.arange(found.n), answers]
    wrong = np.flatnonzero(answers != found.truths)
    if not len(wrong):
        return "<p>There is none.</p>"
    surest = sorted(wrong, key=lambda row: -said[row])[:_WORST]
    codes = found.answers.codes
    cards = []
    for row in surest:
        item = found.answers.samples[row]
        notes = [_UNFIT.in_a_sentence] * bool(found.answers.unfit[row])
        notes += [_UNLIKE.in_a_sentence] * bool(found.answers.unfamiliar[row])
        told = ", ".join([f"truly {codes[found.truths[row]]}", *notes])
        cards.append(
            f"<li>{_thumbnail(item, dataset)}<strong>{escape(codes[answers[row]])} "
            f"{said[row]:.0%}</strong><span>{escape(told)}</span>"
            f"<small>{escape(item.path)}</small></li>"
        )
    count = f"{len(wrong)} of {found.n} are read wrong; the surest {len(surest)} of them:"
    return f'<p>{count}</p><ul class="cards">{"".join(cards)}</ul>'


def _thumbnail(item: Item, dataset: Dataset) -> str:
    thumbnail = KINDS[dataset.kind].thumbnail
    if thumbnail is None:
        return ""
    try:
        shown = thumbnail(dataset.data(item))
    except (UnreadableSample, BadDataset):
        return ""
    return f'<img alt="" src="data:{SHOWN_AS};base64,{b64encode(shown).decode()}">'

"""The card of a pack: what a specialist reads first, written from the recipe's words and the measured figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from firstread.packs import Manifest, Result

PLOT = "results.svg"
NOTICE = "Decision support for research; a qualified person decides."


def write_card(folder: Path, manifest: Manifest, *, words: str, results: Sequence[Result]) -> None:
    """Write `card.md`: `words` are the recipe's own sections, the figures follow from the manifest."""
    about = manifest.pack
    parts = [
        f"# {about.title}",
        f"**{about.name} {about.version}**, for the check `{about.check}`. {NOTICE}",
        f"**Made for:** {about.intended_use}",
        f"**Not made for, not seen:** {about.limits}",
        words.strip(),
        _results(results),
        f"![Confusion matrix and reliability of the test part]({PLOT})",
        _alarms(manifest),
        _statements(manifest),
        _provenance(manifest),
    ]
    text = "\n\n".join(part for part in parts if part) + "\n"
    (folder / "card.md").write_text(text, encoding="utf-8")


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def _interval(result: Result) -> str:
    return f"{_percent(result.low)} to {_percent(result.high)}"


def _results(results: Sequence[Result]) -> str:
    if not results:
        return ""
    lines = [
        "## Results",
        f"Measured on: {results[0].set}; {results[0].n} samples, none of them learnt from.",
        "| figure | value | 95 % interval |\n|---|---|---|",
    ]
    per_label = ("sensitivity of ", "specificity of ")
    rows = [
        f"| {each.metric} | {_percent(each.value)} | {_interval(each)} |"
        for each in results
        if not each.metric.startswith(per_label)
    ]
    table = [
        "| label | sensitivity | 95 % interval | specificity | 95 % interval |\n|---|---|---|---|---|"
    ]
    by_metric = {each.metric: each for each in results}
    for metric, found in by_metric.items():
        if metric.startswith(per_label[0]):
            code = metric.removeprefix(per_label[0])
            against = by_metric.get(per_label[1] + code)
            if against is not None:
                table.append(
                    f"| {code} | {_percent(found.value)} | {_interval(found)} "
                    f"| {_percent(against.value)} | {_interval(against)} |"
                )
    return "\n\n".join([*lines[:2], "\n".join([lines[2], *rows]), "\n".join(table)])


def _alarms(manifest: Manifest) -> str:
    if not manifest.operating_points:
        return ""
    rows = [
        f"| {manifest.label(point.label).title} | {point.threshold:.3f} | {_percent(point.sensitivity)} "
        f"| {_percent(point.specificity)} | {point.measured_on} |"
        for point in manifest.operating_points
    ]
    head = "| alarm | from probability | sensitivity | specificity | measured on |\n|---|---|---|---|---|"
    return "\n\n".join(["## When it raises the alarm", "\n".join([head, *rows])])


def _statements(manifest: Manifest) -> str:
    lines = [
        "## What its numbers mean",
        f"- **Probabilities** are calibrated by temperature ({manifest.calibration.temperature:.2f}).",
    ]
    if manifest.conformal is not None:
        lines.append(
            f"- **The finding set** holds the right label in {_percent(manifest.conformal.coverage)} of "
            "samples like those it was fitted on, whatever the network does; not of others."
        )
    if manifest.familiarity is not None:
        lines.append(
            "- **Familiarity** is the share of validation samples that lie at least as far from the "
            "training samples; beyond the farthest one in a hundred a sample is called unfamiliar. "
            "An unfamiliar sample's answer should not be relied on."
        )
    return "\n\n".join([lines[0], "\n".join(lines[1:])])


def _provenance(manifest: Manifest) -> str:
    made = manifest.provenance
    rows = [
        f"| {each.name} | {each.n} | {each.licence} | `{each.sha256[:16]}` |" for each in made.datasets
    ]
    software = ", ".join(f"{name} {version}" for name, version in made.software.items())
    table = "\n".join(["| data | samples | licence | SHA-256 |\n|---|---|---|---|", *rows])
    words = (
        f"Trained on {made.trained_at} with the recipe `{made.recipe}`, seed {made.seed}; {software}. "
        "The data is not part of the pack; its golden samples are synthetic."
    )
    return "\n\n".join(["## Where it comes from", table, words])

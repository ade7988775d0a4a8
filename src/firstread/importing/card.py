"""The card of an imported pack: what was done, what is not known, and what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from firstread.evaluation.report.page import NOTICE
from firstread.importing.plan import Pixels
from firstread.packs import Manifest, Result


def write_import_card(
    folder: Path,
    manifest: Manifest,
    *,
    words: str,
    pixels: Pixels | None,
    missing: str,
    says: Sequence[str],
) -> None:
    """Write `card.md`; `words` are the recipe's own sections, `says` what was found out here."""
    about = manifest.pack
    parts = [
        f"# {about.title}",
        f"**{about.name} {about.version}**, for the check `{about.check}`. {NOTICE}",
        f"**Made for:** {about.intended_use}",
        f"**Not made for, not known:** {about.limits}",
        words.strip(),
        _results(manifest.results),
        _statements(manifest, missing=missing, says=says),
        _provenance(manifest, pixels=pixels),
    ]
    text = "\n\n".join(part for part in parts if part) + "\n"
    (folder / "card.md").write_text(text, encoding="utf-8")


def _results(results: Sequence[Result]) -> str:
    if not results:
        return (
            "## Results\n\nNone. It was imported without labelled samples, so nothing is known "
            "here of how well it reads. Measure it before anybody relies on it: "
            "`firstread evaluate PACK FOLDER`."
        )
    lines = ["| figure | value | 95 % interval |", "| --- | --- | --- |"]
    for each in results:
        low, high = _shown(each, each.low), _shown(each, each.high)
        lines.append(f"| {each.metric} | {_shown(each, each.value)} | {low} to {high} |")
    head = f"## Results\n\nMeasured on: {results[0].set}, n = {results[0].n}.\n\n"
    return head + "\n".join(lines)


def _shown(result: Result, value: float) -> str:
    return f"{value:.3f}" if result.metric.startswith("AUC") else f"{100 * value:.1f} %"


def _statements(manifest: Manifest, *, missing: str, says: Sequence[str]) -> str:
    lines = list(says)
    if manifest.calibration.method == "none":
        lines.append(
            "**Its probabilities are not calibrated**: of answers with 90 % it need not be right "
            "nine times in ten."
        )
    else:
        lines.append(
            "Its probabilities are calibrated by temperature "
            f"({manifest.calibration.temperature:.2f})."
        )
    if manifest.conformal is None:
        lines.append("It has no finding set: it rules nothing out.")
    if manifest.familiarity is None:
        lines.append(
            "It does not measure familiarity: it answers to a sample of anything at all, with the "
            "same confidence."
        )
    if manifest.quality is None and manifest.input is not None:
        lines.append("It has no limits for blurred or dark pictures: none is called unfit.")
    if manifest.measurements and manifest.measurements_model is None:
        lines.append("It is no sum over its measurements, so it cannot say what each contributes.")
    if missing:
        lines.append(f"What it lacks: {missing}.")
    lines += [
        f"The alarm for {manifest.label(point.label).title} is raised from a probability of "
        f"{point.threshold:.3f} on: sensitivity {100 * point.sensitivity:.1f} %, specificity "
        f"{100 * point.specificity:.1f} % ({point.measured_on})."
        for point in manifest.operating_points
    ]
    return "## What its numbers mean\n\n" + "\n".join(f"- {line}" for line in lines)


def _provenance(manifest: Manifest, *, pixels: Pixels | None) -> str:
    made = manifest.provenance
    software = ", ".join(f"{name} {version}" for name, version in made.software.items())
    whence = (
        f"Imported on {made.trained_at} from `{made.model_file}` (SHA-256 `{made.model_sha256}`) "
        f"by `firstread packs import`, told how by {made.recipe}; {software}. It was not trained "
        "here."
    )
    lines = [whence]
    if pixels is not None and manifest.input is not None:
        given = manifest.input
        mean, std = (", ".join(f"{n:g}" for n in numbers) for numbers in (pixels.mean, pixels.std))
        lines.append(
            f"A picture is made {given.width_px} x {given.height_px} pixels ({given.fit}, "
            f"{given.interpolation}, {given.colour}); the network takes (pixel x "
            f"{pixels.scale:.6g} - ({mean})) / ({std}), channels in the order {pixels.order}."
        )
    lines.append(
        "Its golden samples show nobody."
        if _synthetic(manifest)
        else "Its golden samples are copies of samples that were given when it was imported."
    )
    return "## Where it comes from\n\n" + "\n\n".join(lines)


def _synthetic(manifest: Manifest) -> bool:
    return not any("given" in golden.sample for golden in manifest.golden)

"""Every shipped pack on its own test part, beside what others report: writes docs/results.md.

    make results        (needs the data: FIRSTREAD_DATASETS names the folder that holds it)

The test part is the one that the recipe's seed gives; nothing was learnt from it. Where the data is
not there it says so, ends with 1, and leaves the page as it is. The page has no date, and the same
packs and data give the same page, but for the milliseconds of a read.
"""

from __future__ import annotations

import math
import os
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from firstread.datasets import named, open_dataset, split
from firstread.domain.errors import FirstreadError
from firstread.evaluation import Evaluation, Share, evaluate
from firstread.evaluation.strangers_read import Foreign, against, evenly
from firstread.packs import Manifest, open_manifest
from firstread.packs.motifs import reads_for_a_check
from firstread.runtime import PackReader, open_reader
from firstread.train.recipe import Recipe, find_recipe, open_recipe

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "results.md"
PUBLISHED = Path(__file__).parent / "published.toml"
STRANGERS = 100
"""So many samples of each other set are shown to a pack."""
HEAD = """# How well the packs read

<!-- Written by `make results` (benchmarks/results/run.py): do not edit by hand. -->

Every pack that ships, on samples it has not learnt from: the test part that the seed of its recipe
gives, or repeated cross-validation where the set is too small for one. Intervals are 95 %, by
patient where patients are known; [measuring a pack](evaluation.md) says what each figure means. A
pack's own card says what it was made for and what it is not. These are results on one set each:
measure a pack on samples of your own before you rely on it. `motifs` reads for no check:
how well it does is told [with it](motifs.md).
"""
BESIDE = """
## Beside what others report

Figures as their authors print them. They were measured on other parts of the data, mostly at other
sizes: they say what is possible, not who is better. Only two packs on the same samples can be
compared (`firstread evaluate --against`).
"""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One pack with what was measured; `found` is None where only its own statement stands."""

    manifest: Manifest
    megabytes: float
    data: str
    found: Evaluation | None = None
    foreign: tuple[Foreign, ...] = ()


def main() -> int:
    """Measure every pack and write the page; returns the exit code."""
    data = Path(os.environ.get("FIRSTREAD_DATASETS") or ROOT.parent / "shared" / "data")
    shelf = sorted(path.parent for path in (ROOT / "packs").glob("*/pack.toml"))
    packs = [pack for pack in shelf if reads_for_a_check(open_manifest(pack))]
    missing = [each for pack in packs if (each := _lacking(pack, data))]
    if missing:
        print(f"The page stays as it is: {missing[0]}")
        return 1
    rows = []
    for pack in packs:
        print(f"Measuring {pack.name}", file=sys.stderr)
        rows.append(_measured(pack, data))
    PAGE.write_text("\n".join(_page(rows)) + "\n", encoding="utf-8")
    print(PAGE)
    return 0


def _lacking(pack: Path, data: Path) -> str:
    manifest = open_manifest(pack)
    recipe = _recipe(manifest)
    if recipe is None:
        return ""
    folder = data / recipe.sources[0].name
    if folder.is_dir():
        return ""
    return f"the samples of {manifest.name} are not in {data}. Set FIRSTREAD_DATASETS."


def _recipe(manifest: Manifest) -> Recipe | None:
    """The recipe that it was trained by; None for what came from elsewhere."""
    try:
        return open_recipe(find_recipe(Path(manifest.provenance.recipe).stem))
    except FirstreadError:
        return None


def _measured(pack: Path, data: Path) -> Row:
    manifest = open_manifest(pack)
    size = sum(path.stat().st_size for path in pack.rglob("*") if path.is_file()) / 1e6
    recipe = _recipe(manifest)
    if recipe is None or manifest.kind != "image" or recipe.kind != "image":
        return Row(manifest=manifest, megabytes=size, data=_stated_set(manifest))
    source = recipe.sources[0]
    whole = named(open_dataset(data / source.name), source.labels)
    shares = recipe.shares
    parts = split(whole, validation=shares.validation, test=shares.test, seed=recipe.seed)
    kept = tuple(whole.items[index] for index in parts.test)
    reader = open_reader(pack)
    found = evaluate(reader, replace(whole, items=kept), threads=1)
    return Row(
        manifest=manifest,
        megabytes=size,
        data="own test part" + _changed(manifest, found),
        found=found,
        foreign=tuple(_strangers(reader, found, data, own=source.name)),
    )


def _changed(manifest: Manifest, found: Evaluation) -> str:
    """A warning where this is not the part that the pack says it was tested on."""
    stated = {each.metric: each for each in manifest.results}.get("accuracy")
    same = stated is not None and stated.n == found.n
    if same and abs(stated.value - found.accuracy.value) < 0.005:
        return ""
    return " as the split is now: some of it may have been learnt from"


def _strangers(reader: PackReader, found: Evaluation, data: Path, *, own: str) -> Iterator[Foreign]:
    for folder in sorted(path for path in data.iterdir() if path.is_dir() and path.name != own):
        try:
            foreign = open_dataset(folder)
        except FirstreadError:
            continue  # boxes and models are no labelled samples
        if foreign.kind == "image":
            few = tuple(evenly(foreign.items, at_most=STRANGERS))
            yield against(reader, found.answers, replace(foreign, items=few), threads=1)


def _stated_set(manifest: Manifest) -> str:
    return manifest.results[0].set if manifest.results else "not measured"


def _page(rows: Sequence[Row]) -> Iterator[str]:
    yield HEAD
    yield from _table(
        ("pack", "measured on", "n", "accuracy", "balanced accuracy", "AUC, mean",
         "calibration error", "coverage (promised)", "labels a set", "ms a read", "MB"),
        [_overall(row) for row in rows],
    )  # fmt: skip
    yield ""
    yield "Milliseconds: the median where this page was written, decoding included, on one thread."
    yield "\n## Alarms\n"
    yield from _table(
        ("pack", "alarm", "n with it", "sensitivity", "specificity", "AUC"),
        [cells for row in rows for cells in _alarms(row)],
    )
    yield "\n## Whether a pack knows what is not its own\n"
    yield f"Familiarity of the own test part against {STRANGERS} samples of each other set. Flagged"
    yield "is what came out unfamiliar or unfit; own samples labelled unfit are left out there."
    yield ""
    yield from _table(
        ("pack", "own flagged", "lowest AUROC", "against", "AUROC over all sets, mean",
         "strangers believed, most"),
        [_familiarity(row) for row in rows if row.foreign],
    )  # fmt: skip
    yield from _beside(rows)


def _overall(row: Row) -> tuple[str, ...]:
    found, manifest = row.found, row.manifest
    link = f"`{manifest.name}` {manifest.version}"
    if found is None:
        stated = {each.metric: each for each in manifest.results}
        n = str(manifest.results[0].n) if manifest.results else "-"
        shares = [
            _share(Share(value=e.value, low=e.low, high=e.high)) if e else "-"
            for e in map(
                stated.get,
                ("accuracy", "balanced accuracy", "AUC, mean over labels", "",
                 "coverage of the finding set"),
            )
        ]  # fmt: skip
        return (link, row.data, n, *shares, "-", "-", f"{row.megabytes:.1f}")
    promised = manifest.conformal.coverage if manifest.conformal else None
    coverage = _share(found.coverage) + (f" ({promised:g})" if promised else "")
    people = f", {found.answers.patients} patients" if found.answers.patients else ""
    figures = found.figures
    return (
        link,
        row.data + people,
        str(found.n),
        _share(found.accuracy),
        _share(figures["balanced_accuracy"]),
        _share(figures["auc"]),
        _share(figures["ece"]),
        coverage,
        f"{found.mean_set_size:.2f}",
        f"{found.ms:.0f}",
        f"{row.megabytes:.1f}",
    )


def _alarms(row: Row) -> Iterator[tuple[str, ...]]:
    name, manifest = f"`{row.manifest.name}`", row.manifest
    if row.found is None:
        for point in manifest.operating_points:
            yield (
                name, manifest.title(point.label), "-", f"{point.sensitivity:.3f}",
                f"{point.specificity:.3f}", f"({point.measured_on})",
            )  # fmt: skip
        return
    for each in row.found.alarms:
        at = each.at_alarm
        shares = [_share(at.sensitivity), _share(at.specificity)] if at else ["-", "-"]
        yield (name, manifest.title(each.code), str(each.n), *shares, _share(each.auc))


def _familiarity(row: Row) -> tuple[str, ...]:
    known = [each for each in row.foreign if not math.isnan(each.auroc.value)]
    if not known:
        return (f"`{row.manifest.name}`", "no familiarity", "-", "-", "-", "-")
    worst = min(known, key=lambda each: each.auroc.value)
    believed = max(known, key=lambda each: each.believed.value)
    mean = sum(each.auroc.value for each in known) / len(known)
    return (
        f"`{row.manifest.name}`",
        _share(worst.own_flagged),
        _share(worst.auroc),
        worst.name,
        f"{mean:.3f}",
        f"{believed.believed.value:.2f} of {believed.name}",
    )


def _beside(rows: Sequence[Row]) -> Iterator[str]:
    published = tomllib.loads(PUBLISHED.read_text(encoding="utf-8"))["result"]
    by_check = {row.manifest.check: row for row in rows}
    yield BESIDE
    cells = []
    for each in published:
        row = by_check.get(each["check"])
        if row is not None:
            cells.append(
                (
                    f"`{row.manifest.name}`",
                    _own(row),
                    each["figure"],
                    f"{each['source']}, [doi {each['doi']}](https://doi.org/{each['doi']})",
                    each["comparable"],
                )
            )
    yield from _table(("pack", "here", "there", "source", "how far they compare"), sorted(cells))


def _own(row: Row) -> str:
    if row.found is None:
        stated = [
            e for e in row.manifest.results if e.metric in ("accuracy", "AUC, mean over labels")
        ]
        return ", ".join(f"{e.metric} {e.value:.3f}" for e in stated) or "see its card"
    groups = {group.code: group.title for group in row.manifest.groups}
    told = [f"accuracy {row.found.accuracy.value:.3f}", f"AUC {row.found.auc:.3f}"]
    told += [
        f"{groups[each.code].lower()}: AUC {each.auc.value:.3f}"
        for each in row.found.alarms
        if each.code in groups
    ]
    return ", ".join(told)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    for line in (head, ["---"] * len(head), *rows):
        yield f"| {' | '.join(line)} |"


def _share(share: Share) -> str:
    if math.isnan(share.value):
        return "-"
    if math.isnan(share.low):
        return f"{share.value:.3f}"
    return f"{share.value:.3f} ({share.low:.3f} to {share.high:.3f})"


if __name__ == "__main__":
    sys.exit(main())

"""The card of a pack: what a specialist reads first, written from the recipe's words and the
measured figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from firstread.packs import Manifest, Result
from firstread.train.pack.figures import Subgroup

FEW = 30
# So much better on its own samples, or so nearly right on them, a network is large enough.
_GAP, _NEARLY_ALL = 0.04, 0.97
_FOUND, _SPARED = "sensitivity of ", "specificity of "
NOTICE = "Decision support for research; a qualified person decides."


@dataclass(frozen=True, kw_only=True)
class Story:
    """What a card tells beside the manifest.

    `words` and `larger` (what a larger network would gain) are the recipe's own, `room` is what the
    figures say of that; `pictures` are files of the pack with the words for each; `learnt` says how
    long and where it learnt, `apart` how far ONNX Runtime's logits are from torch's.
    """

    words: str = ""
    larger: str = ""
    room: str = ""
    pictures: Mapping[str, str] = field(default_factory=dict)
    subgroups: tuple[Subgroup, ...] = ()
    learnt: str = ""
    apart: float | None = None


def write_card(folder: Path, manifest: Manifest, *, story: Story) -> None:
    """Write `card.md` of a pack: the figures follow from the manifest, the rest from `story`."""
    about = manifest.pack
    parts = [
        f"# {about.title}",
        f"**{about.name} {about.version}**, for the check `{about.check}`. {NOTICE}",
        f"**Made for:** {about.intended_use}",
        f"**Not made for, not seen:** {about.limits}",
        story.words.strip(),
        _results(manifest.results),
        _subgroups(story.subgroups),
        _alarms(manifest),
        _statements(manifest),
        _pictures(story.pictures),
        _larger(story),
        _provenance(manifest, story),
    ]
    text = "\n\n".join(part for part in parts if part) + "\n"
    (folder / "card.md").write_text(text, encoding="utf-8")


def room_to_learn(*, learnt: float, n: int, tested: float) -> str:
    """What the accuracy on `n` samples that it learnt from says of a larger network, beside the
    accuracy on the test part: one that cannot fit its own samples is too small, one that fits them
    and not others has seen too few.

    >>> room_to_learn(learnt=0.99, n=2500, tested=0.9).split(": ")[1]
    'more samples, of more patients, would help it more than a larger network.'
    """
    if learnt - tested > _GAP:
        found = "more samples, of more patients, would help it more than a larger network."
    elif learnt > _NEARLY_ALL:
        found = "little is left for a larger network to learn from them."
    else:
        found = (
            "a larger network, or larger pictures, could learn more from them. How much of that "
            "would hold for other samples was not measured."
        )
    return (
        f"It reads {_percent(learnt)} right of {n} samples that it learnt from, and "
        f"{_percent(tested)} of the test part: {found}"
    )


def _larger(story: Story) -> str:
    words = " ".join(each.strip() for each in (story.larger, story.room) if each)
    return f"## What a larger network would gain\n\n{words}" if words else ""


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _results(results: Sequence[Result]) -> str:
    if not results:
        return ""
    by_metric = {each.metric: each for each in results}
    labels = [name.removeprefix(_FOUND) for name in by_metric if name.startswith(_FOUND)]
    of_all = [each for each in results if not each.metric.startswith((_FOUND, _SPARED))]
    of_labels = [
        [label, *_cells(by_metric[_FOUND + label]), *_cells(by_metric[_SPARED + label])]
        for label in labels
        if _SPARED + label in by_metric
    ]
    interval = "95 % interval"
    parts = [
        "## Results",
        f"Measured on: {results[0].set}; {results[0].n} samples, none of them learnt from.",
        _table(["figure", "value", interval], [[each.metric, *_cells(each)] for each in of_all]),
        _table(["label", "sensitivity", interval, "specificity", interval], of_labels),
    ]
    return "\n\n".join(parts)


def _cells(result: Result) -> list[str]:
    area = result.metric.startswith("AUC")
    value, low, high = (
        f"{each:.3f}" if area else _percent(each)
        for each in (result.value, result.low, result.high)
    )
    return [value, f"{low} to {high}"]


def _alarms(manifest: Manifest) -> str:
    if not manifest.operating_points:
        return ""
    rows = [
        [
            manifest.title(point.label),
            f"{point.threshold:.3f}",
            _percent(point.sensitivity),
            _percent(point.specificity),
            point.measured_on,
        ]
        for point in manifest.operating_points
    ]
    head = ["alarm", "from probability", "sensitivity", "specificity", "measured on"]
    return f"## When it raises the alarm\n\n{_table(head, rows)}"


def _statements(manifest: Manifest) -> str:
    temperature = manifest.calibration.temperature
    lines = [f"- **Probabilities** are calibrated by temperature ({temperature:.2f})."]
    if manifest.conformal is not None:
        coverage = _percent(manifest.conformal.coverage)
        lines.append(
            f"- **The finding set** holds the right label in at least {coverage} of samples like "
            "those it was fitted on, on average; not of others."
        )
    if manifest.familiarity is not None:
        lines.append(
            "- **Familiarity** is the share of validation samples that lie at least as far from "
            "the training samples; beyond the farthest one in a hundred a sample is called "
            "unfamiliar. An unfamiliar sample's answer should not be relied on."
        )
    return "\n".join(["## What its numbers mean", "", *lines])


def _subgroups(subgroups: Sequence[Subgroup]) -> str:
    if not subgroups:
        return ""
    rows = [
        [
            f"{each.by}: {each.value}".replace("|", "/"),
            f"{each.n}{' (few)' if each.n < FEW else ''}",
            _percent(each.accuracy.value),
            f"{_percent(each.accuracy.low)} to {_percent(each.accuracy.high)}",
        ]
        for each in subgroups
    ]
    table = _table(["samples", "n", "read right", "95 % interval"], rows)
    return f"### Among kinds of samples\n\n{table}"


def _pictures(pictures: Mapping[str, str]) -> str:
    drawn = [f"![{words}]({name})\n\n*{words}.*" for name, words in pictures.items()]
    return "\n\n".join(["## Pictures", *drawn]) if drawn else ""


def _provenance(manifest: Manifest, story: Story) -> str:
    made = manifest.provenance
    rows = [[e.name, str(e.n), e.licence, f"`{e.sha256[:16]}`"] for e in made.datasets]
    software = ", ".join(f"{name} {version}" for name, version in made.software.items())
    words = (
        f"Trained on {made.trained_at} with the recipe `{made.recipe}`, seed {made.seed}; "
        f"{software}. The data is not part of the pack; its golden samples are synthetic."
    )
    table = _table(["data", "samples", "licence", "SHA-256"], rows)
    if story.learnt:
        words = f"{words} {story.learnt}"
    if story.apart is not None:
        words = (
            f"{words} The logits of torch and of ONNX Runtime are at most {story.apart:.1g} apart."
        )
    return f"## Where it comes from\n\n{table}\n\n{words}"

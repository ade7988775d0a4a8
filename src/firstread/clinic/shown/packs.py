"""Model cards: what each pack is for, how well it was measured to read, and its limits."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

from firstread.clinic.checks.readers import trouble
from firstread.clinic.models import Check
from firstread.clinic.shown.kinds import Picture
from firstread.clinic.shown.words import NBSP, percent
from firstread.domain.errors import FirstreadError, UnknownPack
from firstread.domain.foremost import MANY
from firstread.packs import (
    Group,
    Label,
    Manifest,
    OperatingPoint,
    Result,
    find_pack,
    list_packs,
    open_manifest,
)
from firstread.packs.motifs import reads_for_a_check

PICTURES = {".png": "image/png", ".svg": "image/svg+xml", ".webp": "image/webp"}
IN_PERCENT = (
    "accuracy", "balanced", "sensitivity", "specificity", "ppv", "coverage", "unfamiliar", "beats",
)  # fmt: skip
PER_LABEL = ("sensitivity", "specificity", "ppv")
SHORT = {"auc": "AUC", "ece": "calibration error (ECE)", "f1": "F1"}


@dataclass(frozen=True, kw_only=True)
class ShownResult:
    """One figure with its interval, as the page writes it."""

    metric: str
    set: str
    n: int
    value: float
    low: float
    high: float
    share: bool
    """Whether it can be drawn as a share of 1."""
    shown: str
    low_shown: str
    high_shown: str


@dataclass(frozen=True, kw_only=True)
class PackCard:
    """One pack among the others; without a manifest where it cannot be opened."""

    name: str
    champion: Check | None
    """The check for which it reads."""
    is_asked: bool
    """Whether other packs ask it what a picture shows, and no check does."""
    manifest: Manifest | None
    headline: tuple[ShownResult, ...]
    trouble: str
    """Why it cannot be opened; empty where it can."""


@dataclass(frozen=True, kw_only=True)
class PacksPage:
    """All packs on the shelves."""

    cards: tuple[PackCard, ...]


@dataclass(frozen=True, kw_only=True)
class ShownLabel:
    """A label, and from where on it raises the alarm."""

    label: Label
    point: OperatingPoint | None


@dataclass(frozen=True, kw_only=True)
class ShownGroup:
    """A group with the titles of its labels, and from where on it raises the alarm."""

    group: Group
    labels: tuple[str, ...]
    point: OperatingPoint | None


@dataclass(frozen=True, kw_only=True)
class PackPage:
    """One pack, with its card."""

    manifest: Manifest
    is_asked: bool
    """Whether other packs ask it what a picture shows, and no check does."""
    card: SafeString
    results: tuple[ShownResult, ...]
    labels: tuple[ShownLabel, ...]
    more_labels: int
    """How many labels are left out."""
    groups: tuple[ShownGroup, ...]
    software: tuple[tuple[str, str], ...]
    trouble: str | None
    """Why it cannot read for its check at the moment."""


def packs_page() -> PacksPage:
    champions = {check.pack: check for check in Check.objects.filter(enabled=True)}
    return PacksPage(
        cards=tuple(_card(folder, champion=champions.get(folder.name)) for folder in list_packs())
    )


def pack_page(name: str) -> PackPage:
    """The pack of that name; raises UnknownPack, PackRefused."""
    folder = _folder(name)
    manifest = open_manifest(folder)
    titles = _titles(manifest)
    points = {point.label: point for point in manifest.operating_points}
    check = Check.objects.filter(pack=name).first()
    return PackPage(
        manifest=manifest,
        is_asked=not reads_for_a_check(manifest),
        card=_prose(folder),
        results=tuple(
            _result(each, titles)
            for each in manifest.results
            if not each.metric.startswith(PER_LABEL)  # the card has them in a table
        ),
        labels=tuple(
            ShownLabel(label=label, point=points.get(label.code))
            for label in manifest.labels[:MANY]
        ),
        more_labels=max(0, len(manifest.labels) - MANY),
        groups=tuple(
            ShownGroup(
                group=group,
                labels=tuple(manifest.label(code).title for code in group.labels),
                point=points.get(group.code),
            )
            for group in manifest.groups
        ),
        software=tuple(sorted(manifest.provenance.software.items())),
        trouble=trouble(check) if check else None,
    )


def card_picture(name: str, file: str) -> Picture:
    """A picture that the card shows; nothing else of the pack is served. Raises UnknownPack."""
    folder = _folder(name)
    path = folder / file
    media_type = PICTURES.get(path.suffix)
    if media_type is None or path.parent != folder or not path.is_file():
        raise UnknownPack("The card has no such picture.")
    return Picture(data=path.read_bytes(), media_type=media_type)


def _folder(name: str) -> Path:
    for folder in list_packs():
        if folder.name == name:
            return folder
    return find_pack(name)


def _card(folder: Path, *, champion: Check | None) -> PackCard:
    manifest, refused = None, ""
    try:
        manifest = open_manifest(folder)
    except FirstreadError as error:
        refused = str(error)
    return PackCard(
        name=folder.name,
        champion=champion,
        is_asked=manifest is not None and not reads_for_a_check(manifest),
        manifest=manifest,
        headline=_headline(manifest) if manifest else (),
        trouble=refused,
    )


def _headline(manifest: Manifest) -> tuple[ShownResult, ...]:
    """The figures that a card begins with: at most three, accuracy and what the alarm rests on."""
    alarms = [f"AUC of {each.code} against the rest" for each in manifest.groups if each.positive]
    # Of a recording nearly every beat is normal, and nearly every answer right, whatever is missed.
    beats = [f"beats named {code} among those that are" for code in manifest.positive]
    order = [*beats, "beats found", "accuracy", *alarms, "balanced accuracy"]
    order.append("AUC, mean over labels")

    def place(result: Result) -> int:
        return order.index(result.metric) if result.metric in order else len(order)

    first = sorted(manifest.results, key=place)
    return tuple(_result(each, _titles(manifest)) for each in first[:3])


def _titles(manifest: Manifest) -> dict[str, str]:
    return {each.code: each.title for each in manifest.answers}


def _result(result: Result, titles: dict[str, str]) -> ShownResult:
    words = result.metric.replace("_", " ").split()
    said = _share if words[0].lower() in IN_PERCENT and result.high <= 1 else _plain
    named = SHORT | {code: title.lower() for code, title in titles.items()}
    metric = re.sub(r"[\w-]+", lambda word: named.get(word[0].lower(), word[0]), " ".join(words))
    return ShownResult(
        metric=metric[:1].upper() + metric[1:],
        set=result.set,
        n=result.n,
        value=result.value,
        low=result.low,
        high=result.high,
        share=result.low >= 0 and result.high <= 1 and words[0].lower() not in ("ece", "brier"),
        shown=said(result.value),
        low_shown=said(result.low),
        high_shown=said(result.high),
    )


def _share(value: float) -> str:
    return f"{value * 100:.1f}{NBSP}%" if value < 0.9995 else percent(value)


def _plain(value: float) -> str:
    return f"{value:.3f}"


def _prose(folder: Path) -> SafeString:
    """The card as HTML; tags inside it are shown as text, and pictures come from the pack."""
    try:
        text = (folder / "card.md").read_text(encoding="utf-8")
    except OSError:
        return SafeString("<p>This pack has no card.</p>")
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(text)
    if tokens and tokens[0].tag == "h1":
        tokens = tokens[3:]  # the page has the card's title already
    for token in tokens:
        if token.tag == "h1":
            token.tag = "h2"
        for child in token.children or ():
            source = str(child.attrGet("src") or "")
            if child.type == "image" and source and "/" not in source:
                child.attrSet("src", reverse("pack-picture", args=[folder.name, source]))
    # markdown-it-py escapes everything that is not its own markup, as html is off.
    prose: SafeString = mark_safe(  # noqa: S308  html is off, see above
        markdown.renderer.render(tokens, markdown.options, {})
    )
    return prose

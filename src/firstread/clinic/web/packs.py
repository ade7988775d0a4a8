"""Model cards: what each pack is for, how well it was measured to read, and its limits."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_GET
from markdown_it import MarkdownIt

from firstread.clinic.checks import readers
from firstread.clinic.models import Check
from firstread.clinic.templatetags.shown import NBSP, percent
from firstread.clinic.web.access import page
from firstread.domain.errors import FirstreadError, UnknownPack
from firstread.domain.foremost import MANY
from firstread.packs import Manifest, Result, find_pack, list_packs, open_manifest

PICTURES = {".png": "image/png", ".svg": "image/svg+xml", ".webp": "image/webp"}
IN_PERCENT = (
    "accuracy", "balanced", "sensitivity", "specificity", "ppv", "coverage", "unfamiliar", "beats",
)  # fmt: skip
PER_LABEL = ("sensitivity", "specificity", "ppv")
SHORT = {"auc": "AUC", "ece": "calibration error (ECE)", "f1": "F1"}


@page()
@require_GET
def packs(request: HttpRequest) -> HttpResponse:
    champions = {check.pack: check for check in Check.objects.filter(enabled=True)}
    return render(
        request, "clinic/packs.html", {"packs": [_card(each, champions) for each in list_packs()]}
    )


@page()
@require_GET
def pack(request: HttpRequest, name: str) -> HttpResponse:
    folder = _folder(name)
    manifest = open_manifest(folder)
    points = {point.label: point for point in manifest.operating_points}
    check = Check.objects.filter(pack=name).first()
    context = {
        "manifest": manifest,
        "about": manifest.pack,
        "card": _prose(folder),
        "results": [
            _result(each, _titles(manifest))
            for each in manifest.results
            if not each.metric.startswith(PER_LABEL)  # the card has them in a table
        ],
        "labels": [
            {
                "title": label.title,
                "positive": label.positive,
                "priority": label.priority,
                "unfit": label.unfit,
                "snomed": label.snomed,
                "icd10": label.icd10,
                "point": points.get(label.code),
            }
            for label in manifest.labels[:MANY]
        ],
        "groups": [
            {
                "title": group.title,
                "positive": group.positive,
                "priority": group.priority,
                "labels": [manifest.label(code).title for code in group.labels],
                "point": points.get(group.code),
            }
            for group in manifest.groups
        ],
        "more_labels": max(0, len(manifest.labels) - MANY),
        "software": sorted(manifest.provenance.software.items()),
        "trouble": readers.trouble(check) if check else None,
    }
    return render(request, "clinic/pack.html", context)


@page()
@require_GET
def picture(request: HttpRequest, name: str, file: str) -> HttpResponse:
    """A picture that the card shows; nothing else of the pack is served."""
    path = _folder(name) / file
    media_type = PICTURES.get(path.suffix)
    if media_type is None or path.parent != _folder(name) or not path.is_file():
        raise UnknownPack("The card has no such picture.")
    response = HttpResponse(path.read_bytes(), content_type=media_type)
    # A drawing may hold a script; opened by itself it must not run either.
    response["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    response["Cache-Control"] = "private, max-age=3600"
    return response


def _folder(name: str) -> Path:
    for folder in list_packs():
        if folder.name == name:
            return folder
    return find_pack(name)


def _card(folder: Path, champions: dict[str, Check]) -> dict[str, Any]:
    card: dict[str, Any] = {"name": folder.name, "champion": champions.get(folder.name)}
    try:
        manifest = open_manifest(folder)
    except FirstreadError as error:
        return card | {"trouble": str(error)}
    return card | {"manifest": manifest, "headline": _headline(manifest)}


def _headline(manifest: Manifest) -> list[dict[str, Any]]:
    """The figures that a card begins with: at most three, accuracy and what the alarm rests on."""
    alarms = [f"AUC of {each.code} against the rest" for each in manifest.groups if each.positive]
    # Of a recording nearly every beat is normal, and nearly every answer right, whatever is missed.
    beats = [f"beats named {code} among those that are" for code in manifest.positive]
    order = [*beats, "beats found", "accuracy", *alarms, "balanced accuracy"]
    order.append("AUC, mean over labels")

    def place(result: Result) -> int:
        return order.index(result.metric) if result.metric in order else len(order)

    first = sorted(manifest.results, key=place)
    return [_result(each, _titles(manifest)) for each in first[:3]]


def _titles(manifest: Manifest) -> dict[str, str]:
    return {each.code: each.title for each in manifest.answers}


def _result(result: Result, titles: dict[str, str]) -> dict[str, Any]:
    words = result.metric.replace("_", " ").split()
    said = _share if words[0].lower() in IN_PERCENT and result.high <= 1 else _plain
    named = SHORT | {code: title.lower() for code, title in titles.items()}
    metric = re.sub(r"[\w-]+", lambda word: named.get(word[0].lower(), word[0]), " ".join(words))
    return {
        "metric": metric[:1].upper() + metric[1:],
        "set": result.set,
        "n": result.n,
        "value": result.value,
        "low": result.low,
        "high": result.high,
        "share": result.low >= 0 and result.high <= 1 and words[0].lower() not in ("ece", "brier"),
        "shown": said(result.value),
        "low_shown": said(result.low),
        "high_shown": said(result.high),
    }


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

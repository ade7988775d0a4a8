"""The worklist page: what waits, the most urgent first, with the sample in front."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from firstread.clinic.checks.checks import all_checks, manifest_of
from firstread.clinic.checks.sample_words import one_sample
from firstread.clinic.models import Case, CaseSample, Check, Person, ReadRow, Role, SignOff
from firstread.clinic.queue.waiting import why_waiting
from firstread.clinic.shown import worklist
from firstread.clinic.steps.who_may import answers_of
from firstread.clinic.templatetags.shown import title_of
from firstread.clinic.web.access import page, person_of
from firstread.domain.errors import FirstreadError
from firstread.domain.priority import Priority

PER_PAGE = 25
PICTURES = 4
"""So many samples of a case are shown in its thumbnail."""


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One measurement in the thumbnail of a row of measurements."""

    x: float
    y: float
    height: float
    kind: str


@dataclass(frozen=True, kw_only=True)
class Row:
    """One case as the worklist shows it."""

    case: Case
    cells: int
    one: str
    """What each of them is called."""
    pictures: Sequence[int]
    bars: Sequence[Bar]
    beats: str
    """Of a recording, how many of its beats are what the finding says."""
    finding: str
    alarming: bool
    alarm: str
    """What else raises the alarm, where the finding itself does not."""
    decision: str
    discordant: bool
    waits: str
    waits_because: str
    """Why no server has read it yet; empty where it is being read, or was."""
    answered: str


@page()
@require_GET
def worklist_page(request: HttpRequest) -> HttpResponse:
    person = person_of(request)
    show = request.GET.get("show", "")
    if show not in ("open", "decided"):
        # Nothing ever waits for an operator, so they see what is open.
        show = "open" if person.role == Role.OPERATOR else "mine"
    filters = {
        "check": request.GET.get("check", ""),
        "priority": request.GET.get("priority", ""),
        # An accession must not stand in an address, so the search is kept in the session.
        "text": request.session.get("search", ""),
    }
    cases = worklist.waiting(
        person, mine=show == "mine", state="" if show == "mine" else show, **filters
    )
    shown = Paginator(cases, PER_PAGE).get_page(request.GET.get("page"))
    counts = worklist.counts(person)
    context = {
        "show": show,
        "tabs": _tabs(person, show, counts=counts),
        "filters": filters,
        "filtered": any(filters.values()),
        "checks": all_checks(),
        "priorities": [each.name.lower() for each in reversed(Priority)],
        "page": shown,
        "rows": _rows(list(shown.object_list)),
        "greeting": _greeting(person, mine=counts.mine),
    }
    part = request.headers.get("HX-Request") == "true"
    return render(request, f"clinic/worklist{'_list' if part else ''}.html", context)


@page()
@require_POST
def search(request: HttpRequest) -> HttpResponse:
    request.session["search"] = request.POST.get("text", "")[:100].strip()
    back = QueryDict(request.POST.get("back", "")[:500], mutable=True)
    back.pop("page", None)
    asked = back.urlencode()
    return HttpResponseRedirect(reverse("worklist") + (f"?{asked}" if asked else ""))


def _greeting(person: Person, *, mine: int) -> str:
    if person.role == Role.TECHNICIAN:
        return f"{mine} of the samples you put in {'is' if mine == 1 else 'are'} not decided yet."
    if person.role == Role.OPERATOR:
        return "Every case, as the others see it."
    if not mine:
        return "Nothing waits for you. What comes in appears here by itself."
    waits = "case waits" if mine == 1 else "cases wait"
    return f"{mine} {waits} for your word, the most urgent first."


def _tabs(person: Person, show: str, *, counts: worklist.Counts) -> list[dict[str, Any]]:
    mine = "Put in by me" if person.role == Role.TECHNICIAN else "Waiting for me"
    tabs = [("mine", mine, counts.mine), ("open", "All open", counts.open)]
    tabs.append(("decided", "Decided", counts.decided))
    if person.role == Role.OPERATOR:
        tabs = tabs[1:]
    return [
        {
            "title": title,
            "count": count,
            "here": show == name,
            "href": reverse("worklist") + ("" if name == "mine" else f"?show={name}"),
        }
        for name, title, count in tabs
    ]


def _rows(cases: Sequence[Case]) -> list[Row]:
    pictures, bars = _pictures(cases), _bars(cases)
    decisions = {
        sign_off.case_id: sign_off.label
        for sign_off in SignOff.objects.filter(case__in=cases).order_by("number")
    }
    checks = {case.check_row for case in cases}
    titles, alarming = _labels(checks)
    ones = {check.name: one_sample(check) for check in checks}
    alarms, because, beats = _alarms(cases), why_waiting(cases), _beats(cases)
    return [
        _row(
            case,
            one=ones[case.check_row_id],
            pictures=pictures.get(case.pk, ()),
            bars=bars.get(case.pk, ()),
            beats=beats.get(case.pk, ""),
            titles=titles[case.check_row_id],
            alarming=alarming[case.check_row_id],
            alarms=alarms.get(case.pk, ()),
            decision=decisions.get(case.pk, ""),
            waits_because=because.get(case.pk, ""),
        )
        for case in cases
    ]


def _row(
    case: Any,
    *,
    one: str,
    pictures: Sequence[int],
    bars: Sequence[Bar],
    beats: str,
    titles: dict[str, str],
    alarming: frozenset[str],
    alarms: Sequence[str],
    decision: str,
    waits_because: str,
) -> Row:
    answers = case.answer_count or 0
    readers = case.check_row.readers
    return Row(
        case=case,
        cells=case.sample_count or 0,
        one=one,
        pictures=pictures,
        bars=bars,
        beats=beats,
        finding=title_of(case.finding, titles) if case.finding else "",
        alarming=case.finding in alarming and case.priority > Priority.ROUTINE,
        alarm=", ".join(title_of(each, titles) for each in alarms if each != case.finding),
        decision=title_of(decision, titles) if decision else "",
        discordant=bool(decision and case.finding and decision != case.finding),
        waits=_waits(answers, readers),
        waits_because=waits_because,
        answered=f"{answers} of {readers} answered" if answers and readers > 1 else "",
    )


def _waits(answers: int, readers: int) -> str:
    if answers:
        return "a second specialist"
    return "two specialists" if readers > 1 else "a specialist"


def _labels(checks: Iterable[Check]) -> tuple[dict[str, dict[str, str]], dict[str, frozenset[str]]]:
    titles: dict[str, dict[str, str]] = {}
    alarming: dict[str, frozenset[str]] = {}
    for check in checks:
        titles[check.name] = dict(answers_of(check, many=True))
        try:
            manifest = manifest_of(check)
        except FirstreadError:  # the pack is gone; the rows still show what it said
            alarming[check.name] = frozenset()
            continue
        groups = (group.code for group in manifest.groups if group.positive)
        alarming[check.name] = frozenset((*manifest.positive, *groups))
    return titles, alarming


def _alarms(cases: Sequence[Case]) -> dict[Any, list[str]]:
    """The alarms of single samples: of many samples the finding is the commonest alarm already."""
    alone = [case.pk for case in cases if case.priority > Priority.ROUTINE and _single(case)]
    reads = ReadRow.objects.filter(case_sample__case__in=alone)
    return dict(reads.values_list("case_sample__case_id", "body__alarms"))


def _single(case: Any) -> bool:
    return bool(case.sample_count == 1)


def _beats(cases: Sequence[Case]) -> dict[Any, str]:
    """Of single recordings, for what a share of the beats is says more than a probability."""
    named = {case.pk: case.finding for case in cases if _recorded(case) and _single(case)}
    reads = ReadRow.objects.filter(case_sample__case__in=named)
    return {
        case: f"{counts.get(named[case], 0):,} of {sum(counts.values()):,} beats"
        for case, counts in reads.values_list("case_sample__case_id", "body__counts")
        if counts
    }


def _recorded(case: Any) -> bool:
    return bool(case.check_row.kind == "recording")


def _pictures(cases: Sequence[Case]) -> dict[Any, list[int]]:
    images = [case for case in cases if case.check_row.kind != "measurements"]
    first = CaseSample.objects.filter(case__in=images, position__lte=PICTURES).order_by("position")
    found: dict[Any, list[int]] = defaultdict(list)
    for case_id, pk in first.values_list("case_id", "pk"):
        found[case_id].append(pk)
    # A mosaic has four pictures or is one.
    return {
        case: ids[:PICTURES] if len(ids) >= PICTURES else ids[:1] for case, ids in found.items()
    }


def _bars(cases: Sequence[Case]) -> dict[Any, list[Bar]]:
    measured = {case.pk: case for case in cases if case.check_row.kind == "measurements"}
    reads = ReadRow.objects.without_arrays().filter(case_sample__case__in=measured)
    found = {}
    for read in reads.select_related("case_sample"):
        case = measured[read.case_sample.case_id]
        try:
            takes = {each.code: each for each in manifest_of(case.check_row).measurements}
        except FirstreadError:
            continue
        values = [
            (each["value"], takes[each["measurement"]])
            for each in read.body["contributions"]
            if each["measurement"] in takes
        ]
        found[case.pk] = [
            _bar(value, place=place, of=len(values), top=takes.maximum)
            for place, (value, takes) in enumerate(values)
        ]
    return found


def _bar(value: float | None, *, place: int, of: int, top: float) -> Bar:
    height = 4.0 if value is None else max(4.0, 40.0 * value / top)
    x = 32 - of * 3 + place * 6 + 1
    kind = "missing" if value is None else ("high" if value > top / 2 else "low")
    return Bar(x=x, y=round(52 - height, 1), height=round(height, 1), kind=kind)

"""One case as a line of the worklist: its picture, finding and alarm, and for whom it waits."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery

from firstread.clinic.checks.checks import known_manifest
from firstread.clinic.checks.sample_words import one_sample
from firstread.clinic.models import Case, CaseSample, Check, ReadRow, Review, SignOff
from firstread.clinic.queue.waiting import why_waiting
from firstread.clinic.shown.kinds import KINDS, Glance
from firstread.clinic.shown.words import title_of
from firstread.clinic.steps.who_may import answers_of
from firstread.domain.priority import Priority
from firstread.domain.verdict import Verdict


@dataclass(frozen=True, kw_only=True)
class Row:
    """One case as the worklist shows it."""

    case: Case
    cells: int
    one: str
    """What each of them is called."""
    glance: Glance
    verdict: Verdict
    """Whether the finding stands, and what is shown where it does not."""
    finding: str
    """Empty where it does not."""
    alarming: bool
    alarm: str
    """What else raises the alarm, where the finding itself does not."""
    decision: str
    discordant: bool
    waits: str
    waits_because: str
    """Why no server has read it yet; empty where it is being read, or was."""
    answered: str


def rows_of(keys: Sequence[uuid.UUID]) -> tuple[Row, ...]:
    """The cases of those keys as lines, in the keys' order; one that went away has none."""
    found = {case.pk: case for case in _with_counts(Case.objects.filter(pk__in=keys))}
    return _rows([found[key] for key in keys if key in found])


def _with_counts(rows: QuerySet[Case]) -> QuerySet[Case]:
    """With `sample_count` and `answer_count` beside each."""
    counts = {
        f"{name}_count": Subquery(
            model.objects.filter(case=OuterRef("pk"))
            .order_by()
            .values("case")
            .annotate(n=Count("pk"))
            .values("n")
        )
        for name, model in (("sample", CaseSample), ("answer", Review))
    }
    return rows.annotate(**counts).select_related("check_row")


def _rows(cases: Sequence[Case]) -> tuple[Row, ...]:
    glances = _glances(cases)
    decisions = {
        sign_off.case_id: sign_off.label
        for sign_off in SignOff.objects.filter(case__in=cases).order_by("number")
    }
    checks = {case.check_row for case in cases}
    titles, alarming = _labels(checks)
    ones = {check.name: one_sample(check) for check in checks}
    alarms, because = _alarms(cases), why_waiting(cases)
    return tuple(
        _row(
            case,
            one=ones[case.check_row_id],
            glance=glances.get(case.pk, Glance()),
            titles=titles[case.check_row_id],
            alarming=alarming[case.check_row_id],
            alarms=alarms.get(case.pk, ()),
            decision=decisions.get(case.pk, ""),
            waits_because=because.get(case.pk, ""),
        )
        for case in cases
    )


def _row(
    case: Any,
    *,
    one: str,
    glance: Glance,
    titles: dict[str, str],
    alarming: frozenset[str],
    alarms: Sequence[str],
    decision: str,
    waits_because: str,
) -> Row:
    answers = case.answer_count or 0
    readers = case.check_row.readers
    verdict: Verdict = case.verdict
    named, rings = verdict.names_finding, verdict.may_ring
    return Row(
        case=case,
        cells=case.sample_count or 0,
        one=one,
        glance=glance,
        verdict=verdict,
        finding=title_of(case.finding, titles) if case.finding and named else "",
        alarming=rings and case.finding in alarming and case.priority > Priority.ROUTINE,
        alarm=", ".join(title_of(each, titles) for each in alarms if each != case.finding)
        if rings
        else "",
        decision=title_of(decision, titles) if decision else "",
        discordant=bool(decision) and case.is_contradicted_by(decision),
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
        manifest = known_manifest(check)
        groups = [group.code for group in manifest.groups if group.positive] if manifest else []
        alarming[check.name] = frozenset((*(manifest.positive if manifest else ()), *groups))
    return titles, alarming


def _alarms(cases: Sequence[Case]) -> dict[Any, list[str]]:
    """The alarms of single samples: of many samples the finding is the commonest alarm already."""
    alone = [case.pk for case in cases if case.priority > Priority.ROUTINE and _single(case)]
    reads = ReadRow.objects.filter(case_sample__case__in=alone)
    return dict(reads.values_list("case_sample__case_id", "body__alarms"))


def _single(case: Any) -> bool:
    return bool(case.sample_count == 1)


def _glances(cases: Sequence[Case]) -> dict[uuid.UUID, Glance]:
    """What each kind shows of its cases."""
    by_kind: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        by_kind[case.check_row.kind].append(case)
    found: dict[uuid.UUID, Glance] = {}
    for kind, theirs in by_kind.items():
        found |= KINDS[kind].glances(theirs)
    return found

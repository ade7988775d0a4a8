"""Measurements: typed in or put in as a table, and shown with what each adds to the answer."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from firstread.clinic.checks.checks import known_manifest
from firstread.clinic.models import Case, ReadRow
from firstread.clinic.shown.case import CaseView, Cell
from firstread.clinic.shown.contributions import Contributions, contributions_of
from firstread.clinic.shown.kinds import Bar, Glance, KindOfPage, PutIn


def _own(view: CaseView, cell: Cell, *, beat: int | None) -> Contributions | None:  # noqa: ARG001  an Own
    if cell.read is None or view.manifest is None or not cell.read.contributions:
        return None
    return contributions_of(cell.read, view.manifest)


def _glances(cases: Sequence[Case]) -> dict[uuid.UUID, Glance]:
    """The values of each row as bars, once it is read."""
    measured = {case.pk: case for case in cases}
    reads = ReadRow.objects.without_arrays().filter(case_sample__case__in=measured)
    found = {}
    for read in reads.select_related("case_sample"):
        case = measured[read.case_sample.case_id]
        manifest = known_manifest(case.check_row)
        if manifest is None:
            continue
        takes = {each.code: each for each in manifest.measurements}
        values = [
            (each["value"], takes[each["measurement"]])
            for each in read.body["contributions"]
            if each["measurement"] in takes
        ]
        bars = [
            _bar(value, place=place, of=len(values), top=takes.maximum)
            for place, (value, takes) in enumerate(values)
        ]
        found[case.pk] = Glance(bars=bars)
    return found


def _bar(value: float | None, *, place: int, of: int, top: float) -> Bar:
    height = 4.0 if value is None else max(4.0, 40.0 * value / top)
    x = 32 - of * 3 + place * 6 + 1
    kind = "missing" if value is None else ("high" if value > top / 2 else "low")
    return Bar(x=x, y=round(52 - height, 1), height=round(height, 1), kind=kind)


KIND = KindOfPage(
    put_in=PutIn(
        icon="table",
        offer="Measurements, or a table",
        offer_many="Measurements, or a table",
        form="clinic/put_in/measurements.html",
    ),
    glances=_glances,
    stage="clinic/case/measurements.html",
    own=_own,
)

"""The newest answer that somebody can still take back, as a bar on every page shows it."""

from __future__ import annotations

import math
import uuid
from dataclasses import dataclass

from firstread.clinic.models import Case, Person, Review, clock
from firstread.clinic.steps.final import TAKEN_BACK_FOR, is_veiled, may_take_back


@dataclass(frozen=True, kw_only=True)
class TakeBack:
    """An answer that can be taken back."""

    case_id: uuid.UUID
    accession: str
    left_s: int


def newest_answer(person: Person) -> TakeBack | None:
    """None where there is none, or the newest is final."""
    if not person.decides:
        return None
    mine = Review.objects.filter(by=person).select_related("case").order_by("-pk").first()
    if mine is None or mine.final_at is not None:
        return None
    now = clock.now()
    if may_take_back(mine, at=now):
        return None
    left_s = math.floor((mine.at + TAKEN_BACK_FOR - now).total_seconds())
    return TakeBack(case_id=mine.case_id, accession=mine.case.accession, left_s=left_s)


def case_is_veiled(case: Case, *, by: Person) -> bool:
    """Whether what came of this person's answer to the case is not shown to them yet."""
    return is_veiled(list(case.reviews.all()), by=by, at=clock.now())

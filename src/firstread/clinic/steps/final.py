"""When an answer is final: ten seconds after it was given, or as soon as somebody else saw it.

Seen is an answer once another person opened the case, read it by the API, alone or in a list, or
answered, corrected or amended it. Its author must not learn what came of it and then take it back,
either: where others answered before, what they said would lead the next answer.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, QuerySet

from firstread.clinic.models import Case, Outgoing, Person, Review, Role, clock

TAKEN_BACK_FOR = timedelta(seconds=10)
"""So long after it was given an answer can be taken back, by the database's clock."""
LEAVES_AFTER = TAKEN_BACK_FOR + timedelta(seconds=2)
"""When what tells of an answer leaves: no sooner than the last that takes it back is through."""


def seen(cases: Collection[uuid.UUID], *, by: Person, at: datetime) -> bool:
    """This person is about to see the cases: fresh answers of others are final; whether any were.

    To be called before the cases are read, so that what is shown stays so.
    """
    fresh = _fresh(at).filter(case__in=cases).exclude(by=by)
    # A look must not wait for whoever writes, where there is nothing to write.
    return fresh.exists() and fresh.update(final_at=at) > 0


def used(case: Case) -> None:
    """Something was done that rests on the answers to the case, or changes them."""
    now = clock.now()
    if _fresh(now).filter(case=case).update(final_at=now):
        # What tells of them goes before what tells of this.
        held = Outgoing.objects.filter(case=case, attempts=0, retry_at__gt=now)
        held.update(retry_at=None)


def learnt(by: Person, *, at: datetime, of: uuid.UUID | None = None) -> None:
    """This person is about to see what came of their own answers, where others answered, too."""
    others = Review.objects.filter(case=OuterRef("case")).exclude(by=OuterRef("by"))
    told = _fresh(at).filter(Exists(others), by=by)
    told = told.filter(case=of) if of else told
    if told.exists():
        told.update(final_at=at)


def may_take_back(review: Review, *, at: datetime) -> str:
    """Why the answer cannot be taken back; empty where it can."""
    if review.final_at is not None:
        return "Your answer has been seen by now, so that it stands. Amend it, or ask the chief."
    if at - review.at >= TAKEN_BACK_FOR:
        return "An answer can be taken back for ten seconds. Amend it, or ask the chief."
    return ""


def fresh_answer(reviews: Iterable[Review], *, by: Person, at: datetime) -> Review | None:
    """This person's answer among those to a case, where they can take it back."""
    mine = next((each for each in reviews if each.by_id == by.pk), None)
    return mine if mine is not None and not may_take_back(mine, at=at) else None


def is_veiled(reviews: Collection[Review], *, by: Person, at: datetime) -> bool:
    """Whether this person must not see yet what came of their answer to a case.

    They may take it back, and others answered. The chief decides knowing their answers.
    """
    others = any(each.by_id != by.pk for each in reviews)
    return others and by.role != Role.CHIEF and fresh_answer(reviews, by=by, at=at) is not None


def _fresh(at: datetime) -> QuerySet[Review]:
    return Review.objects.filter(final_at=None, at__gt=at - TAKEN_BACK_FOR)

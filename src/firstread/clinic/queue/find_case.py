"""Finding a case by its number, with or without holding it."""

from __future__ import annotations

import uuid

from firstread.clinic.models import Case
from firstread.domain.errors import UnknownCase


def found_case(case_id: uuid.UUID | str) -> Case:
    """The case of that number; raises UnknownCase."""
    case = (
        Case.objects.select_related("check_row", "patient", "requester")
        .filter(pk=_number(case_id))
        .first()
    )
    if case is None:
        raise UnknownCase(_SENTENCE)
    return case


def locked_case(case_id: uuid.UUID | str) -> Case:
    """The case of that number, held until the transaction ends; raises UnknownCase."""
    rows = Case.objects.select_related("check_row").filter(pk=_number(case_id))
    case = rows.select_for_update(of=("self",)).first()
    if case is None:
        raise UnknownCase(_SENTENCE)
    return case


_SENTENCE = "There is no case of that number. Find it in the worklist."


def _number(case_id: uuid.UUID | str) -> uuid.UUID:
    if isinstance(case_id, uuid.UUID):
        return case_id
    try:
        return uuid.UUID(case_id)
    except ValueError:
        raise UnknownCase(_SENTENCE) from None

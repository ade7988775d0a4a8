"""Cases that were put in wrongly: corrected, withdrawn, reinstated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router

from firstread.clinic.api import shown
from firstread.clinic.api.access import ScopeThatMayDecide
from firstread.clinic.api.cases import KEY, REFUSALS, person_of
from firstread.clinic.api.key import digest, key_of
from firstread.clinic.api.parse import body_of, body_schema
from firstread.clinic.api.schemas import CaseOut, CorrectionIn, Reason
from firstread.clinic.models import Case
from firstread.clinic.queue.once import once_with_work
from firstread.clinic.shown.case import look
from firstread.clinic.steps import correct, withdraw

router = Router(tags=["cases"])
_AUTH = ScopeThatMayDecide("cases:write", decides="reviews:write")


@router.post(
    "/cases/{uuid:case_id}/corrections",
    auth=_AUTH,
    response={200: CaseOut, **REFUSALS},
    openapi_extra={"parameters": [KEY], "requestBody": body_schema(CorrectionIn)},
    summary="Correct an accession, a patient or a check",
)
def correct_case(request: HttpRequest, case_id: UUID) -> dict[str, Any]:
    """Moved to another check the case is read anew; a signed-off one is corrected by an amendment.

    Changing a signed-off case takes the scope `reviews:write` as well.
    """
    return _done(request, case_id, body=body_of(request, CorrectionIn), step=correct.correct)


@router.post(
    "/cases/{uuid:case_id}/withdrawal",
    auth=_AUTH,
    response={200: CaseOut, **REFUSALS},
    openapi_extra={"parameters": [KEY], "requestBody": body_schema(Reason)},
    summary="Withdraw a case",
)
def withdraw_case(request: HttpRequest, case_id: UUID) -> dict[str, Any]:
    """It leaves every worklist, and no result of it stands; all of it stays readable."""
    return _done(request, case_id, body=body_of(request, Reason), step=withdraw.withdraw)


@router.post(
    "/cases/{uuid:case_id}/reinstatement",
    auth=_AUTH,
    response={200: CaseOut, **REFUSALS},
    openapi_extra={"parameters": [KEY], "requestBody": body_schema(Reason)},
    summary="Reinstate a withdrawn case",
)
def reinstate_case(request: HttpRequest, case_id: UUID) -> dict[str, Any]:
    """It is where it was, with its reads and answers."""
    return _done(request, case_id, body=body_of(request, Reason), step=withdraw.reinstate)


def _done(
    request: HttpRequest,
    case_id: UUID,
    *,
    body: CorrectionIn | Reason,
    step: Callable[..., Case],
) -> dict[str, Any]:
    """The case after the step, which counts once for a key."""
    person, asks = person_of(request), body.model_dump()
    with once_with_work(key_of(request), person=person, digest=digest(request, asks)) as asked:
        if asked.answer is None:
            decides: bool = request.decides  # type: ignore[attr-defined]  # _AUTH sets it
            step(case_id, by=person, decides=decides, **asks)
            asked.answer = 200, shown.whole(look(case_id, by=person))
    return asked.answer[1]

"""The checks that can be asked, and the packs that answer them."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router

from firstread.clinic.api import shown
from firstread.clinic.api.access import Scope
from firstread.clinic.api.cases import REFUSALS
from firstread.clinic.api.schemas import ChecksOut, PacksOut
from firstread.clinic.shown.checks import shown_checks, shown_packs

router = Router(tags=["checks"], auth=Scope("checks:read"))


@router.get("/checks", response={200: ChecksOut, **REFUSALS}, summary="List the checks")
def list_checks(request: HttpRequest) -> dict[str, Any]:  # noqa: ARG001  ninja's signature
    """What can be asked of a sample, with the labels and measurements of each check."""
    return {"checks": [shown.check(each) for each in shown_checks()]}


@router.get("/packs", response={200: PacksOut, **REFUSALS}, summary="List the packs")
def list_all_packs(request: HttpRequest) -> dict[str, Any]:  # noqa: ARG001  ninja's signature
    """What the models are, for whom, and how well they did where they were measured."""
    return {"packs": [shown.pack(each) for each in shown_packs()]}

"""The checks that can be asked, and the packs that answer them."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router

from firstread.clinic.api import shown
from firstread.clinic.api.access import Scope
from firstread.clinic.api.cases import REFUSALS
from firstread.clinic.api.schemas import ChecksOut, PacksOut
from firstread.clinic.checks.checks import all_checks
from firstread.domain.errors import PackRefused
from firstread.packs import list_packs, open_manifest

router = Router(tags=["checks"], auth=Scope("checks:read"))


@router.get("/checks", response={200: ChecksOut, **REFUSALS}, summary="List the checks")
def list_checks(request: HttpRequest) -> dict[str, Any]:  # noqa: ARG001  ninja's signature
    """What can be asked of a sample, with the labels and measurements of each check."""
    return {"checks": [shown.check(check) for check in all_checks()]}


@router.get("/packs", response={200: PacksOut, **REFUSALS}, summary="List the packs")
def list_all_packs(request: HttpRequest) -> dict[str, Any]:  # noqa: ARG001  ninja's signature
    """What the models are, for whom, and how well they did where they were measured."""
    packs = []
    for folder in list_packs():
        try:
            packs.append(shown.pack(open_manifest(folder)))
        except PackRefused:
            continue  # the page of the packs and `firstread doctor` say what ails it
    return {"packs": packs}

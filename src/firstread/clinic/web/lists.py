"""Which list of cases an address asks for; its search is kept in the session."""

from __future__ import annotations

import secrets

from django.http import HttpRequest, QueryDict

from firstread.clinic.shown.worklist import Asked

KEPT = 5
"""How many searches of one session can be gone back to."""


def list_asked(request: HttpRequest, given: QueryDict) -> Asked:
    """The list that this address asks for."""
    found = given.get("found", "")
    text = request.session.get("searches", {}).get(found, "")
    return Asked(
        show=given.get("show", ""),
        check=given.get("check", ""),
        priority=given.get("priority", ""),
        text=text,
        found=found if text else "",
    )


def list_come_from(request: HttpRequest) -> Asked:
    """The list from which somebody came to this page of a case."""
    return list_asked(request, QueryDict(request.GET.get("list", "")[:300]))


def keep_search(request: HttpRequest, text: str) -> str:
    """Keep a search, and say by what word an address asks for it: the text must not stand there."""
    word = secrets.token_hex(4)
    kept = [*request.session.get("searches", {}).items(), (word, text)]
    request.session["searches"] = dict(kept[-KEPT:])
    return word

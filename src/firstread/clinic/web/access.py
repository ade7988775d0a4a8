"""Who may open a page: everybody who has signed in, or the roles that are named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from firstread.clinic.models import Person, Role
from firstread.domain.errors import (
    FirstreadError,
    NotAllowed,
    TroubleElsewhere,
    UnknownCase,
    UnknownCheck,
    UnknownPack,
    WrongState,
)

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """What a page of one sentence says."""

    title: str
    sentence: str


REFUSALS: dict[type[FirstreadError], tuple[int, str]] = {
    NotAllowed: (403, "This is not for you"),
    UnknownCase: (404, "There is nothing here"),
    UnknownCheck: (404, "There is no such check"),
    UnknownPack: (404, "There is no such pack"),
    WrongState: (409, "This came too late"),
}


def page(*roles: Role) -> Callable[[View[P]], View[P]]:
    """A page for people who have signed in and, where roles are named, have one of them.

    What a step refuses is shown as a page with its sentence.
    """

    def wrapped(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if roles and person_of(request).role not in roles:
                raise PermissionDenied
            try:
                response = view(request, *args, **kwargs)
            except FirstreadError as error:
                response = refusal(request, error)
            # What a shared computer keeps of a page, the next person can read.
            response.headers.setdefault("Cache-Control", "no-store")
            return response

        return cast("View[P]", login_required(guarded))

    return wrapped


def person_of(request: HttpRequest) -> Person:
    """The person who signed in."""
    user: Any = request.user
    if not isinstance(user, Person):
        raise PermissionDenied
    return user


def refusal(request: HttpRequest, error: FirstreadError) -> HttpResponse:
    """A page that says what was refused, and why."""
    elsewhere = isinstance(error, TroubleElsewhere)
    other = (503, "This did not work just now") if elsewhere else (400, "This did not work")
    status, title = REFUSALS.get(type(error), other)
    shown = Refusal(title=title, sentence=str(error))
    return render(request, "clinic/refusal.html", {"page": shown}, status=status)

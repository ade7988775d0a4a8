"""Who calls, and how often: the bearer token with its scope, and the limit on requests."""

from __future__ import annotations

import time

from django.core.cache import cache
from django.http import HttpRequest
from ninja.security import HttpBearer
from ninja.throttling import BaseThrottle

from firstread.clinic.accounts import tokens
from firstread.clinic.models import Person

REQUESTS_PER_S = 100
"""Each person; a laboratory's busiest sender stays far below it, a loop gone wild does not."""


class Scope(HttpBearer):
    """Lets a living token with this scope pass, and stands for its person.

    Sessions are not taken here: a page of another site could use the cookie, but has no token.
    """

    def __init__(self, scope: str) -> None:
        super().__init__()
        self.scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> Person | None:  # noqa: ARG002  ninja's signature
        return tokens.person_of(token, scope=self.scope)


class ScopeThatMayDecide(Scope):
    """Says on the request, too, whether the token has the scope that changing a decision takes."""

    def __init__(self, scope: str, *, decides: str) -> None:
        super().__init__(scope)
        self.decides = decides

    def authenticate(self, request: HttpRequest, token: str) -> Person | None:
        decides = self.decides in tokens.scopes_of(token)
        request.decides = decides  # type: ignore[attr-defined]  # for the view
        return super().authenticate(request, token)


class PerPerson(BaseThrottle):
    """At most so many requests a second for each person."""

    def allow_request(self, request: HttpRequest) -> bool:
        person = getattr(request, "auth", None)
        if person is None:
            return True
        key = f"api:{person.pk}:{int(time.time())}"
        cache.add(key, 0, timeout=5)
        try:
            return int(cache.incr(key)) <= REQUESTS_PER_S
        except ValueError:  # the second's count was evicted between the two calls
            return True

    def wait(self) -> float:
        return 1.0

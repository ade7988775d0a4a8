"""What programs sign in with: bearer tokens with scopes, kept as digests only."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from datetime import timedelta

from django.db import transaction

from firstread.clinic import audit
from firstread.clinic.models import ApiToken, Person, clock
from firstread.domain.errors import BadConfiguration, NotAllowed

SCOPES = {
    "cases:read": "look at cases, their reads and their history",
    "cases:write": "put samples in, correct and withdraw cases",
    "reviews:write": "answer and amend cases, as far as the person may",
    "checks:read": "list the checks and the packs that read them",
}
DEFAULT_SCOPES = ("cases:read", "cases:write", "checks:read")
PREFIX = "frs_"
"""Makes a token that leaked recognisable to whoever, or whatever, finds it."""
DEFAULT_DAYS = 365
SEEN_EVERY = timedelta(minutes=1)


def issue(
    person: Person,
    *,
    scopes: Collection[str] = DEFAULT_SCOPES,
    name: str = "",
    days: int | None = DEFAULT_DAYS,
) -> tuple[str, ApiToken]:
    """A new token for the person, and its secret, which nobody can look up again.

    It stands for the person: it may what they may, as far as the scopes go.
    """
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        raise BadConfiguration(
            f"There is no scope '{', '.join(unknown)}'. Choose from: {', '.join(SCOPES)}."
        )
    if days is not None and not 1 <= days <= 3650:
        raise BadConfiguration(
            "A token lives from 1 to 3650 days. Choose a number of days between them."
        )
    secret = PREFIX + secrets.token_urlsafe(32)
    now = clock.now()
    with transaction.atomic():
        token = ApiToken.objects.create(
            person=person,
            name=name[:80],
            digest=_digest(secret),
            scopes=sorted(set(scopes)),
            created_at=now,
            expires_at=None if days is None else now + timedelta(days=days),
        )
        audit.append("token_issued", by=person, detail={"token": token.pk, "scopes": token.scopes})
    return secret, token


def person_of(secret: str, *, scope: str) -> Person | None:
    """The active person for whom the token stands; None where no living token has that secret.

    Raises NotAllowed where the token lives and has not the scope.
    """
    token = ApiToken.objects.select_related("person").filter(digest=_digest(secret)).first()
    now = clock.now()
    if token is None or token.revoked_at is not None or not token.person.is_active:
        return None
    if token.expires_at is not None and token.expires_at <= now:
        return None
    if scope not in token.scopes:
        raise NotAllowed(
            f"This token has not the scope '{scope}'. "
            f"Issue one that has: 'firstread token PERSON {_options({*token.scopes, scope})}'."
        )
    # A row written at every request would make readers queue behind each other.
    if token.last_used_at is None or now - token.last_used_at > SEEN_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token.person


def scopes_of(secret: str) -> frozenset[str]:
    """What the token with that secret is good for, whether it still lives or not."""
    scopes = ApiToken.objects.filter(digest=_digest(secret)).values_list("scopes", flat=True)
    return frozenset(*scopes[:1])


def revoke(token: ApiToken) -> bool:
    """End the token at once; False where it had ended before."""
    with transaction.atomic():
        ended = ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=clock.now())
        if ended:
            audit.append("token_revoked", by=token.person, detail={"token": token.pk})
    return bool(ended)


def _digest(secret: str) -> str:
    # 256 random bits need no slow hash: there is nothing to guess.
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def _options(scopes: Collection[str]) -> str:
    return " ".join(f"--scope {scope}" for scope in sorted(scopes))

"""What the put-in page shows: the checks, what the chosen one takes, what was refused lately."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from firstread.clinic.checks.checks import enabled_checks, manifest_of
from firstread.clinic.models import Check, RefusedSample
from firstread.clinic.shown.kinds import KINDS, PutIn
from firstread.domain.errors import FirstreadError
from firstread.domain.kinds import WORDS
from firstread.inbox.troubles import kept_troubles
from firstread.packs import Measurement

REFUSED_SHOWN = 12


@dataclass(frozen=True, kw_only=True)
class Question:
    """One check that a sample can be put in for, and what it takes."""

    check: Check
    icon: str
    offer: str


@dataclass(frozen=True, kw_only=True)
class PutInPage:
    """The page for the chosen check; None is chosen where it is still to be asked."""

    questions: tuple[Question, ...]
    chosen: Check | None
    asks: PutIn | None
    """How the chosen check's samples are asked for."""
    one: str
    """What one of them is called."""
    trouble: str
    """Why the check's pack cannot be opened at the moment; empty where it can."""
    measurements: tuple[Measurement, ...]
    refused: tuple[RefusedSample, ...]
    """The newest samples that could not be opened."""
    upload_mb: int
    inbox_troubles: tuple[str, ...]
    """What keeps files in the watched folder from being taken; none where nothing does."""

    @property
    def upload_bytes(self) -> int:
        return self.upload_mb * 2**20


def chosen_check(name: str) -> Check | None:
    """The enabled check of that name; of one alone that one. Else it is asked, never guessed."""
    checks = enabled_checks()
    only = checks[0] if len(checks) == 1 and not name else None
    return next((check for check in checks if check.name == name), only)


def put_in_page(chosen: Check | None) -> PutInPage:
    trouble, measurements = "", tuple[Measurement, ...]()
    if chosen is not None:
        try:
            measurements = manifest_of(chosen).measurements
        except FirstreadError as error:
            trouble = str(error)
    return PutInPage(
        questions=tuple(_question(check) for check in enabled_checks()),
        chosen=chosen,
        asks=KINDS[chosen.kind].put_in if chosen else None,
        one=WORDS[chosen.kind].one if chosen else "",
        trouble=trouble,
        measurements=measurements,
        refused=tuple(RefusedSample.objects.select_related("by")[:REFUSED_SHOWN]),
        upload_mb=settings.FIRSTREAD.server.upload_mb,
        inbox_troubles=_inbox_troubles(),
    )


def _inbox_troubles() -> tuple[str, ...]:
    config = settings.FIRSTREAD
    return () if config.inbox.folder is None else kept_troubles(config.home)


def _question(check: Check) -> Question:
    asks = KINDS[check.kind].put_in
    return Question(
        check=check, icon=asks.icon, offer=asks.offer_many if check.many else asks.offer
    )

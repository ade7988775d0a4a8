"""Where a case belongs whose pictures show what another check of this site reads."""

from __future__ import annotations

from firstread.clinic.checks.checks import enabled_checks, known_manifest
from firstread.clinic.models import Case, Check, Person
from firstread.clinic.steps.who_may import may_correct
from firstread.domain.case import WAITING


def checks_to_move_to(case: Case, *, by: Person) -> tuple[Check, ...]:
    """The checks whose packs read what the case's pictures show, if this person may move it.

    None where the case is decided, or holds several pictures and such a check takes one a case.
    """
    if not case.motif or case.state not in WAITING or may_correct(case, by=by):
        return ()
    several = case.samples.count() > 1
    return tuple(
        check
        for check in enabled_checks()
        if check.pk != case.check_row_id
        and (check.many or not several)
        and (manifest := known_manifest(check)) is not None
        and manifest.pack.motif == case.motif
    )

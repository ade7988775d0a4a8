"""After a restore nothing leaves until an operator says so: the site before may still run."""

from __future__ import annotations

from django.db import transaction

from firstread.clinic import audit
from firstread.clinic.models import Person, Restored, clock
from firstread.clinic.queue import wake
from firstread.domain.errors import WrongState


def why_held() -> str:
    """Why nothing leaves at the moment; '' where it does."""
    row = Restored.objects.filter(released_at=None).order_by("-restored_at").first()
    if row is None:
        return ""
    return (
        f"This site was restored from the backup of {row.made_at:%Y-%m-%d %H:%M} UTC. Nothing "
        "leaves until the operator has seen to it that the site before runs no more, and says so: "
        "'firstread outbox release'."
    )


def release(*, by: Person | None) -> None:
    """From now on what waits leaves; raises WrongState where nothing was held."""
    with transaction.atomic():
        if not Restored.objects.filter(released_at=None).update(released_at=clock.now()):
            raise WrongState("Nothing is held: what waits leaves already.")
        audit.append("released", by=by)
        transaction.on_commit(wake.outbox.ring)

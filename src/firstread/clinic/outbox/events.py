"""What happens to a case: sealed in the audit trail, and written for every address that hears."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from firstread.clinic import audit
from firstread.clinic.models import Case, Outgoing, Person, clock
from firstread.clinic.outbox.write import AT_ONCE, settings_of, write
from firstread.clinic.queue.waiting import WAITS
from firstread.connect.channels import CHANNELS

EVENTS = {
    "received": "case.received",
    "added": "case.samples_added",
    WAITS: "case.waits",
    "read": "case.read",
    "unfit": "case.unfit",
    "answered": "case.answered",
    "differ": "case.waits_for_chief",
    "signed_off": "case.signed_off",
    "amended": "case.amended",
    "reread": "case.read_again",
    "corrected": "case.corrected",
    "withdrawn": "case.withdrawn",
    "reinstated": "case.reinstated",
}
"""The event that an action of the audit trail is to the outside."""


def happened(
    action: str,
    *,
    case: Case,
    by: Person | None,
    detail: Mapping[str, Any] | None = None,
    leaves_in: timedelta = AT_ONCE,
) -> None:
    """Add the action to the audit trail, and tell whoever hears of events.

    Runs inside the transaction that changes the case, after the change. What leaves holds no
    finding, no name and no accession; `detail` stays in the trail.
    """
    write(_rows(EVENTS[action], case=case, at=clock.now()), leaves_in=leaves_in)
    # Last, for whoever adds to the trail holds up everybody else who does until the commit.
    audit.append(action, by=by, case=case, detail=detail)


def _rows(event: str, *, case: Case, at: datetime) -> Iterator[Outgoing]:
    for channel in CHANNELS.values():
        for address in channel.hears(settings_of(channel)):
            yield Outgoing(
                key=f"event_{uuid.uuid4().hex}",
                channel=channel.name,
                address=address,
                payload_kind="event",
                payload=_payload(event, case=case, at=at),
                case=case,
            )


def _payload(event: str, *, case: Case, at: datetime) -> dict[str, Any]:
    verdict = case.verdict
    doubt = {} if verdict.doubt is None else {"doubt": str(verdict.doubt)}
    return {
        "type": event,
        "timestamp": at.isoformat(timespec="milliseconds"),
        "data": {
            "case": str(case.pk),
            "check": case.check_row_id,
            "state": str(case.state),
            **doubt,
            "link": f"{settings.FIRSTREAD.base_url}/cases/{case.pk}",
        },
    }

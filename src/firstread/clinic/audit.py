"""The audit trail: who did and saw what, each row sealed with the seal of the one before."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from firstread.clinic.models import AuditHead, AuditRow, Case, Person, clock
from firstread.domain.errors import AuditBroken

SYSTEM = "firstread"
"""The actor of what nobody asked for, such as a first read."""
GENESIS = "0" * 64
_LOCK = 0x4669727374  # any number, as long as it stays the same


@dataclass(frozen=True, kw_only=True)
class Verified:
    """How many rows add up."""

    rows: int


def append(
    action: str,
    *,
    by: Person | None,
    case: Case | None = None,
    detail: Mapping[str, Any] | None = None,
) -> AuditRow:
    """Add a row to the trail, inside the transaction of what it tells of."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("An audit row belongs to a transaction.")
    number, previous = _next()
    row = AuditRow(
        number=number,
        at=clock.now().isoformat(timespec="microseconds"),
        actor=by.username if by else SYSTEM,
        action=action,
        case_id=case.pk if case else None,
        detail=dict(detail or {}),
        previous=previous,
    )
    row.seal = _seal(row)
    row.save(force_insert=True)
    head = {"number": number, "seal": row.seal, "signature": _signature(number, row.seal)}
    if not AuditHead.objects.filter(pk=1).update(**head):
        AuditHead.objects.create(pk=1, **head)
    return row


def verify() -> Verified:
    """Follow the whole chain; raises AuditBroken, naming the row that does not add up."""
    number, previous = 0, GENESIS
    for row in AuditRow.objects.order_by("number").iterator(chunk_size=2000):
        if row.number != number + 1:
            raise AuditBroken(_missing(number + 1, row.number - 1))
        if row.previous != previous:
            raise AuditBroken(
                f"Row {row.number} of the audit trail does not follow row {number}: "
                "one of them was put in or changed. Compare with a backup."
            )
        if not hmac.compare_digest(row.seal, _seal(row)):
            raise AuditBroken(
                f"Row {row.number} of the audit trail was changed after it was written, or the "
                "secret key is another. Compare with a backup."
            )
        number, previous = row.number, row.seal
    _refuse_cut_end(number, previous)
    _refuse_cases_without_rows()
    return Verified(rows=number)


def _next() -> tuple[int, str]:
    """The number of the next row and the seal before it, held until the transaction ends.

    All writers wait here for one another, so the way from here to the commit is kept short: whoever
    gets the head's row reads it as the one before left it.
    """
    head = _held_head()
    if head is None and connection.vendor == "postgresql":
        with connection.cursor() as cursor:  # there is no row yet that could be held
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        head = _held_head()
    if head is not None:
        return head.number + 1, head.seal
    last = AuditRow.objects.order_by("-number").first()
    if last is None:
        return 1, GENESIS
    # Somebody removed the head. Leave a gap, so that the trail can never be whole again.
    return last.number + 2, last.seal


def _held_head() -> AuditHead | None:
    # SQLite holds no rows, and Django asks it for none: it has one writer at a time.
    return AuditHead.objects.select_for_update().filter(pk=1).first()


def _refuse_cut_end(number: int, seal: str) -> None:
    head = AuditHead.objects.filter(pk=1).first()
    if head is None:
        if number:
            raise AuditBroken(
                f"The audit trail has lost its head: rows after {number} may be missing. "
                "Compare with a backup."
            )
        return
    if not hmac.compare_digest(head.signature, _signature(head.number, head.seal)):
        raise AuditBroken("The head of the audit trail was changed. Compare with a backup.")
    if head.number > number:
        raise AuditBroken(_missing(number + 1, head.number))
    if (head.number, head.seal) != (number, seal):
        raise AuditBroken(
            f"Row {number} of the audit trail came after its head. Compare with a backup."
        )


def _refuse_cases_without_rows() -> None:
    told = AuditRow.objects.filter(action="received").values("case_id")
    orphan = Case.objects.exclude(pk__in=told).values_list("pk", flat=True).first()
    if orphan is not None:
        raise AuditBroken(
            f"The audit trail does not tell how case {orphan} was received. Compare with a backup."
        )


def _missing(first: int, last: int) -> str:
    rows = (
        f"Row {first} of the audit trail is"
        if first == last
        else (f"Rows {first} to {last} of the audit trail are")
    )
    return f"{rows} missing. Compare with a backup."


def _seal(row: AuditRow) -> str:
    told = {
        "number": row.number,
        "at": row.at,
        "actor": row.actor,
        "action": row.action,
        "case": str(row.case_id) if row.case_id else None,
        "detail": row.detail,
        "previous": row.previous,
    }
    return _hmac(json.dumps(told, sort_keys=True, separators=(",", ":")))


def _signature(number: int, seal: str) -> str:
    return _hmac(f"head {number} {seal}")


def _hmac(text: str) -> str:
    key = hmac.digest(settings.SECRET_KEY.encode(), b"firstread audit trail", "sha256")
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()

"""The audit trail: who did and saw what, each row sealed with the seal of the one before.

The key that seals can be changed: the last row that the old one sealed names the new one.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from firstread.clinic import seals
from firstread.clinic.models import AuditHead, AuditRow, Case, Person, clock
from firstread.clinic.seals import Key
from firstread.domain.errors import AuditBroken, KeyMissing, WrongState

SYSTEM = "firstread"
"""The actor of what nobody asked for, such as a first read."""
GENESIS = "0" * 64
NEW_KEY = "new_audit_key"
"""The action of the last row that a key seals; `key` names the one that seals from there on."""
LOST_KEY = "lost_audit_key"
"""The action of the first row sealed by a new key where nobody had the one before."""
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
    """Add a row to the trail, inside the transaction of what it tells of.

    Raises KeyMissing where another key seals by now, and this process has it not.
    """
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
    _write(row, key=seals.current(), following=seals.current())
    return row


def verify() -> Verified:
    """Follow the whole chain; raises AuditBroken, naming the row that does not add up."""
    number, previous = 0, GENESIS
    lost = AuditRow.objects.filter(action=LOST_KEY).order_by("-number").first()
    from_row = lost.number if lost else 1
    key = _first_key(lost)
    for row in AuditRow.objects.order_by("number").iterator(chunk_size=2000):
        if row.number != number + 1:
            raise AuditBroken(_missing(number + 1, row.number - 1))
        if row.previous != previous:
            raise AuditBroken(
                f"Row {row.number} of the audit trail does not follow row {number}: "
                "one of them was put in or changed. Compare with a backup."
            )
        if row.number >= from_row and not hmac.compare_digest(row.seal, _seal(row, key)):
            raise AuditBroken(
                f"Row {row.number} of the audit trail was changed after it was written, or the "
                "secret key is another. Compare with a backup."
            )
        if row.number >= from_row and row.action == NEW_KEY:
            key = _named(str(row.detail.get("key")), sealed=f"rows after {row.number}")
        number, previous = row.number, row.seal
    _refuse_cut_end(number, previous, key)
    _refuse_cases_without_rows()
    if lost is not None and lost.number > 1:
        raise AuditBroken(
            f"Rows 1 to {lost.number - 1} of the audit trail were sealed with a key that was lost "
            f"on {lost.at[:10]}, so nobody can say whether they are as they were written. From row "
            f"{lost.number} on the trail adds up."
        )
    return Verified(rows=number)


def has_content() -> bool:
    """Whether the database holds anything that a key has signed or sealed."""
    kinds: tuple[Any, ...] = (AuditRow, Person, Case)
    return any(kind.objects.exists() for kind in kinds)


def refuse_other_key() -> None:
    """Raises KeyMissing where this database's trail was sealed with a key that is not here."""
    if has_content():
        _sealing_key(AuditHead.objects.filter(pk=1).first())


def refuse_old_key() -> None:
    """Raises KeyMissing where another key seals by now, and this process has it not: a quick look.

    Before whatever cannot be undone is done, such as sending a mail, which must then be noted.
    """
    head = AuditHead.objects.filter(pk=1).first()
    if head is not None and head.key != seals.current().name:
        _sealing_key(head)


def mark_empty() -> None:
    """Let a database that holds nothing yet know the key of this process, whoever writes first."""
    with transaction.atomic():
        head = _held_head()
        if not has_content() and (head is None or head.key != seals.current().name):
            _mark(0, GENESIS, key=seals.current())


def use_current_key() -> None:
    """Where the key was changed, let the trail say so now and not with its next row."""
    with transaction.atomic():
        _next()


def go_on_without_key() -> int:
    """Seal with a new key what follows, where nobody has the old one.

    Returns the number of the first such row. What was written before can never be verified again,
    and the trail says so for good. Raises WrongState where the key is here.
    """
    with transaction.atomic():
        head, last = _held_head(), AuditRow.objects.order_by("-number").first()
        number, previous = (last.number, last.seal) if last else (0, GENESIS)
        try:
            _sealing_key(head)
        except KeyMissing:
            pass
        else:
            raise WrongState("The key that seals the audit trail is here: nothing is lost.")
        key = seals.current()
        row = AuditRow(
            number=number + 1,
            at=clock.now().isoformat(timespec="microseconds"),
            actor=SYSTEM,
            action=LOST_KEY,
            detail={"key": key.name},
            previous=previous,
        )
        _write(row, key=key, following=key)
        return row.number


def _write(row: AuditRow, *, key: Key, following: Key) -> None:
    row.seal = _seal(row, key)
    row.save(force_insert=True)
    _mark(row.number, row.seal, key=following)


def _mark(number: int, seal: str, *, key: Key) -> None:
    """Write the head of the trail: its newest row, and which key seals the next."""
    head = {
        "number": number,
        "seal": seal,
        "signature": _signature(number, seal, key),
        "key": key.name,
    }
    if not AuditHead.objects.filter(pk=1).update(**head):
        AuditHead.objects.create(pk=1, **head)


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
        if head.key != seals.current().name:
            head = _after_new_key(head)
        return head.number + 1, head.seal
    last = AuditRow.objects.order_by("-number").first()
    if last is None:
        return 1, GENESIS
    # Somebody removed the head. Leave a gap, so that the trail can never be whole again.
    return last.number + 2, last.seal


def _after_new_key(head: AuditHead) -> AuditHead:
    """The head once the key in use seals, which the last row of the one before says."""
    before, key = _sealing_key(head), seals.current()
    if before.name == key.name:
        return head
    told = AuditRow.objects.filter(action=NEW_KEY)
    if any(row.detail.get("before") == key.name for row in told):
        raise KeyMissing(
            f"The key {key.name} sealed the audit trail once and was replaced by another. Put the "
            f"newest, {before.name}, first."
        )
    row = AuditRow(
        number=head.number + 1,
        at=clock.now().isoformat(timespec="microseconds"),
        actor=SYSTEM,
        action=NEW_KEY,
        detail={"before": before.name, "key": key.name},
        previous=head.seal,
    )
    _write(row, key=before, following=key)
    return AuditHead(number=row.number, seal=row.seal, key=key.name)


def _sealing_key(head: AuditHead | None) -> Key:
    """The key that seals the row after this head; raises KeyMissing."""
    if head is not None and (found := seals.named(head.key)):
        return found
    # A head of an earlier Firstread names none. One that somebody changed, or took away, must
    # stop nobody.
    last = AuditRow.objects.order_by("-number").first()
    if head is None and last is None:
        return seals.current()
    for key in seals.ring():
        signed = _signature(head.number, head.seal, key) if head else ""
        if head is not None and hmac.compare_digest(head.signature, signed):
            return key
        if last is not None and hmac.compare_digest(last.seal, _seal(last, key)):
            return key
    raise KeyMissing(
        "The key here is not the one that seals this database's audit trail"
        + (f" ({head.key})" if head and head.key else "")
        + ". Bring back the files secret-key and audit-key of its home folder from the backup, "
        "copy them from a machine that has them, or correct FIRSTREAD_SECRET_KEY and "
        "FIRSTREAD_AUDIT_KEY; then start again. Where nobody has them: firstread keys lost"
    )


def _held_head() -> AuditHead | None:
    # SQLite holds no rows, and Django asks it for none: it has one writer at a time.
    return AuditHead.objects.select_for_update().filter(pk=1).first()


def _first_key(lost: AuditRow | None) -> Key:
    """The key that sealed the first row, or the first after one was lost."""
    if lost is not None:
        return _named(str(lost.detail.get("key")), sealed=f"rows from {lost.number} on")
    turned = AuditRow.objects.filter(action=NEW_KEY).order_by("number").first()
    if turned is not None:
        return _named(str(turned.detail.get("before")), sealed=f"rows 1 to {turned.number}")
    head = AuditHead.objects.filter(pk=1).first()
    return (seals.named(head.key) if head else None) or seals.current()


def _named(name: str, *, sealed: str) -> Key:
    if found := seals.named(name):
        return found
    raise AuditBroken(
        f"The key {name[:16]}, which sealed {sealed} of the audit trail, is not here: bring it "
        "back into audit-key or FIRSTREAD_AUDIT_KEY_FALLBACKS. If nobody ever had one of that "
        "name, the trail was changed: compare with a backup."
    )


def _refuse_cut_end(number: int, seal: str, key: Key) -> None:
    head = AuditHead.objects.filter(pk=1).first()
    if head is None:
        if number:
            raise AuditBroken(
                f"The audit trail has lost its head: rows after {number} may be missing. "
                "Compare with a backup."
            )
        return
    if not hmac.compare_digest(head.signature, _signature(head.number, head.seal, key)):
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


def _seal(row: AuditRow, key: Key) -> str:
    told = {
        "number": row.number,
        "at": row.at,
        "actor": row.actor,
        "action": row.action,
        "case": str(row.case_id) if row.case_id else None,
        "detail": row.detail,
        "previous": row.previous,
    }
    return key.seal(json.dumps(told, sort_keys=True, separators=(",", ":")))


def _signature(number: int, seal: str, key: Key) -> str:
    return key.seal(f"head {number} {seal}")

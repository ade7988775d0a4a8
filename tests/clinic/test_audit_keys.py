"""The audit trail over changes of its key: whole where the keys are here, and never by another."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import transaction
from msgspec.structs import replace

from firstread.clinic import audit, seals
from firstread.clinic.models import AuditHead, AuditRow, Outgoing, clock
from firstread.clinic.queue import cannot_read
from firstread.connect.webhook.settings import WebhookSettings
from firstread.domain.errors import AuditBroken, KeyMissing, WrongState
from firstread.files.key_file import keep_keys
from firstread.server import worker
from firstread.server.secret import Keys
from firstread.toml import Secret
from tests.webhooks_for_tests import SECRET as WEBHOOK_SECRET

pytestmark = pytest.mark.django_db
OLD, NEW, NEWEST, OTHER = ("old-" * 10, "new-" * 10, "newest-" * 6, "other-" * 7)


def _use(settings: Any, *keys: str, file: Any = None) -> None:
    given = Keys(sessions=(Secret(OTHER),), audit=tuple(map(Secret, keys)), audit_file=file)
    settings.FIRSTREAD = replace(settings.FIRSTREAD, keys=given)


def _write(count: int = 1) -> None:
    with transaction.atomic():
        for number in range(count):
            audit.append("viewed", by=None, detail={"number": number})


def test_a_trail_over_two_changes_of_its_key_adds_up_and_says_so(settings: Any) -> None:
    _use(settings, OLD)
    _write(2)
    _use(settings, NEW, OLD)
    _write(2)
    _use(settings, NEWEST, NEW, OLD)
    audit.use_current_key()
    assert audit.verify().rows == 6
    told = AuditRow.objects.filter(action="new_audit_key")
    assert [(row.number, row.detail["key"]) for row in told] == [
        (3, seals.ring()[1].name),
        (6, seals.current().name),
    ]


def test_without_an_earlier_key_it_is_named_and_the_clinic_goes_on(settings: Any) -> None:
    _use(settings, OLD)
    _write(2)
    name = seals.current().name
    _use(settings, NEW, OLD)
    _write()
    _use(settings, NEW)
    audit.refuse_other_key()
    _write()
    with pytest.raises(AuditBroken, match=f"key {name}, which sealed rows 1 to 3 .* bring it back"):
        audit.verify()
    _use(settings, NEW, OLD)
    assert audit.verify().rows == 5


def test_rows_that_the_old_key_sealed_after_the_change_do_not_add_up(settings: Any) -> None:
    _use(settings, OLD)
    _write()
    _use(settings, NEW, OLD)
    _write(2)
    row = AuditRow.objects.get(number=4)
    row.actor = "somebody"
    seal = audit._seal(row, seals.ring()[1])
    AuditRow.objects.filter(number=4).update(actor="somebody", seal=seal)
    with pytest.raises(AuditBroken, match=r"Row 4 .* changed"):
        audit.verify()


def test_a_process_with_the_old_key_alone_writes_nothing_more(settings: Any) -> None:
    _use(settings, OLD)
    _write()
    _use(settings, NEW, OLD)
    _write()
    _use(settings, OLD)
    with pytest.raises(KeyMissing, match="not the one that seals this database's audit trail"):
        _write()
    with pytest.raises(KeyMissing):
        audit.refuse_other_key()
    _use(settings, OLD, NEW)  # in the wrong order
    with pytest.raises(KeyMissing, match="was replaced by another"):
        _write()
    _use(settings, NEW, OLD)
    assert audit.verify().rows == 3


def test_a_process_takes_up_the_new_key_of_its_file(settings: Any, tmp_path: Any) -> None:
    file = tmp_path / "audit-key"
    _use(settings, OLD, file=file)
    _write()
    keep_keys(file, (NEW, OLD))
    _use(settings, NEW, OLD)  # another process, which was started later
    _write()
    _use(settings, OLD, file=file)
    _write()
    assert audit.verify().rows == 4


def test_a_trail_of_an_earlier_firstread_needs_nothing(settings: Any) -> None:
    _use(settings, OLD)
    _write(3)
    AuditHead.objects.update(key="")
    audit.refuse_other_key()
    assert audit.verify().rows == 3
    _use(settings, OTHER)
    with pytest.raises(KeyMissing):
        audit.refuse_other_key()
    _use(settings, NEW, OLD)
    _write()
    assert audit.verify().rows == 5


@pytest.mark.parametrize(
    "changed", [{"key": "f" * 16}, {"signature": "f" * 64}, {"key": "", "signature": ""}], ids=str
)
def test_whoever_changes_the_head_stops_nobody(settings: Any, changed: dict[str, str]) -> None:
    _use(settings, OLD)
    _write(2)
    AuditHead.objects.update(**changed)
    audit.refuse_other_key()
    _write()
    assert audit.verify().rows == 3


def test_where_nobody_has_the_key_the_trail_goes_on_and_says_so_for_good(settings: Any) -> None:
    _use(settings, OLD)
    _write(3)
    with pytest.raises(WrongState, match="nothing is lost"):
        audit.go_on_without_key()
    _use(settings, NEW)
    assert audit.go_on_without_key() == 4
    _write()
    said = "Rows 1 to 3 .* a key that was lost .* From row 4 on the trail adds up"
    with pytest.raises(AuditBroken, match=said):
        audit.verify()
    _use(settings, NEWEST, NEW)
    _write()
    with pytest.raises(AuditBroken, match=said):
        audit.verify()
    AuditRow.objects.filter(number=5).update(actor="somebody")
    with pytest.raises(AuditBroken, match=r"Row 5 .* changed"):
        audit.verify()


def test_an_empty_database_takes_the_key_of_whoever_writes_first(settings: Any) -> None:
    _use(settings, OLD)
    audit.mark_empty()
    _use(settings, NEW)
    audit.refuse_other_key()
    audit.mark_empty()
    _write()
    assert audit.verify().rows == 1


def test_a_worker_without_the_key_sends_and_reads_nothing_that_it_could_not_note(
    settings: Any,
) -> None:
    hook = WebhookSettings(addresses=("http://127.0.0.1:9/x",), secret=Secret(WEBHOOK_SECRET))
    settings.FIRSTREAD = replace(settings.FIRSTREAD, services={WebhookSettings: hook})
    _use(settings, OLD)
    _write()
    now = clock.now()
    row = Outgoing(key="1", channel="webhook", address=hook.addresses[0], payload={"type": "x"})
    row.created_at = row.waits_since = now
    row.save()
    _use(settings, NEW)
    assert not worker._deliver("webhook", threading.Event())
    assert not worker._read_one()
    assert "not the one that seals" in cannot_read.reasons()[cannot_read.ANYTHING]
    cannot_read.forget(cannot_read.ANYTHING)
    _use(settings, OLD)
    assert worker._deliver("webhook", threading.Event())
    row.refresh_from_db()
    assert row.attempts == 1

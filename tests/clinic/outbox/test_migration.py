"""A site of the time when mails alone left keeps its outbox, forwards and back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from firstread.clinic.models import Outgoing
from firstread.clinic.outbox.delivery import deliver_next


def _to(name: str) -> MigrationExecutor:
    executor = MigrationExecutor(connection)
    executor.migrate([("clinic", name)])
    return MigrationExecutor(connection)


@pytest.fixture
def before(transactional_db: None) -> Iterator[Any]:
    executor = _to("0003_readrow_case_sample")
    yield executor.loader.project_state([("clinic", "0003_readrow_case_sample")]).apps
    latest = MigrationExecutor(connection)
    latest.migrate(latest.loader.graph.leaf_nodes("clinic"))


def test_rows_of_mails_become_rows_of_the_channel_mail(before: Any) -> None:
    person = before.get_model("clinic", "Person").objects.create(username="ana")
    old = before.get_model("clinic", "Outgoing")
    at = timezone.now()
    row = old.objects.create(
        key="read:1:1", to=person, address="ana@example.org", subject="Übung", text="Ein\nText",
        state="given_up", attempts=4, created_at=at,
    )  # fmt: skip
    latest = MigrationExecutor(connection)
    latest.migrate(latest.loader.graph.leaf_nodes("clinic"))
    now = Outgoing.objects.get(pk=row.pk)
    assert (now.channel, now.payload_kind, now.to_id) == ("mail", "letter", person.pk)
    assert now.payload == {"subject": "Übung", "text": "Ein\nText"}
    assert (now.state, now.attempts, now.waits_since) == ("given_up", 4, at)
    assert not deliver_next("mail")
    Outgoing.objects.create(
        key="event", channel="webhook", address="https://x", payload={}, payload_kind="event",
        created_at=at, waits_since=at,
    )  # fmt: skip
    _to("0003_readrow_case_sample")
    back = old.objects.get()
    assert (back.pk, back.subject, back.text, back.to_id) == (
        row.pk,
        "Übung",
        "Ein\nText",
        person.pk,
    )

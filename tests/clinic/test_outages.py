"""Operators are told once when something stops, and once when it goes again, by what works yet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.test import Client
from django.utils import timezone
from msgspec.structs import replace

from firstread.clinic import audit, outages
from firstread.clinic.models import Case, Outage, Outgoing, Resting
from firstread.clinic.outbox.delivery import deliver_next
from firstread.connect.mail.settings import MailSettings
from firstread.connect.webhook.settings import WebhookSettings
from firstread.server.config import Outages
from firstread.toml import Secret
from tests.clinic_for_tests import Clinic, at_once, put_in, read_all, read_case
from tests.smtp_for_tests import Mailbox, start_smtp
from tests.webhooks_for_tests import SECRET, Receiver, receiver

AN_HOUR = timedelta(hours=1)


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def smtp(mailbox: Mailbox) -> Iterator[Controller]:
    controller = start_smtp(mailbox)
    yield controller
    controller.stop()


@pytest.fixture
def site(settings: Any, smtp: Controller) -> Iterator[Receiver]:
    with receiver() as it:
        mail = MailSettings(backend="smtp", host="127.0.0.1", port=smtp.port, timeout_s=2)
        hook = WebhookSettings(addresses=(it.address,), secret=Secret(SECRET))
        settings.FIRSTREAD = replace(
            settings.FIRSTREAD, services={MailSettings: mail, WebhookSettings: hook}
        )
        _limits(settings)
        yield it


def _limits(settings: Any, **limits: Any) -> None:
    given = {"reading_after_s": 300, "sending_after_s": 900, "disk_free_mb": 0} | limits
    settings.FIRSTREAD = replace(settings.FIRSTREAD, outages=Outages(**given))


def _deliver() -> None:
    for channel in ("mail", "webhook"):
        while deliver_next(channel):
            pass


def _later() -> None:
    """An hour passes for everything that is written."""
    for field in ("received_at", "read_at"):
        for case in Case.objects.exclude(**{field: None}):
            Case.objects.filter(pk=case.pk).update(**{field: getattr(case, field) - AN_HOUR})
    for kind in (Outage, Resting):
        for row in kind.objects.all():
            kind.objects.filter(pk=row.pk).update(since=row.since - AN_HOUR)
    for message in Outgoing.objects.all():
        sent_at = message.sent_at and message.sent_at - AN_HOUR
        rows = Outgoing.objects.filter(pk=message.pk)
        rows.update(sent_at=sent_at, created_at=message.created_at - AN_HOUR)
    past = timezone.now() - timedelta(seconds=1)
    Resting.objects.update(until=past)


def _mails(mailbox: Mailbox, *, to: str = "operator@example.org") -> list[str]:
    theirs = [mail for mail in mailbox.messages if mail["To"] == to]
    return [str(mail.get_payload()).splitlines()[0] for mail in theirs]


def _events(site: Receiver) -> list[tuple[str, str, str]]:
    bodies = [json.loads(body) for _, body in site.seen]
    told = [each for each in bodies if each["type"].startswith("clinic.")]
    return [(each["type"], each["data"]["what"], each["data"]["says"]) for each in told]


def test_when_nothing_is_read_the_operators_hear_it_once_and_once_when_it_goes_again(
    clinic: Clinic, site: Receiver, mailbox: Mailbox, client: Client
) -> None:
    client.force_login(clinic.operator)
    put_in("red", accession="A77")
    outages.look()
    assert not Outage.objects.exists()  # it has just come
    _later()
    outages.look()
    assert "Nothing is read" not in client.get("/").content.decode()  # five minutes it may be so
    _later()
    for _ in range(3):
        outages.look()
    _deliver()
    said = "Nothing is read for the check Leukaemia: 1 case waits."
    assert _mails(mailbox) == [said]
    assert _events(site) == [("clinic.stopped", "reading:leukaemia", said)]
    assert said in client.get("/").content.decode()
    client.force_login(clinic.ana)
    assert said not in client.get("/").content.decode()
    read_all()
    for _ in range(3):
        outages.look()
    _deliver()
    assert _mails(mailbox) == [said, f"This is over: {said}"]
    assert [event for event, _, _ in _events(site)] == ["clinic.stopped", "clinic.goes_again"]
    assert "A77" not in str(mailbox.messages) + str(site.seen)
    audit.verify()


def test_a_second_outage_of_the_same_is_told_again(
    clinic: Clinic, site: Receiver, mailbox: Mailbox, settings: Any
) -> None:
    _limits(settings, reading_after_s=0)
    for accession in ("1", "2"):
        put_in("red", accession=accession, seed=int(accession))
        _later()
        outages.look()
        read_all()
        outages.look()
    _deliver()
    assert len(_mails(mailbox)) == 4


def test_where_mail_stops_the_webhook_tells_it_and_no_mail_waits_to(
    clinic: Clinic, site: Receiver, mailbox: Mailbox, smtp: Controller, client: Client
) -> None:
    for person in (clinic.ana, clinic.bo):
        mailbox.answers[person.email] = "550 Relaying denied"
    read_case("red")
    _deliver()
    _later()
    outages.look()
    _later()
    outages.look()
    _deliver()
    said = "Messages do not leave by mail: 2 messages wait."
    assert _events(site) == [("clinic.stopped", "mail", said)]
    assert not Outgoing.objects.filter(to=clinic.operator).exists()
    client.force_login(clinic.operator)
    assert said in client.get("/outbox").content.decode()
    mailbox.answers.clear()
    _later()
    Outgoing.objects.update(retry_at=None)
    _deliver()
    outages.look()
    _deliver()
    assert [event for event, _, _ in _events(site)] == ["clinic.stopped", "clinic.goes_again"]


def test_one_address_that_is_refused_while_others_are_taken_is_no_outage(
    clinic: Clinic, site: Receiver, mailbox: Mailbox
) -> None:
    mailbox.answers[clinic.ana.email] = "550 No such user here"
    read_case("red")
    for _ in range(3):
        _deliver()
        _later()
        outages.look()
    assert Outgoing.objects.filter(state="waiting").count() == 1
    assert not Outage.objects.exists()


def test_mail_that_nobody_delivers_is_an_outage(clinic: Clinic, site: Receiver) -> None:
    read_case("red")
    _later()
    outages.look()
    assert Outage.objects.filter(what="mail").exists()


def test_where_webhooks_stop_the_mail_tells_it(
    clinic: Clinic, site: Receiver, mailbox: Mailbox
) -> None:
    site.status = 503
    put_in("red")
    read_all()
    _deliver()
    outages.look()
    _later()
    outages.look()
    _deliver()
    assert _mails(mailbox) == ["Messages do not leave by webhook: 2 messages wait."]


def test_a_full_disk_and_a_store_that_is_away_are_told_to_the_addresses_of_the_settings(
    clinic: Clinic, site: Receiver, mailbox: Mailbox, settings: Any
) -> None:
    read_case("red")
    _limits(settings, reading_after_s=0, disk_free_mb=10**9, mail_to=("on-call@example.org",))
    root = settings.FIRSTREAD.samples
    root.rename(root.with_name("elsewhere"))
    outages.look()
    _deliver()
    disk, store = sorted(_mails(mailbox, to="on-call@example.org"))
    assert "is nearly full" in disk
    assert "cannot be reached" in store
    assert {what for _, what, _ in _events(site)} == {"disk", "store"}
    assert str(root) not in disk + store
    root.with_name("elsewhere").rename(root)
    _limits(settings, mail_to=("on-call@example.org",))
    outages.look()
    _deliver()
    assert len(_mails(mailbox, to="on-call@example.org")) == 4
    assert not Outage.objects.exists()


def test_another_machines_disk_is_its_own_to_end(clinic: Clinic, site: Receiver) -> None:
    now = timezone.now()
    Outage.objects.create(what="disk@elsewhere", number=1, since=now, seen_at=now, says="Full.")
    outages.look()
    assert Outage.objects.exists()
    Outage.objects.update(seen_at=now - timedelta(days=2))
    outages.look()
    assert not Outage.objects.exists()


def test_workers_that_look_at_once_tell_it_once(
    committed_clinic: Clinic, site: Receiver, settings: Any
) -> None:
    _limits(settings, reading_after_s=0)
    put_in("red")
    _later()
    at_once(*[outages.look] * 4)
    assert Outgoing.objects.filter(key__startswith="outage:", channel="mail").count() == 1
    read_all()
    at_once(*[outages.look] * 4)
    assert Outgoing.objects.filter(key__startswith="outage:", channel="mail").count() == 2

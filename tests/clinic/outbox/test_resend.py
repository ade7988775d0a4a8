"""Sending again what was given up or kept: an operator's, told in the trail, and once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from msgspec.structs import replace

from firstread.clinic import audit
from firstread.clinic.models import AuditRow, Outgoing
from firstread.clinic.outbox.delivery import deliver_next
from firstread.clinic.outbox.resend import resend
from firstread.connect.mail.settings import MailSettings
from firstread.connect.webhook.settings import WebhookSettings
from firstread.domain.errors import NotAllowed, WrongState
from firstread.toml import Secret
from tests.clinic_for_tests import Clinic, at_once, put_in, read_case
from tests.smtp_for_tests import Mailbox, start_smtp
from tests.webhooks_for_tests import SECRET, Receiver, receiver


@pytest.fixture
def site(settings: Any) -> Iterator[Receiver]:
    with receiver() as it:
        webhook = WebhookSettings(addresses=(it.address,), secret=Secret(SECRET))
        settings.FIRSTREAD = replace(settings.FIRSTREAD, services={WebhookSettings: webhook})
        yield it


@pytest.fixture
def given_up(clinic: Clinic, site: Receiver) -> Outgoing:
    put_in("red")
    site.status = 410
    assert deliver_next("webhook")
    site.status = 204
    return Outgoing.objects.get(channel="webhook", state="given_up")


def test_an_operator_sends_again_what_was_given_up(
    clinic: Clinic, given_up: Outgoing, site: Receiver, client: Client
) -> None:
    Outgoing.objects.update(
        waits_since=timezone.now() - timedelta(days=9),
        created_at=timezone.now() - timedelta(days=9),
    )
    client.force_login(clinic.operator)
    page = client.get("/outbox?state=given_up").content.decode()
    assert "Send again" in page
    assert "answered 410" in page
    answered = client.post(f"/outbox/{given_up.pk}/resend", {"back": "state=given_up&page=http:"})
    assert (answered.status_code, answered["Location"]) == (302, "/outbox?state=given_up")
    row = Outgoing.objects.get(pk=given_up.pk)
    assert (row.state, row.attempts, row.last_error) == ("waiting", 0, "")
    told = AuditRow.objects.get(action="resent")
    assert (told.actor, told.case_id, told.detail) == ("operator", row.case_id, {"message": row.pk})
    site.status = 500  # its day begins anew
    assert deliver_next("webhook")
    assert Outgoing.objects.get(pk=given_up.pk).state == "waiting"
    site.status = 204
    assert not deliver_next("webhook")  # which is left alone for a while
    resend(given_up.pk, by=clinic.operator)
    assert deliver_next("webhook")
    assert Outgoing.objects.get(pk=given_up.pk).state == "sent"
    assert len({headers["webhook-id"] for headers, _ in site.seen}) == 1
    audit.verify()
    assert (
        "had a message about it sent again" in client.get(f"/cases/{row.case_id}").content.decode()
    )


def test_nobody_else_sends_again(clinic: Clinic, given_up: Outgoing, client: Client) -> None:
    for person in (clinic.tech, clinic.ana, clinic.chief):
        with pytest.raises(NotAllowed):
            resend(given_up.pk, by=person)
        client.force_login(person)
        assert client.post(f"/outbox/{given_up.pk}/resend").status_code == 403
        assert "Send again" not in client.get(f"/cases/{given_up.case_id}").content.decode()
    assert Outgoing.objects.get(pk=given_up.pk).state == "given_up"


def test_what_has_left_is_not_sent_again(clinic: Clinic, given_up: Outgoing) -> None:
    resend(given_up.pk, by=clinic.operator)
    with pytest.raises(WrongState, match="on its way"):
        resend(given_up.pk, by=clinic.operator)
    assert deliver_next("webhook")
    with pytest.raises(WrongState, match="has left already"):
        resend(given_up.pk, by=clinic.operator)
    with pytest.raises(WrongState, match="no message 999"):
        resend(999, by=clinic.operator)
    assert AuditRow.objects.filter(action="resent").count() == 1


def test_two_who_ask_at_once_send_it_once(committed_clinic: Clinic, site: Receiver) -> None:
    put_in("red")
    Outgoing.objects.filter(channel="webhook").update(state="given_up")
    row = Outgoing.objects.get(channel="webhook")

    def ask() -> str:
        try:
            resend(row.pk, by=committed_clinic.operator)
        except WrongState as error:
            return str(error)
        return "again"

    assert sorted(len(str(each)) == 5 for each in at_once(ask, ask)) == [False, True]
    assert AuditRow.objects.filter(action="resent").count() == 1


def test_kept_mails_leave_when_a_mail_server_is_set_up_and_somebody_says_so(
    clinic: Clinic, settings: Any, client: Client
) -> None:
    case = read_case("red")
    row = Outgoing.objects.filter(case=case, state="kept").order_by("pk")[0]
    client.force_login(clinic.operator)
    refused = client.post(f"/outbox/{row.pk}/resend")
    assert refused.status_code == 409
    assert "set up [mail]" in refused.content.decode()
    assert "Send again" not in client.get("/outbox").content.decode()
    mailbox = Mailbox()
    server = start_smtp(mailbox)
    try:
        mail = MailSettings(backend="smtp", host="127.0.0.1", port=server.port, timeout_s=5)
        settings.FIRSTREAD = replace(settings.FIRSTREAD, services={MailSettings: mail})
        assert not deliver_next("mail")
        assert client.post(f"/outbox/{row.pk}/resend").status_code == 302
        assert deliver_next("mail")
        assert not deliver_next("mail")
    finally:
        server.stop()
    assert [message["To"] for message in mailbox.messages] == [row.address]


def test_each_sees_their_own_and_an_operator_all_by_state_and_channel(
    clinic: Clinic, given_up: Outgoing, client: Client
) -> None:
    read_case("red", accession="9", seed=70)
    client.force_login(clinic.ana)
    page = client.get("/outbox").content.decode()
    assert page.count("Mail to Ana") == 2
    assert "Webhook to" not in page
    assert "Every channel" not in page
    client.force_login(clinic.operator)
    counts = {
        query: client.get(f"/outbox?{query}").content.decode().count('class="letter"')
        for query in ("", "channel=webhook", "channel=mail", "state=given_up", "state=sent",
                      "channel=webhook&state=waiting", "channel=nothing", "before=junk",
                      f"before={5_000 * '9'}")
    }  # fmt: skip
    assert counts == {
        "": 8, "channel=webhook": 4, "channel=mail": 4, "state=given_up": 1, "state=sent": 0,
        "channel=webhook&state=waiting": 3, "channel=nothing": 8, "before=junk": 8,
        f"before={5_000 * '9'}": 8,
    }  # fmt: skip


def test_the_page_goes_on_where_the_last_one_ended(clinic: Clinic, client: Client) -> None:
    now = timezone.now()
    Outgoing.objects.bulk_create(
        Outgoing(
            key=str(n), channel="mail", address="a@example.org", to=clinic.ana,
            payload_kind="letter", payload={"subject": f"Letter {n:03d}", "text": ""},
            created_at=now, waits_since=now,
        )
        for n in range(65)
    )  # fmt: skip
    client.force_login(clinic.ana)
    seen, address = [], "/outbox"
    while address:
        page = client.get(address).content.decode()
        seen += [line[:10] for line in page.split('<span class="strong">')[1:]]
        view = client.get(address).context["page"]
        address = f"/outbox?before={view.older_than}" if view.older_than else ""
    assert seen == [f"Letter {n:03d}" for n in reversed(range(65))]

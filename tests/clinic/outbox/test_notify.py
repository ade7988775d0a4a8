"""The outbox: each told once, a provider that is down waited for, nothing lost."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.utils import timezone
from msgspec.structs import replace

from firstread.clinic.models import AuditRow, Outgoing
from firstread.clinic.outbox import delivery
from firstread.clinic.steps.amend import amend
from firstread.clinic.steps.review import answer
from firstread.connect.mail.settings import MailSettings
from tests.clinic_for_tests import Clinic, at_once, read_case
from tests.smtp_for_tests import Mailbox, free_port, start_smtp


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def smtp(mailbox: Mailbox, settings: Any) -> Iterator[Controller]:
    controller = start_smtp(mailbox)
    _use(
        settings, MailSettings(backend="smtp", host="127.0.0.1", port=controller.port, timeout_s=2)
    )
    yield controller
    controller.stop()


def _use(settings: Any, mail: MailSettings) -> None:
    settings.FIRSTREAD = replace(settings.FIRSTREAD, services={MailSettings: mail})


def _deliver_all() -> int:
    count = 0
    while delivery.deliver_next("mail"):
        count += 1
    return count


def _make_due() -> None:
    Outgoing.objects.update(retry_at=timezone.now() - timedelta(seconds=1))


def test_each_specialist_gets_one_mail_with_a_link_and_no_finding(
    clinic: Clinic, smtp: Controller, mailbox: Mailbox
) -> None:
    case = read_case("red", accession="A77")
    assert _deliver_all() == 2
    assert sorted(str(m["To"]) for m in mailbox.messages) == ["ana@example.org", "bo@example.org"]
    text = mailbox.messages[0].as_string()
    assert f"/cases/{case.pk}" in text
    assert not [word for word in ("A77", "Red", "eukaemia") if word in text]
    assert {mail.state for mail in Outgoing.objects.all()} == {"sent"}
    assert AuditRow.objects.filter(action="told").count() == 2
    assert _deliver_all() == 0


def test_a_server_that_is_down_is_tried_again_later(
    clinic: Clinic, mailbox: Mailbox, settings: Any
) -> None:
    port = free_port()
    _use(settings, MailSettings(backend="smtp", host="127.0.0.1", port=port, timeout_s=2))
    read_case("red")
    assert _deliver_all() == 2
    mail = Outgoing.objects.first()
    assert mail is not None
    assert (mail.state, mail.attempts) == ("waiting", 1)
    assert mail.last_error == "The mail server cannot be reached (ConnectionRefusedError)."
    assert mail.retry_at is not None
    assert mail.retry_at > timezone.now()
    assert _deliver_all() == 0  # not due yet
    _make_due()
    controller = start_smtp(mailbox, port=port)
    assert _deliver_all() == 2
    controller.stop()
    assert len(set(mailbox.ids)) == 2
    assert {mail.state for mail in Outgoing.objects.all()} == {"sent"}


def test_an_address_that_is_refused_for_good_is_given_up_and_the_other_arrives(
    clinic: Clinic, smtp: Controller, mailbox: Mailbox
) -> None:
    mailbox.answers["ana@example.org"] = "550 No such user here"
    read_case("red")
    _deliver_all()
    states = dict(Outgoing.objects.values_list("to__username", "state"))
    assert states == {"ana": "given_up", "bo": "sent"}
    assert "550" in Outgoing.objects.get(to=clinic.ana).last_error


def test_an_address_that_is_refused_for_now_is_tried_again(
    clinic: Clinic, smtp: Controller, mailbox: Mailbox
) -> None:
    mailbox.answers["ana@example.org"] = "451 Try later"
    read_case("red")
    _deliver_all()
    assert Outgoing.objects.get(to=clinic.ana).state == "waiting"
    mailbox.answers.clear()
    _make_due()
    assert _deliver_all() == 1
    assert Outgoing.objects.get(to=clinic.ana).state == "sent"


def test_it_gives_up_after_a_day(clinic: Clinic, smtp: Controller, mailbox: Mailbox) -> None:
    mailbox.on_data = "452 Disk full"
    read_case("red")
    Outgoing.objects.update(waits_since=timezone.now() - timedelta(hours=25))
    _deliver_all()
    assert {mail.state for mail in Outgoing.objects.all()} == {"given_up"}
    assert AuditRow.objects.filter(action="not_told").count() == 2


def test_a_mail_sent_again_after_a_crash_has_the_same_id(
    clinic: Clinic, smtp: Controller, mailbox: Mailbox
) -> None:
    read_case("red")
    row = delivery._claim("mail")
    assert row is not None
    delivery._try(row)  # and the process dies before it writes that down
    assert _deliver_all() == 1
    Outgoing.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    assert _deliver_all() == 1
    assert len(mailbox.ids) == 3
    assert len(set(mailbox.ids)) == 2


def test_who_was_told_of_a_decision_is_told_of_each_amendment(
    clinic: Clinic, smtp: Controller, mailbox: Mailbox
) -> None:
    clinic.leukaemia.tells_requester = True
    clinic.leukaemia.save()
    case = read_case("red", accession="A77", by=clinic.tech)
    answer(case.pk, by=clinic.chief, label="red")
    for label in ("blue", "blue", "green"):  # the second says what the first said
        amend(case.pk, by=clinic.chief, label=label, comment="A second smear.")
    Outgoing.objects.exclude(to=clinic.tech).delete()
    assert _deliver_all() == 3
    assert sorted(str(mail["Subject"]) for mail in mailbox.messages) == [
        "Firstread: A case that you sent has been amended",
        "Firstread: A case that you sent has been amended",
        "Firstread: A case that you sent has been signed off",
    ]
    assert not [mail for mail in mailbox.messages if "A77" in mail.as_string()]
    assert len(set(mailbox.ids)) == 3


def test_two_deliverers_send_each_mail_once(
    committed_clinic: Clinic, smtp: Controller, mailbox: Mailbox
) -> None:
    for number in range(5):
        read_case("red", accession=str(number), seed=number)
    at_once(_deliver_all, _deliver_all)
    assert len(mailbox.ids) == len(set(mailbox.ids)) == 10


class _Provider(BaseHTTPRequestHandler):
    """Speaks as Mailjet does, with the status that the test wants."""

    status = 200
    seen: list[dict[str, Any]] = []  # noqa: RUF012

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        type(self).seen.append(body)
        self.send_response(self.status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        answer: dict[str, Any] = {"ErrorMessage": "No.", "StatusCode": self.status}
        if self.status == 200:
            addresses = [each["Email"] for each in body["Messages"][0]["To"]]
            to = [{"Email": a, "MessageID": 1, "MessageUUID": "u"} for a in addresses]
            answer = {"Messages": [{"Status": "success", "To": to}]}
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *_: object) -> None:
        """The test says what matters."""


@pytest.fixture
def provider(settings: Any) -> Iterator[type[_Provider]]:
    server = HTTPServer(("127.0.0.1", 0), _Provider)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    _use(
        settings,
        MailSettings(
            backend="anymail",
            provider="mailjet",
            user="key",
            password="secret",
            provider_settings={"MAILJET_API_URL": f"http://127.0.0.1:{server.server_port}/v3.1/"},
        ),
    )
    _Provider.status, _Provider.seen = 200, []
    yield _Provider
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_provider_of_anymail_delivers(clinic: Clinic, provider: type[_Provider]) -> None:
    read_case("red")
    assert _deliver_all() == 2
    assert {mail.state for mail in Outgoing.objects.all()} == {"sent"}
    assert len(provider.seen) == 2


@pytest.mark.parametrize(
    ("status", "state"), [(500, "waiting"), (429, "waiting"), (401, "waiting"), (400, "given_up")]
)
def test_what_a_provider_answers_decides_whether_to_try_again(
    clinic: Clinic, provider: type[_Provider], status: int, state: str
) -> None:
    provider.status = status
    read_case("red")
    _deliver_all()
    assert {mail.state for mail in Outgoing.objects.all()} == {state}
    assert str(status) in Outgoing.objects.all()[0].last_error

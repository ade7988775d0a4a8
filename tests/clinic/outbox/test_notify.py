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
from django.test import Client
from django.utils import timezone
from msgspec.structs import replace

from firstread.clinic.models import AuditRow, Outgoing, Resting
from firstread.clinic.outbox import delivery
from firstread.clinic.steps.amend import amend
from firstread.clinic.steps.review import answer
from firstread.connect.mail.settings import MailSettings
from firstread.toml import Secret
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
    past = timezone.now() - timedelta(seconds=1)
    Outgoing.objects.update(retry_at=past)
    Resting.objects.update(until=past)


def _a_day_later() -> None:
    Outgoing.objects.update(waits_since=timezone.now() - timedelta(hours=25))
    Resting.objects.update(since=timezone.now() - timedelta(hours=25))
    _make_due()


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
    assert _deliver_all() == 1  # the other would find nobody, either
    mail = Outgoing.objects.get(attempts=1)
    assert mail.state == "waiting"
    assert mail.last_error == "The mail server cannot be reached (ConnectionRefusedError)."
    rest = Resting.objects.get()
    assert timedelta(0) < rest.until - timezone.now() < timedelta(minutes=1)
    assert _deliver_all() == 0  # not due yet
    _a_day_later()
    assert _deliver_all() == 1
    assert {mail.state for mail in Outgoing.objects.all()} == {
        "waiting"
    }  # nobody's address is at fault
    _make_due()
    controller = start_smtp(mailbox, port=port)
    assert _deliver_all() == 2
    controller.stop()
    assert len(set(mailbox.ids)) == 2
    assert {mail.state for mail in Outgoing.objects.all()} == {"sent"}


def test_an_address_that_is_refused_is_given_up_after_a_day_and_the_other_arrives(
    clinic: Clinic, smtp: Controller, mailbox: Mailbox, client: Client
) -> None:
    mailbox.answers["ana@example.org"] = "550 No such user here"
    case = read_case("red")
    _deliver_all()
    states = dict(Outgoing.objects.values_list("to__username", "state"))
    assert states == {"ana": "waiting", "bo": "sent"}
    assert "550" in Outgoing.objects.get(to=clinic.ana).last_error
    client.force_login(clinic.bo)
    page = client.get(f"/cases/{case.pk}").content.decode()
    assert "has not been told yet" in page
    assert "could not tell Ana by mail yet, and tries again" in page
    _a_day_later()
    _deliver_all()
    assert Outgoing.objects.get(to=clinic.ana).state == "given_up"
    page = client.get(f"/cases/{case.pk}").content.decode()
    assert "could not be told" in page


def test_what_waits_behind_an_address_that_takes_nothing_is_given_up_untried(
    clinic: Clinic, smtp: Controller, mailbox: Mailbox
) -> None:
    mailbox.answers["ana@example.org"] = "550 No such user here"
    for number in range(3):
        read_case("red", accession=str(number), seed=10 * number)
    _deliver_all()
    assert sorted(Outgoing.objects.filter(to=clinic.ana).values_list("attempts", flat=True)) == [
        0,
        0,
        1,
    ]
    _a_day_later()
    _deliver_all()
    mine = Outgoing.objects.filter(to=clinic.ana)
    assert {(mail.state, mail.last_error[:26]) for mail in mine} == {
        ("given_up", "The mail server answered 5")
    }
    assert AuditRow.objects.filter(action="not_told").count() == 3


@pytest.mark.parametrize("to_all", ["550 5.7.1 Relaying denied", "552 Full", "554 No", "421 Bye"])
def test_a_server_that_is_wrong_about_everybody_loses_no_mail_and_is_believed_once_it_is_mended(
    clinic: Clinic, smtp: Controller, mailbox: Mailbox, to_all: str
) -> None:
    for person in (clinic.ana, clinic.bo):
        mailbox.answers[person.email] = to_all
    for number in range(3):
        read_case("red", accession=str(number), seed=10 * number)
    for _ in range(4):
        _make_due()
        _deliver_all()
    assert {mail.state for mail in Outgoing.objects.all()} == {"waiting"}
    mailbox.answers.clear()
    # One of the two comes due, and once it arrives, so does all that was refused.
    past = timezone.now() - timedelta(seconds=1)
    Resting.objects.filter(address="ana@example.org").update(until=past)
    _deliver_all()
    assert len(set(mailbox.ids)) == 6


@pytest.mark.parametrize(
    "answer_to_data", ["552 Too much mail", "554 Looks like spam", "451 Later"]
)
def test_a_mail_that_is_refused_is_tried_again_and_holds_up_no_other(
    clinic: Clinic, smtp: Controller, mailbox: Mailbox, answer_to_data: str
) -> None:
    read_case("red")
    mailbox.on_data = answer_to_data
    assert delivery.deliver_next("mail")
    mailbox.on_data = "250 OK"
    assert _deliver_all() == 1
    assert sorted(Outgoing.objects.values_list("state", flat=True)) == ["sent", "waiting"]
    _make_due()
    assert _deliver_all() == 1


def test_a_mail_server_that_wants_another_password_loses_no_mail(
    clinic: Clinic, smtp: Controller, settings: Any
) -> None:
    mail = MailSettings(backend="smtp", host="127.0.0.1", port=smtp.port, user="a", timeout_s=2)
    _use(settings, replace(mail, password=Secret("wrong")))
    read_case("red")
    _deliver_all()
    _a_day_later()
    _deliver_all()
    assert {mail.state for mail in Outgoing.objects.all()} == {"waiting"}
    assert Resting.objects.get().address == ""


def test_what_waits_when_mail_is_switched_off_is_kept(
    clinic: Clinic, smtp: Controller, settings: Any
) -> None:
    read_case("red")
    _use(settings, MailSettings())
    _deliver_all()
    assert {mail.state for mail in Outgoing.objects.all()} == {"kept"}


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
    _a_day_later()
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


@pytest.mark.parametrize(("status", "tries"), [(500, 1), (429, 1), (401, 1), (400, 2)], ids=str)
def test_whatever_a_provider_answers_no_mail_is_lost(
    clinic: Clinic, provider: type[_Provider], status: int, tries: int
) -> None:
    provider.status = status
    read_case("red")
    assert _deliver_all() == tries
    assert {mail.state for mail in Outgoing.objects.all()} == {"waiting"}
    assert str(status) in Outgoing.objects.get(attempts=1, to=clinic.ana).last_error
    provider.status = 200
    _make_due()
    assert _deliver_all() == 2

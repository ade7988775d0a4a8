"""Webhooks: each event of a case posted once, signed, and again until it is taken."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from msgspec.structs import replace
from PIL import Image
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from firstread.clinic.doctor import inspect
from firstread.clinic.models import AuditRow, Outgoing, Resting, clock
from firstread.clinic.outbox import delivery, resting
from firstread.clinic.steps.amend import amend
from firstread.clinic.steps.intake import Incoming, receive
from firstread.clinic.steps.review import answer
from firstread.connect.channel import Delivery
from firstread.connect.webhook.settings import WebhookSettings
from firstread.toml import Secret
from tests.clinic_for_tests import Clinic, at_once, put_in, read_all, read_case
from tests.images_for_tests import as_png
from tests.smtp_for_tests import free_port
from tests.webhooks_for_tests import SECRET, Receiver, receiver

HANGS_FOR_S = 0.3


@pytest.fixture
def other() -> Iterator[Receiver]:
    with receiver() as it:
        yield it


@pytest.fixture
def site(settings: Any) -> Iterator[Receiver]:
    with receiver() as it:
        _post_to(settings, it.address)
        yield it


def _post_to(settings: Any, *addresses: str, secret: str = SECRET, timeout_s: float = 5) -> None:
    webhook = WebhookSettings(addresses=addresses, secret=Secret(secret), timeout_s=timeout_s)
    settings.FIRSTREAD = replace(settings.FIRSTREAD, services={WebhookSettings: webhook})


def _deliver_all() -> int:
    count = 0
    while delivery.deliver_next("webhook"):
        count += 1
    return count


def _rows() -> Any:
    return Outgoing.objects.filter(channel="webhook").order_by("pk")


def _make_due() -> None:
    past = timezone.now() - timedelta(seconds=1)
    _rows().update(retry_at=past)
    Resting.objects.update(until=past)


def test_each_event_of_a_case_is_posted_signed_and_says_nothing_of_what_was_found(
    clinic: Clinic, site: Receiver
) -> None:
    case = put_in("red", accession="A77", patient="P-9", by=clinic.tech)
    read_all()
    answer(case.pk, by=clinic.ana, label="red")
    answer(case.pk, by=clinic.bo, label="blue")
    answer(case.pk, by=clinic.chief, label="red")
    amend(case.pk, by=clinic.chief, label="green", comment="A second smear.")
    assert _deliver_all() == 8
    posted = [Webhook(SECRET).verify(body, headers) for headers, body in site.seen]
    assert [(each["type"], each["data"]["state"]) for each in posted] == [
        ("case.received", "received"),
        ("case.read", "read"),
        ("case.answered", "read"),
        ("case.answered", "read"),
        ("case.waits_for_chief", "read"),
        ("case.answered", "read"),
        ("case.signed_off", "signed_off"),
        ("case.amended", "amended"),
    ]
    for each in posted:
        assert set(each) == {"type", "timestamp", "data"}
        assert each["data"].keys() == {"case", "check", "state", "link"}
        assert each["data"]["case"] == str(case.pk)
        assert each["data"]["check"] == "leukaemia"
        assert each["data"]["link"].endswith(f"/cases/{case.pk}")
        assert datetime.fromisoformat(each["timestamp"]) <= datetime.now(UTC)
    whole = b" ".join(body for _, body in site.seen)
    assert not [word for word in (b"A77", b"P-9", b"Red", b"green", b"Ana") if word in whole]
    assert {headers["webhook-id"] for headers, _ in site.seen} == {
        *_rows().values_list("key", flat=True)
    }
    assert {row.state for row in _rows()} == {"sent"}
    assert AuditRow.objects.filter(action="told", detail__channel="webhook").count() == 8
    assert _deliver_all() == 0


def test_a_case_that_no_model_may_read_says_that_it_is_unfit(
    clinic: Clinic, site: Receiver
) -> None:
    flat = as_png(Image.new("RGB", (96, 96), (200, 120, 120)))
    receive([Incoming(data=flat)], check="leukaemia", door="page", by=None)
    read_all()
    assert [row.payload["type"] for row in _rows()] == ["case.received", "case.unfit"]
    assert [row.payload["data"].get("doubt") for row in _rows()] == [None, "unfit"]


def test_every_address_hears_of_every_event(
    clinic: Clinic, site: Receiver, other: Receiver, settings: Any
) -> None:
    _post_to(settings, site.address, other.address)
    read_case("red")
    assert _deliver_all() == 4
    assert [json.loads(b)["type"] for _, b in site.seen] == ["case.received", "case.read"]
    assert [body for _, body in site.seen] == [body for _, body in other.seen]


def test_without_an_address_nothing_is_written(clinic: Clinic) -> None:
    read_case("red")
    assert not _rows()


def test_a_secret_may_be_replaced_while_events_go_on(
    clinic: Clinic, site: Receiver, settings: Any
) -> None:
    newer = "whsec_" + "bmV3ZXIgbmV3ZXIgbmV3ZXIgbmV3ZXIg"
    _post_to(settings, site.address, secret=f"{newer} {SECRET}")
    put_in("red")
    _deliver_all()
    headers, body = site.seen[0]
    for secret in (SECRET, newer):
        Webhook(secret).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + 8 * "AAAA").verify(body, headers)


@pytest.mark.parametrize(
    ("status", "state", "says"),
    [
        (200, "sent", ""),
        (202, "sent", ""),
        (410, "given_up", "answered 410: it takes no more events."),
        (429, "waiting", "answered 429."),
        (500, "waiting", "answered 500."),
        (503, "waiting", "answered 503."),
        (400, "waiting", "answered 400."),
        (401, "waiting", "answered 401."),
        (302, "waiting", "answered 302 and points elsewhere, where no event is sent: write the"),
    ],
)
def test_what_is_answered_decides_whether_to_try_again(
    clinic: Clinic, site: Receiver, other: Receiver, status: int, state: str, says: str
) -> None:
    site.status, site.headers = status, {"Location": other.address}
    site.body = b"<h1>Mrs Example has blasts</h1>"
    put_in("red")
    assert _deliver_all() == 1
    row = _rows().get()
    assert row.state == state
    assert row.last_error.startswith(f"{site.host} {says}" if says else "")
    assert "Example" not in row.last_error
    assert not other.seen  # it was not followed


def test_a_receiver_that_was_down_gets_the_same_message_later(
    clinic: Clinic, settings: Any
) -> None:
    port = free_port()
    _post_to(settings, f"http://127.0.0.1:{port}/firstread")
    put_in("red")
    assert _deliver_all() == 1
    row = _rows().get()
    assert (row.state, row.attempts) == ("waiting", 1)
    assert row.last_error == f"127.0.0.1:{port} cannot be reached."
    with receiver(port=port) as site:
        site.status = 500
        _make_due()
        _deliver_all()
        site.status = 204
        _make_due()
        _deliver_all()
        (first, body), (second, again) = site.seen
    assert (first["webhook-id"], body) == (second["webhook-id"], again)
    Webhook(SECRET).verify(again, second)
    assert _rows().get().state == "sent"


@pytest.mark.parametrize("as_date", [False, True])
def test_who_asks_to_wait_is_left_alone_that_long(
    clinic: Clinic, site: Receiver, as_date: bool
) -> None:
    asked = timedelta(minutes=20)
    when = format_datetime(datetime.now(UTC) + asked, usegmt=True)
    site.status, site.headers = 429, {"Retry-After": when if as_date else "1200"}
    put_in("red")
    _deliver_all()
    until = Resting.objects.get().until
    assert abs(until - timezone.now() - asked) < timedelta(seconds=30)


@pytest.mark.parametrize(
    "asks",
    ["31536000", 400 * "9", "-5", "Wed, 21 Oct 99999999999999999999 07:28:00 GMT"],
    ids=["a year", "for ever", "the past", "a year that no date can hold"],
)
def test_who_asks_for_longer_or_makes_no_sense_is_asked_again_within_hours(
    clinic: Clinic, site: Receiver, asks: str
) -> None:
    site.status, site.headers = 503, {"Retry-After": asks}
    put_in("red")
    _deliver_all()
    assert Resting.objects.get().until < timezone.now() + timedelta(hours=7)


def test_a_receiver_that_hangs_ends_with_its_time_and_keeps_nothing_else_waiting(
    clinic: Clinic, site: Receiver, other: Receiver, settings: Any
) -> None:
    site.hangs = True
    _post_to(settings, site.address, other.address, timeout_s=HANGS_FOR_S)
    for seed in range(5):
        put_in("red", accession=str(seed), seed=10 * seed)
    _deliver_all()
    assert len(site.seen) == 1  # the others for it wait with the first
    assert len(other.seen) == 5
    waiting = _rows().filter(state="waiting")
    assert waiting.count() == 5
    assert Resting.objects.get().address == site.address
    assert waiting.filter(attempts=1).get().last_error == (
        f"{site.host} did not answer within {HANGS_FOR_S:g} s."
    )


@pytest.mark.parametrize("body", [b"", 2**20 * b"a"])
def test_2xx_is_taken_at_its_word_whatever_follows(
    clinic: Clinic, site: Receiver, settings: Any, body: bytes
) -> None:
    _post_to(settings, site.address, timeout_s=HANGS_FOR_S)
    site.status, site.body, site.promised = 200, body, 10
    put_in("red")
    _deliver_all()
    assert _rows().get().state == "sent"


def test_one_connection_serves_many_events(clinic: Clinic, site: Receiver) -> None:
    site.status, site.body = 200, b"ok"
    for seed in range(4):
        put_in("red", accession=str(seed), seed=10 * seed)
    _deliver_all()
    assert (len(site.seen), site.connections) == (4, 1)


def test_an_event_that_is_refused_again_and_again_holds_up_none_behind_it(
    clinic: Clinic, site: Receiver
) -> None:
    put_in("red", accession="1")
    site.status = 500
    for _ in range(3):
        _deliver_all()
        _make_due()
    put_in("red", accession="2", seed=50)
    _make_due()
    site.status = 204
    assert delivery.deliver_next("webhook")
    assert [row.state for row in _rows()] == ["waiting", "sent"]


def test_what_a_process_that_died_had_begun_goes_before_all_that_is_new(
    clinic: Clinic, site: Receiver
) -> None:
    put_in("red", accession="1")
    put_in("red", accession="2", seed=50)
    begun = _rows().last()
    past = timezone.now() - timedelta(seconds=1)
    _rows().filter(pk=begun.pk).update(attempts=1, held_by=uuid.uuid4(), claimed_until=past)
    assert delivery.deliver_next("webhook")
    assert [row.state for row in _rows()] == ["waiting", "sent"]


def test_it_gives_up_after_a_day(clinic: Clinic, site: Receiver) -> None:
    site.status = 500
    case = put_in("red")
    _rows().update(waits_since=timezone.now() - timedelta(hours=25))
    _deliver_all()
    assert _rows().get().state == "given_up"
    row = AuditRow.objects.get(action="not_told")
    assert row.case_id == case.pk
    assert row.detail == {"channel": "webhook", "to": site.host, "what": "case.received"}


def test_giving_up_on_an_address_that_hangs_keeps_nothing_else_waiting(
    clinic: Clinic, site: Receiver, other: Receiver, settings: Any
) -> None:
    site.hangs = True
    _post_to(settings, site.address, other.address, timeout_s=HANGS_FOR_S)
    for seed in range(3):
        put_in("red", accession=str(seed), seed=10 * seed)
    _deliver_all()
    _rows().filter(address=site.address).update(waits_since=timezone.now() - timedelta(hours=25))
    Resting.objects.update(since=timezone.now() - timedelta(hours=25))
    _deliver_all()
    assert len(site.seen) == 1  # a day's events for it do not each take their time-out
    assert len(other.seen) == 3
    assert set(_rows().filter(address=site.address).values_list("state", flat=True)) == {"given_up"}


def test_who_took_longer_than_its_lease_undoes_nothing(
    clinic: Clinic, site: Receiver, settings: Any
) -> None:
    put_in("red")
    slow = delivery._claim("webhook")
    assert slow is not None
    _rows().update(claimed_until=timezone.now() - timedelta(seconds=1))
    _deliver_all()  # by another worker, which comes through
    delivery._record(slow, Delivery(error="It did not answer.", address_down=True))
    row = _rows().get()
    assert (row.state, row.last_error) == ("sent", "")
    assert AuditRow.objects.filter(action="told").count() == 1


def test_what_arrived_late_has_arrived(clinic: Clinic, site: Receiver) -> None:
    put_in("red")
    slow = delivery._claim("webhook")
    assert slow is not None
    _rows().update(claimed_until=timezone.now() - timedelta(seconds=1))
    second = delivery._claim("webhook")
    assert second is not None
    delivery._record(slow, Delivery())
    delivery._record(second, Delivery(error="It did not answer.", address_down=True))
    assert _rows().get().state == "sent"
    assert AuditRow.objects.filter(action="told").count() == 1


def test_what_was_meant_for_an_address_that_is_no_longer_set_is_given_up(
    clinic: Clinic, site: Receiver, other: Receiver, settings: Any
) -> None:
    put_in("red")
    _post_to(settings, other.address)
    _deliver_all()
    row = _rows().get()
    assert row.state == "given_up"
    assert row.last_error == f"{site.host} is no longer among webhook.addresses."
    assert not site.seen


def test_two_deliverers_post_each_event_once(committed_clinic: Clinic, site: Receiver) -> None:
    for seed in range(6):
        put_in("red", accession=str(seed), seed=10 * seed)
    at_once(_deliver_all, _deliver_all)
    assert len(site.seen) == len({headers["webhook-id"] for headers, _ in site.seen}) == 6


def test_the_secret_stands_in_no_page_log_or_error(
    clinic: Clinic, site: Receiver, client: Client, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    site.status = 500
    case = read_case("red")
    with caplog.at_level(logging.DEBUG):
        _deliver_all()
    client.force_login(clinic.operator)
    shown = [client.get(address).content.decode() for address in ("/outbox", f"/cases/{case.pk}")]
    secret = SECRET.removeprefix("whsec_")
    assert not [1 for text in (*shown, caplog.text, repr(settings.FIRSTREAD)) if secret in text]


def _look() -> list[tuple[str, bool]]:
    found = inspect(migrations_behind=lambda: 0)
    return [(each.says, each.trouble) for each in found if each.part == "webhook"]


def test_the_doctor_asks_each_address_without_posting_anything(
    clinic: Clinic, site: Receiver, other: Receiver, settings: Any
) -> None:
    down = f"http://127.0.0.1:{free_port()}/x"
    _post_to(settings, site.address, other.address, down)
    site.status, other.status = 405, 502
    assert _look() == [
        (f"{site.host} answers.", False),
        (f"{other.host} answers 502.", True),
        (f"{down[7:-2]} cannot be reached.", True),
    ]
    site.status, site.headers = 301, {"Location": other.address}
    assert "points elsewhere" in _look()[0][0]
    assert {*site.asked, *other.asked} == {"HEAD"}


def test_the_doctor_is_silent_about_webhooks_that_nobody_set_up(clinic: Clinic) -> None:
    assert _look() == []


def test_the_history_tells_where_an_event_went(
    clinic: Clinic, site: Receiver, client: Client
) -> None:
    case = put_in("red")
    _deliver_all()
    client.force_login(clinic.ana)
    page = client.get(f"/cases/{case.pk}").content.decode()
    assert f"told {site.host} of case.received" in page
    assert "Webhook: case.received" in page
    assert site.address not in page


def test_several_that_fail_at_one_address_in_one_moment_count_as_one(
    clinic: Clinic, site: Receiver
) -> None:
    put_in("red")
    now = clock.now()
    for _ in range(3):
        resting.note(_rows().get(), Delivery(error="It answered 500.", address_down=True), at=now)
    rest = Resting.objects.get()
    assert (rest.failures, rest.until - now) == (1, resting.FIRST_PAUSE)
    resting.note(
        _rows().get(), Delivery(error="It answered 500.", address_down=True), at=rest.until
    )
    rest.refresh_from_db()
    assert rest.failures == 2


def test_a_dead_address_with_many_rows_is_asked_with_one_of_them_and_then_takes_all(
    clinic: Clinic, site: Receiver
) -> None:
    case = put_in("red")
    _rows().delete()
    now = timezone.now()
    Outgoing.objects.bulk_create(
        Outgoing(
            key=f"event_{number}",
            channel="webhook",
            address=site.address,
            payload={"type": "case.read", "number": number},
            case=case,
            created_at=now,
            waits_since=now,
        )
        for number in range(300)
    )
    site.status = 503
    for _ in range(3):
        Resting.objects.update(until=now - timedelta(seconds=1))
        _deliver_all()
    assert len(site.seen) == 3
    assert _rows().filter(attempts=0, last_error="", retry_at=None).count() >= 297
    site.status = 204
    Resting.objects.update(until=now - timedelta(seconds=1))
    _deliver_all()
    assert set(_rows().values_list("state", flat=True)) == {"sent"}


@pytest.mark.parametrize("payload", [{}, {"data": 1}, [], "text", 7])
def test_a_row_that_is_not_written_as_this_version_writes_it_breaks_no_page_and_leaves(
    clinic: Clinic, site: Receiver, client: Client, payload: Any
) -> None:
    case = put_in("red")
    _rows().update(payload=payload)
    Outgoing.objects.create(
        key="odd", channel="mail", address="ana@example.org", payload=payload, case=case,
        created_at=timezone.now(), waits_since=timezone.now(), state="kept",
    )  # fmt: skip
    client.force_login(clinic.operator)
    for address in ("/outbox", f"/cases/{case.pk}"):
        page = client.get(address)
        assert page.status_code == 200
        assert "an event without a type" in page.content.decode()
    _deliver_all()
    assert _rows().get().state == "sent"

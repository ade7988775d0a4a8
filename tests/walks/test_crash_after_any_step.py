"""Law: wherever a process dies, going on ends in the same state as if it had not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from functools import partial
from typing import Any
from unittest import mock

from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from firstread.clinic import audit
from firstread.clinic.checks import readers
from firstread.clinic.models import (
    AuditHead,
    AuditRow,
    Case,
    CaseSample,
    Outgoing,
    ReadRow,
    Review,
    Sample,
    SignOff,
)
from firstread.clinic.outbox import delivery, notify
from firstread.clinic.steps import amend, first_read, review
from firstread.clinic.steps.intake import Incoming, receive
from firstread.clinic.storage import store
from firstread.connect.channel import Delivery
from firstread.connect.mail.settings import MailSettings
from firstread.connect.webhook.settings import WebhookSettings
from firstread.toml import Secret
from tests.clinic_for_tests import Clinic, ten_seconds_pass
from tests.images_for_tests import cell_png
from tests.webhooks_for_tests import SECRET

SAMPLES = [Incoming(data=cell_png(colour, seed=3)) for colour in ("red", "green")]
WATCHED = [
    (store, "put"),
    (audit, "append"),
    (first_read, "_claim"),
    (first_read, "_read_samples"),
    (first_read, "_write_reads"),
    (first_read, "tell"),
    (review, "tell"),
    (delivery, "_claim"),
    (delivery, "_try"),
    (delivery, "_record"),
]
"""The calls before and after which the process may die."""


class Killed(BaseException):
    """Stands for SIGKILL: nothing in the program catches it."""


@contextmanager
def _dying_at(moments: set[int]) -> Iterator[None]:
    """Dies at the given moments, counted over the calls of WATCHED: one before, one after each."""
    passed = 0

    def moment() -> None:
        nonlocal passed
        passed += 1
        if passed in moments:
            raise Killed

    def watched(call: Callable[..., Any]) -> Callable[..., Any]:
        def called(*words: Any, **named: Any) -> Any:
            moment()
            result = call(*words, **named)
            moment()
            return result

        return called

    with ExitStack() as stack:
        for module, name in WATCHED:
            stack.enter_context(mock.patch.object(module, name, watched(getattr(module, name))))
        yield


def _until_done(step: Callable[[], object]) -> None:
    """Whoever asked asks again; a lease runs out meanwhile."""
    for _ in range(40):
        try:
            step()
        except Killed:
            past = timezone.now() - timedelta(seconds=1)
            Case.objects.filter(claimed_until__isnull=False).update(claimed_until=past)
            Outgoing.objects.filter(claimed_until__isnull=False).update(claimed_until=past)
        else:
            return
    raise AssertionError("it never ended")


def _drain(step: Callable[[], bool]) -> None:
    while step():
        pass


def _live(clinic: Clinic) -> None:
    """A case from the door to the amendment, two specialists and the chief."""
    _until_done(
        lambda: receive(SAMPLES, check="leukaemia", door="api", accession="7", by=clinic.tech)
    )
    _until_done(lambda: _drain(lambda: first_read.read_next(readers.reader_of)))
    case = Case.objects.get().pk
    _until_done(lambda: review.answer(case, by=clinic.ana, label="red"))
    _until_done(lambda: review.answer(case, by=clinic.bo, label="blue"))
    _until_done(lambda: review.answer(case, by=clinic.chief, label="red"))
    _until_done(lambda: amend.amend(case, by=clinic.chief, label="blue", comment="Again."))
    ten_seconds_pass()
    for channel in ("mail", "webhook"):
        _until_done(partial(_drain, partial(delivery.deliver_next, channel)))


def _state() -> dict[str, Any]:
    return {
        "cases": list(Case.objects.values_list("state", "finding", "priority", "waits_for")),
        "samples": sorted(CaseSample.objects.values_list("sample", "position")),
        "reads": sorted(ReadRow.objects.values_list("case_sample__sample", "pack")),
        "reviews": sorted(Review.objects.values_list("by__username", "label")),
        "sign_offs": sorted(SignOff.objects.values_list("number", "label", "basis")),
        "events": sorted(
            Outgoing.objects.filter(channel="webhook").values_list("payload__type", "state")
        ),
        "mails": sorted(
            Outgoing.objects.filter(channel="mail").values_list(
                "to__username", "payload__subject", "state"
            )
        ),
        "trail": [*AuditRow.objects.order_by("number").values_list("action", flat=True)],
        "whole": audit.verify().rows,
    }


def _forget() -> None:
    for rows in (Outgoing, SignOff, Review, ReadRow, CaseSample, Case, Sample, AuditRow, AuditHead):
        rows.objects.all().delete()  # type: ignore[attr-defined]


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(moments=st.sets(st.integers(1, 140), max_size=6))
def test_dying_at_any_moment_ends_in_the_same_state(clinic: Clinic, moments: set[int]) -> None:
    channels = {
        MailSettings: MailSettings(backend="smtp"),
        WebhookSettings: WebhookSettings(addresses=("https://his.example",), secret=Secret(SECRET)),
    }
    # That reading is given up after some deaths is told elsewhere.
    reading = replace(notify.settings.FIRSTREAD.reading, tries=20)
    config = replace(notify.settings.FIRSTREAD, services=channels, reading=reading)
    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(notify.settings, "FIRSTREAD", config))
        # The other side takes everything; that it may see a message twice is told elsewhere.
        stack.enter_context(mock.patch.object(delivery, "_try", return_value=Delivery()))
        with suppress(Killed):
            _forget()
        _live(clinic)
        undisturbed = _state()
        assert len(undisturbed["events"]) == 8
        _forget()
        with _dying_at(moments):
            _live(clinic)
        assert _state() == undisturbed
        _forget()

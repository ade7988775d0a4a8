"""What a probe and the operator's page say of the clinic, with the parts taken away one by one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from firstread.clinic import condition
from firstread.clinic.accounts.tokens import issue
from firstread.clinic.checks import readers
from firstread.clinic.doctor import inspect
from firstread.clinic.models import Check, WorkerRow
from firstread.clinic.queue import presence
from tests.clinic_for_tests import Clinic, read_case

SECRETS = ("Leukaemia", "leukaemia", str(settings.FIRSTREAD.home), "example.org", "sqlite", "host")


@pytest.fixture(autouse=True)
def _looked_at_anew(committed_clinic: Clinic) -> Iterator[None]:
    condition._seen.clear()
    presence.say("host:1:a", reads=True)
    yield
    condition._seen.clear()


def _ask(client: Client, **headers: str) -> tuple[int, dict[str, Any]]:
    condition._seen.clear()
    answered = client.get("/readyz", headers=headers)
    return answered.status_code, answered.json()


def _broken(told: dict[str, Any]) -> list[str]:
    return [part["part"] for part in told["parts"] if not part["works"]]


def test_a_clinic_in_which_everything_works_is_ready(client: Client) -> None:
    status, told = _ask(client)
    assert (status, told["ready"], _broken(told)) == (200, True, [])


def test_each_part_that_is_taken_away_is_named_to_anybody_and_nothing_else_is(
    committed_clinic: Clinic, client: Client
) -> None:
    read_case("red")
    root = settings.FIRSTREAD.samples
    root.rename(root.with_name("elsewhere"))
    Check.objects.filter(name="leukaemia").update(pack="gone")
    WorkerRow.objects.all().delete()
    status, told = _ask(client)
    assert (status, _broken(told)) == (503, ["store", "packs", "workers"])
    assert not [secret for secret in SECRETS if secret in str(told)]
    client.force_login(committed_clinic.ana)
    assert _ask(client)[1] == told
    client.force_login(committed_clinic.operator)
    known = _ask(client)[1]
    assert str(root) in known["parts"][1]["detail"]
    page = client.get("/condition").content.decode()
    assert str(root) in page
    assert "Nobody is there" in page
    secret, _ = issue(committed_clinic.operator)
    by_token = _ask(Client(), Authorization=f"Bearer {secret}")[1]
    assert "leukaemia" in by_token["parts"][3]["detail"]
    for wrong in (secret + "x", issue(committed_clinic.ana)[0]):
        assert _ask(Client(), Authorization=f"Bearer {wrong}")[1] == told
    shutil.rmtree(root, ignore_errors=True)
    root.with_name("elsewhere").rename(root)
    Check.objects.filter(name="leukaemia").update(pack="colour")
    presence.say("host:1:a", reads=True)
    assert _ask(client)[0] == 200


def test_a_worker_that_went_silent_is_not_there_and_one_whose_clock_is_off_is_named(
    committed_clinic: Clinic, client: Client
) -> None:
    client.force_login(committed_clinic.operator)
    WorkerRow.objects.update(ahead_s=-125.0, cannot_read={"leukaemia": "The pack is damaged."})
    page = client.get("/condition").content.decode()
    assert "its clock is 125.0 s behind the database" in page
    assert "Cannot read leukaemia: The pack is damaged." in page
    (told,) = [each for each in inspect(migrations_behind=lambda: 0) if "worker h" in each.part]
    assert told.trouble
    assert "its clock is 125.0 s behind the database's. It cannot read: leukaemia" in told.says
    WorkerRow.objects.update(ahead_s=0.1, cannot_read={})
    (told,) = [each for each in inspect(migrations_behind=lambda: 0) if "worker h" in each.part]
    assert (told.part, told.trouble) == ("worker host 1", False)
    for seen_at in (timezone.now() - timedelta(minutes=2), timezone.now() + timedelta(days=900)):
        WorkerRow.objects.update(seen_at=seen_at)
        assert _broken(_ask(client)[1]) == ["workers"]
        (told,) = [each for each in inspect(migrations_behind=lambda: 0) if "worker h" in each.part]
        assert told.trouble
    presence.say("host:2:b", reads=True)
    assert WorkerRow.objects.count() == 1  # what lies years ahead is taken back


def test_a_check_that_no_worker_can_read_is_trouble(client: Client) -> None:
    WorkerRow.objects.update(cannot_read={"leukaemia": "The pack is damaged."})
    assert _broken(_ask(client)[1]) == ["workers"]
    presence.say("host:2:b", reads=True)
    readers.forget()
    assert _ask(client)[0] == 200

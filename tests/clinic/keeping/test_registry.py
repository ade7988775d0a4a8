"""The page of the clinic's condition and the doctor know what was found and what was copied."""

from __future__ import annotations

from datetime import timedelta

from django.test import Client

from firstread.clinic import condition
from firstread.clinic.doctor import inspect
from firstread.clinic.models import Ails, BackupRow, Restored, StoreFault, clock
from tests.clinic_for_tests import Clinic


def test_what_is_damaged_old_or_held_is_on_the_operators_page(
    committed_clinic: Clinic, client: Client
) -> None:
    now = clock.now()
    long_ago = now - timedelta(days=9)
    StoreFault.objects.create(place="3f/3fa9", ails=Ails.DAMAGED, found_at=now)
    BackupRow.objects.create(name="1", place="host:/b", began_at=long_ago, ended_at=long_ago)
    Restored.objects.create(name="1", made_at=long_ago, restored_at=now)
    condition._seen.clear()
    client.force_login(committed_clinic.operator)
    page = client.get("/condition").content.decode()
    condition._seen.clear()
    for sentence in (
        "Some samples are missing or damaged.",
        "1 damaged",
        "The last backup is old.",
        "Nothing leaves, for the clinic was restored from a backup.",
    ):
        assert sentence in page
    found = {each.part: each for each in inspect(migrations_behind=lambda: 0)}
    assert found["backup"].remedy == "Make one: firstread backup FOLDER"
    assert "outbox release" in found["outbox"].remedy

"""A channel is one folder and one line of a table: a toy one shows that nothing else knows it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from firstread.clinic.doctor import inspect
from firstread.clinic.models import Outgoing
from firstread.clinic.outbox.delivery import deliver_next
from firstread.connect.channel import Channel, Delivery, Parcel, Probed, Words
from firstread.connect.channels import CHANNELS
from firstread.server.config import load_config
from firstread.server.worker import loops
from firstread.toml import Secret, Table
from tests.clinic_for_tests import Clinic, read_case


class PigeonSettings(Table, frozen=True, kw_only=True):
    """Which lofts there are, and what opens them."""

    lofts: tuple[str, ...] = ()
    key: Secret = Secret()


FLOWN: list[Parcel] = []


def _hears(settings: PigeonSettings) -> Sequence[str]:
    return settings.lofts


def _fly(parcel: Parcel, settings: PigeonSettings) -> Delivery:
    FLOWN.append(parcel)
    return Delivery() if settings.key == "corn" else Delivery(error="The loft is shut.")


def _probe(settings: PigeonSettings) -> Sequence[Probed]:
    return [Probed(says=f"{loft} is far.", remedy="Move it.") for loft in settings.lofts]


PIGEON = Channel(
    name="pigeon",
    settings=PigeonSettings,
    sends=lambda _settings: True,
    hears=_hears,
    deliver=_fly,
    probe=_probe,
    words=Words(
        title="Carrier pigeon",
        told="flew {what} to {to}",
        not_told="lost {what} on the way to {to}",
        what=lambda payload: str(payload["type"]),
        text=str,
        place=str.upper,
    ),
)


@pytest.fixture
def pigeon(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> None:
    monkeypatch.setitem(CHANNELS, "pigeon", PIGEON)
    (tmp_path / "key").write_text("corn\n")
    (tmp_path / "firstread.toml").write_text('[pigeon]\nlofts = ["north", "south"]\n')
    settings.FIRSTREAD = load_config(
        {
            "FIRSTREAD_HOME": str(tmp_path),
            "FIRSTREAD_SECRET_KEY": settings.SECRET_KEY,
            "FIRSTREAD_PIGEON_KEY_FILE": str(tmp_path / "key"),
        }
    )
    FLOWN.clear()


def test_a_channel_that_is_in_the_table_is_everywhere(
    clinic: Clinic, pigeon: None, client: Client
) -> None:
    case = read_case("red")
    while deliver_next("pigeon"):
        pass
    assert [(each.address, each.payload["type"]) for each in FLOWN] == [
        ("north", "case.received"),
        ("south", "case.received"),
        ("north", "case.read"),
        ("south", "case.read"),
    ]
    found = inspect(migrations_behind=lambda: 0)
    assert [each.says for each in found if each.part == "pigeon"] == [
        "north is far.",
        "south is far.",
    ]
    client.force_login(clinic.operator)
    history = client.get(f"/cases/{case.pk}").content.decode()
    assert "flew case.read to NORTH" in history
    assert "Carrier pigeon: case.received" in history
    page = client.get("/outbox?channel=pigeon").content.decode()
    assert page.count("Carrier pigeon to ") == 4
    assert client.get("/outbox?channel=mail").content.decode().count("Carrier pigeon to ") == 0
    assert "pigeon" in {loop.name for loop in loops(reading_threads=1, watches_folder=False)}


def test_what_a_channel_left_behind_is_still_shown_when_it_is_gone(
    clinic: Clinic, pigeon: None, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = read_case("red")
    assert deliver_next("pigeon")
    monkeypatch.delitem(CHANNELS, "pigeon")
    client.force_login(clinic.operator)
    for address in ("/outbox", f"/cases/{case.pk}"):
        assert "which this version does not know" in client.get(address).content.decode()
    assert Outgoing.objects.filter(channel="pigeon", state="waiting").count() == 3

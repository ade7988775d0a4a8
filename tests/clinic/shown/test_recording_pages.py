"""What the pages show of a recording, and that reading it again gives the same numbers."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from firstread.clinic.accounts import tokens
from firstread.clinic.api import shown as api
from firstread.clinic.checks import readers
from firstread.clinic.models import Case, ReadRow
from firstread.clinic.replay import replay
from firstread.clinic.shown.beats import beats_at
from firstread.clinic.shown.case import look
from firstread.clinic.steps.first_read import read_next
from firstread.clinic.steps.intake import Incoming, receive
from firstread.clinic.storage.reads import beats_of, counts_of, read_of
from firstread.domain.errors import UnknownCase
from firstread.recordings import join_pair
from tests.clinic_for_tests import Clinic, add_heartbeat, read_case
from tests.hearts_for_tests import recording_zip, wfdb_pair
from tests.recordings_for_tests import as_csv, trace


@pytest.fixture
def case(clinic: Clinic, beats_shelf: str, monkeypatch: pytest.MonkeyPatch) -> Case:
    """Half a minute of a heart with three early wide beats."""
    monkeypatch.setenv("FIRSTREAD_PACKS", beats_shelf)
    add_heartbeat(clinic)
    return _received(clinic, recording_zip(seconds=30, wide=(4, 9, 20)))


def _received(clinic: Clinic, data: bytes) -> Case:
    received = receive(
        [Incoming(data=data, name="100.zip")],
        check="heartbeat",
        door="page",
        accession="H-1",
        by=clinic.tech,
    )
    assert read_next(readers.reader_of)
    received.case.refresh_from_db()
    return received.case


@pytest.fixture
def ana(clinic: Clinic, client: Client) -> Client:
    client.force_login(clinic.ana)
    return client


def _sample(case: Case) -> int:
    return case.samples.get().pk


def test_the_read_keeps_every_beat_in_a_few_bytes(case: Case) -> None:
    row = ReadRow.objects.get()
    beats = beats_of(row)
    assert counts_of(row) == beats.counts
    assert (beats.counts["N"], beats.counts["V"]) == (len(beats) - 3, 3)
    assert len(bytes(row.beats or b"")) < 20 * len(beats)
    assert "beats" not in row.body
    assert (case.finding, case.priority) == ("V", 2)
    assert read_of(row).alarms == ("V",)


def test_reading_it_again_gives_the_same_beats(case: Case) -> None:
    (again,) = replay(case.pk)
    assert (again.same, again.changed) == (True, ())
    row = ReadRow.objects.get()
    codes = row.body["codes"]
    row.body = row.body | {"codes": [codes[2], codes[1], codes[0]]}  # as if V had been N then
    row.save()
    (again,) = replay(case.pk)
    assert not again.same
    assert any("beats" in what for what in again.changed)


def test_the_page_counts_the_beats_and_lists_those_that_matter(case: Case, ana: Client) -> None:
    shown = ana.get(reverse("case", args=[case.pk])).content.decode()
    assert re.search(r"37 beats in 30 s: 3 ventricular ectopic, 34 normal\.", shown)
    assert shown.count("data-episode=") == 3
    assert "Mean heart rate 7" in shown
    meta = json.loads(re.search(r'id="trace-meta"[^>]*>(.*?)</script>', shown).group(1))  # type: ignore[union-attr]
    assert [(each["letter"], each["notable"]) for each in meta["labels"]] == [
        ("N", False),
        ("S", True),
        ("V", True),
    ]
    assert meta["samples"] == 10_800


def test_the_signal_comes_in_tiles_and_the_beats_in_bytes(case: Case, ana: Client) -> None:
    pk = _sample(case)
    first = ana.get(reverse("tile", args=[pk, 0, 0]))
    assert first["Cache-Control"].startswith("private")
    assert np.frombuffer(first.content, "<i2").reshape(2, 4096).max() > 900  # an R wave, in uV
    coarse = np.frombuffer(ana.get(reverse("tile", args=[pk, 2, 0])).content, "<i2")
    assert (coarse.reshape(2, -1, 2)[:, :, 0] <= coarse.reshape(2, -1, 2)[:, :, 1]).all()
    for level, number in ((0, 3), (9, 0)):
        assert ana.get(reverse("tile", args=[pk, level, number])).status_code == 404
    pieces = ana.get(reverse("beats", args=[pk])).content
    assert len(pieces) == 6 * 37
    assert len(ana.get(reverse("stretches", args=[pk])).content) == 37 * 18


def test_ten_seconds_and_a_thumbnail_are_drawn_without_a_script(case: Case, ana: Client) -> None:
    pk = _sample(case)
    start = ana.get(reverse("image", args=[pk]))
    assert start["Content-Type"] == "image/svg+xml"
    assert "from 0:00.0" in start.content.decode()
    beat = int(np.flatnonzero(beats_of(ReadRow.objects.get()).label == 2)[2])
    later = ana.get(reverse("image", args=[pk]), {"beat": beat}).content.decode()
    assert "from 0:11" in later
    assert ">V</text>" in later
    assert b"<svg" in ana.get(reverse("thumbnail", args=[pk])).content
    for asked in ("99999999999", "9" * 5000, "-1", "V"):
        assert b"from 0:00.0" in ana.get(reverse("image", args=[pk]), {"beat": asked}).content
        assert ana.get(reverse("case", args=[case.pk]), {"beat": asked}).status_code == 200
    assert ana.get(reverse("evidence", args=[pk, 0])).status_code == 404


def test_nothing_of_the_header_is_shown(
    clinic: Clinic, beats_shelf: str, monkeypatch: pytest.MonkeyPatch, ana: Client
) -> None:
    monkeypatch.setenv("FIRSTREAD_PACKS", beats_shelf)
    add_heartbeat(clinic)
    pair = wfdb_pair("100", comment="# Mrs Example, born 1950", lead="Mrs Example's chest")
    case = _received(clinic, join_pair(pair))
    pk = _sample(case)
    addresses = [
        reverse("case", args=[case.pk]),
        reverse("image", args=[pk]),
        reverse("thumbnail", args=[pk]),
        reverse("tile", args=[pk, 0, 0]),
        reverse("worklist"),
    ]
    for address in addresses:
        assert b"Example" not in ana.get(address).content, address


def test_a_recording_waits_for_its_read_with_its_trace_in_sight(
    clinic: Clinic, beats_shelf: str, monkeypatch: pytest.MonkeyPatch, ana: Client
) -> None:
    monkeypatch.setenv("FIRSTREAD_PACKS", beats_shelf)
    add_heartbeat(clinic)
    file = Incoming(data=recording_zip(), name="1.zip")
    case = receive([file], check="heartbeat", door="page", by=clinic.tech).case
    shown = ana.get(reverse("case", args=[case.pk])).content.decode()
    assert "Being read. It appears here by itself." in shown
    assert reverse("image", args=[_sample(case)]) in shown
    assert ana.get(reverse("beats", args=[_sample(case)])).status_code == 404


def test_a_flat_line_is_unfit_and_still_drawn(
    clinic: Clinic, beats_shelf: str, monkeypatch: pytest.MonkeyPatch, ana: Client
) -> None:
    monkeypatch.setenv("FIRSTREAD_PACKS", beats_shelf)
    add_heartbeat(clinic)
    pair = wfdb_pair("100")
    header = re.sub(rb" 200 11 0 -?\d+ \d+ ", b" 200 11 0 0 0 ", pair["100.hea"])
    case = _received(clinic, join_pair({"100.hea": header, "100.dat": bytes(len(pair["100.dat"]))}))
    assert case.state == "unfit"
    shown = ana.get(reverse("case", args=[case.pk])).content.decode()
    assert "flat line" in shown
    assert reverse("image", args=[_sample(case)]) in shown


def test_a_picture_has_neither_beats_nor_tiles(clinic: Clinic, ana: Client) -> None:
    pk = _sample(read_case("red"))
    for name, args in (("beats", [pk]), ("stretches", [pk]), ("tile", [pk, 0, 0])):
        assert ana.get(reverse(name, args=args)).status_code == 404


def test_only_who_has_signed_in_sees_a_trace(case: Case, client: Client) -> None:
    for name, args in (("beats", []), ("stretches", []), ("tile", [0, 0]), ("image", [])):
        answer = client.get(reverse(name, args=[_sample(case), *args]))
        assert answer.status_code == 302
        assert answer["Location"].startswith("/sign-in")


def test_a_program_gets_the_counts_with_the_case_and_the_beats_by_themselves(
    case: Case, clinic: Clinic, client: Client
) -> None:
    secret, _ = tokens.issue(clinic.ana, scopes=("cases:read",), name="test", days=1)
    headers = {"Authorization": f"Bearer {secret}"}
    whole = client.get(f"/api/v1/cases/{case.pk}", headers=headers).json()
    assert whole["reads"][0]["counts"] == {"N": 34, "V": 3, "S": 0}
    assert "beats" not in whole["reads"][0]["read"]
    address = f"/api/v1/cases/{case.pk}/samples/1/beats"
    beats = client.get(address, headers=headers).json()
    assert [beats["label"].count(code) for code in ("N", "V")] == [34, 3]
    assert beats["at_s"] == sorted(beats["at_s"])
    assert client.get(address.replace("/1/", "/2/"), headers=headers).status_code == 404


def test_a_recording_that_shows_nothing_for_most_of_the_time_has_no_beats_on_its_page(
    clinic: Clinic, ana: Client, beats_shelf: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIRSTREAD_PACKS", beats_shelf)
    add_heartbeat(clinic)
    signal = trace(length_s=30.0, rate_hz=250.0, leads=1)
    signal[:, : int(0.7 * signal.shape[1])] = 0.0
    case = _received(clinic, as_csv(signal, rate_hz=250.0))
    assert (case.state, case.verdict.says) == ("unfit", "Unfit for a first read")
    page = ana.get(reverse("case", args=[case.pk])).content.decode()
    assert "Unfit for a first read: no beats are shown." in page
    assert 'class="beat alarm"' not in page
    meta = json.loads(
        page.partition('<script id="trace-meta" type="application/json">')[2].partition(
            "</script>"
        )[0]
    )
    assert (meta["beats"], meta["stretches"]) == ("", "")
    strip = ana.get(reverse("image", args=[_sample(case)])).content.decode()
    assert ">V<" not in strip
    assert ">N<" not in strip
    assert ana.get(reverse("beats", args=[_sample(case)])).status_code == 404
    (told,) = api.whole(look(case.pk, by=clinic.ana))["reads"]
    assert (told["counts"], "beats" in told["read"], "counts" in told["read"]) == (
        None,
        False,
        False,
    )
    with pytest.raises(UnknownCase, match=r"No beats are shown\. Unfit for a first read"):
        beats_at(look(case.pk, by=clinic.ana), position=1)

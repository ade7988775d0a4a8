"""A challenger's read is kept beside the first one, and nobody who decides sees anything of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from firstread.clinic.accounts import tokens
from firstread.clinic.api import access, api
from firstread.clinic.checks import readers
from firstread.clinic.models import AuditRow, Case, CaseSample, Outgoing, Person, ReadRow
from firstread.clinic.replay import replay
from firstread.clinic.shown import case as shown
from firstread.clinic.steps import shadow_read
from firstread.clinic.steps.first_read import read_next
from firstread.clinic.steps.intake import Incoming, receive
from firstread.clinic.storage import store
from firstread.clinic.storage.reads import read_of
from firstread.clinic.web.urls import urlpatterns
from firstread.runtime import PackReader, open_reader
from tests.clinic_for_tests import Clinic, add_heartbeat, put_in, put_in_row, read_all
from tests.hearts_for_tests import recording_zip
from tests.packs_for_tests import make_pack, make_recording_pack

Look = Callable[[], dict[str, bytes]]
CHALLENGERS = ("rival", "rival-sizes", "rival-beats")
PAGES_OF_NO_CASE = {
    "sign-in", "sign-out", "search", "answer", "amend", "resend", "events", "pack-picture",
    "withdraw", "reinstate", "reread", "take-back"
}  # fmt: skip
"""They change something, stream, or are files of a pack."""


@pytest.fixture(scope="module")
def challengers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, PackReader]:
    """By kind a pack on no shelf; that of pictures says another colour than the champion."""
    folder = tmp_path_factory.mktemp("challengers")
    made = {
        "image": make_pack(folder, name="rival", gain=-8.0),
        "measurements": make_pack(folder, name="rival-sizes", kind="measurements"),
        "recording": make_recording_pack(folder, name="rival-beats"),
    }
    return {kind: open_reader(pack) for kind, pack in made.items()}


@pytest.fixture
def cases(clinic: Clinic, beats_shelf: str, monkeypatch: pytest.MonkeyPatch) -> list[Case]:
    """One case of each kind of sample, and two cells in one case; not read yet."""
    monkeypatch.setenv("FIRSTREAD_PACKS", beats_shelf)
    add_heartbeat(clinic)
    recording = Incoming(data=recording_zip(seconds=30, wide=(4, 9, 20)), name="100.zip")
    return [
        put_in("red", accession="S-1", by=clinic.tech),
        put_in("red", "green", accession="S-2", seed=7),
        put_in_row(accession="S-3", size=9.0),
        receive([recording], check="heartbeat", door="page", accession="S-4", by=None).case,
    ]


def _challenge(cases: list[Case], challengers: dict[str, PackReader]) -> None:
    for case in cases:
        reader = challengers[case.check_row.kind]
        shadow_read.keep(
            {each: reader.read(store.open(each.sample_id)) for each in case.samples.all()},
            manifest=reader.manifest,
        )


def _addresses(cases: list[Case]) -> Iterator[str]:
    """Every page that may be opened, of every case and sample."""
    samples = CaseSample.objects.all()
    of_case = {"case": "case_id", "case-stamp": "case_id", "correct": "case_id"}
    of_sample = {
        "image": [()],
        "thumbnail": [()],
        "evidence": [(1,)],
        "tile": [(0, 0)],
        "beats": [()],
        "stretches": [()],
    }
    others = {"person": ["1"], "check": ["leukaemia"], "pack": ["colour"]}
    for pattern in urlpatterns:
        name = pattern.name or ""
        if name in of_case:
            yield from (reverse(name, args=[case.pk]) for case in cases)
        elif name in of_sample:
            for more in of_sample[name]:
                yield from (reverse(name, args=[sample.pk, *more]) for sample in samples)
        elif name not in PAGES_OF_NO_CASE:
            yield reverse(name, args=others.get(name, []))
    yield from ("/?state=all", "/?page=1", "/outbox?state=all")
    recording = samples.get(case=cases[3])
    yield from (f"{reverse('image', args=[recording.pk])}?beat={beat}" for beat in (0, 4))


def _api_addresses(cases: list[Case]) -> Iterator[str]:
    for path, methods in api.get_openapi_schema(path_prefix="/api/v1")["paths"].items():
        if "get" in methods:
            for case in cases:
                yield re.sub(r"{[^}]*position}", "1", re.sub(r"{[^}]*case_id}", str(case.pk), path))


@pytest.fixture
def look(clinic: Clinic, cases: list[Case], monkeypatch: pytest.MonkeyPatch) -> Look:
    """Opens everything as every role, in one moment; gives each answer without its token."""
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)
    monkeypatch.setattr(shown, "LOOKS_COUNT_AGAIN_AFTER", timedelta(hours=1))
    monkeypatch.setattr(access, "REQUESTS_PER_S", 1_000_000)
    roles = (clinic.tech, clinic.ana, clinic.chief, clinic.operator)
    people = [(person, Client(), tokens.issue(person)[0]) for person in roles]
    for person, client, _ in people:
        client.force_login(person)
        for case in cases:
            shown.look(case.pk, by=person)  # looking again leaves no line in the history

    def opened() -> dict[str, bytes]:
        found = {}
        for person, client, secret in people:
            for address in _addresses(cases):
                found[f"{person} {address}"] = _lasting(client.get(address))
            program = {"Authorization": f"Bearer {secret}"}
            for address in _api_addresses(cases):
                found[f"{person} {address}"] = _lasting(Client().get(address, headers=program))
            for case in cases:
                asked = json.dumps({"accession": case.accession})
                answer = Client().post(
                    "/api/v1/cases/search",
                    asked,
                    content_type="application/json",
                    headers=program,
                )
                found[f"{person} search {case.accession}"] = _lasting(answer)
        return found

    return opened


def _lasting(response: object) -> bytes:
    status, content = response.status_code, response.content  # type: ignore[attr-defined]
    content = re.sub(rb"(?i)csrf[^>]*", b"", content)
    return str(status).encode() + b" " + content


def test_it_is_kept_with_what_the_challenger_said(
    cases: list[Case], challengers: dict[str, PackReader]
) -> None:
    read_all()
    _challenge(cases, challengers)
    row = ReadRow.shadow_reads.get(case_sample__case=cases[0])
    first = ReadRow.objects.get(case_sample__case=cases[0])
    assert (read_of(row).pack, read_of(first).pack) == ("rival", "colour")
    assert read_of(row).label != read_of(first).label == "red"
    assert (ReadRow.objects.count(), ReadRow.shadow_reads.count()) == (5, 5)


def test_the_same_challenger_again_adds_nothing(
    cases: list[Case], challengers: dict[str, PackReader]
) -> None:
    for _ in range(2):
        _challenge(cases, challengers)
    assert ReadRow.shadow_reads.count() == 5


def test_it_changes_nothing_of_the_case_and_leaves_no_line_in_its_history(
    cases: list[Case], challengers: dict[str, PackReader]
) -> None:
    read_all()

    def rows() -> list[object]:
        return [
            list(kind.objects.order_by("pk").values())
            for kind in (Case, AuditRow, Outgoing, Person)
        ]

    before = rows()
    _challenge(cases, challengers)
    assert rows() == before


def test_a_case_that_has_a_shadow_read_alone_still_gets_its_first_read(
    cases: list[Case], challengers: dict[str, PackReader]
) -> None:
    _challenge(cases, challengers)
    assert read_all() == 4
    assert {read_of(row).pack for row in ReadRow.objects.all()} == {"colour", "sizes", "beats"}
    assert not Case.objects.filter(state="received").exists()


def test_no_page_and_no_answer_of_the_api_shows_it_to_any_role(
    cases: list[Case], challengers: dict[str, PackReader], look: Look
) -> None:
    read_all()
    before = look()
    _challenge(cases, challengers)
    after = look()
    assert {name: after[name] for name in after if after[name] != before[name]} == {}
    assert len(after) > 4 * 30
    assert sum(answer.startswith(b"200 ") for answer in after.values()) > 4 * 20
    for challenger in CHALLENGERS:
        assert not [name for name in after if challenger.encode() in after[name]]


def test_a_case_that_is_not_read_yet_shows_nothing_of_it_either(
    cases: list[Case], challengers: dict[str, PackReader], look: Look
) -> None:
    before = look()
    _challenge(cases, challengers)
    after = look()
    assert {name: after[name] for name in after if after[name] != before[name]} == {}


def test_replaying_a_case_repeats_its_first_reads_alone(
    cases: list[Case], challengers: dict[str, PackReader]
) -> None:
    read_all()
    _challenge(cases, challengers)
    assert [(each.pack, each.same) for each in replay(cases[1].pk)] == [("colour", True)] * 2


def test_the_worker_never_asks_for_it(
    cases: list[Case], challengers: dict[str, PackReader]
) -> None:
    _challenge(cases, challengers)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert read_next(readers.reader_of)
    reads = [each["sql"] for each in asked if 'FROM "clinic_readrow"' in each["sql"]]
    assert reads
    assert all("NOT" in sql and '"shadow"' in sql for sql in reads)

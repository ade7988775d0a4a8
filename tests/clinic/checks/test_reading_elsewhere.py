"""Cases of a check that other servers read: whatever these do, no case is lost or unfit for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from msgspec.structs import replace

from firstread.clinic.audit import verify
from firstread.clinic.checks import readers
from firstread.clinic.doctor import Inspected, inspect
from firstread.clinic.models import AuditRow, Case, ReadRow
from firstread.clinic.replay import replay
from firstread.clinic.shown.case import look
from firstread.clinic.storage.reads import read_of
from firstread.connect.inference.failover import Failover
from tests.clinic_for_tests import Clinic, at_once, put_in, put_in_row, read_all, read_case
from tests.inference_server_for_tests import InferenceServer, says, serving
from tests.packs_for_tests import make_pack

Sets = Callable[..., None]


@pytest.fixture
def server(shelf: Path) -> Iterator[InferenceServer]:
    with serving(InferenceServer(pack=shelf / "colour")) as running:
        yield running


@pytest.fixture
def read_by(settings: Any) -> Iterator[Sets]:
    """Sets the servers of `leukaemia` and keys of [reading]."""

    def sets(*servers: str, check: str = "leukaemia", **reading: object) -> None:
        config = settings.FIRSTREAD
        from firstread.server.config import CheckSettings

        settings.FIRSTREAD = replace(
            config,
            checks={check: CheckSettings(reader=servers)},
            reading=replace(config.reading, **reading),
        )
        readers.forget()

    yield sets
    readers.forget()


def history(case: Case, clinic: Clinic) -> list[str]:
    return [line.sentence for line in look(case.pk, by=clinic.ana).history]


def again(case: Case) -> None:
    """The case comes due, as it does by itself a little later."""
    Case.objects.filter(pk=case.pk).update(retry_at=timezone.now() - timedelta(seconds=1))
    for slot in readers._slots.values():
        if isinstance(slot.reader, Failover):
            for place in slot.reader.places:
                place.breaker._open_until_s = place.breaker._open_until_s and 0.0
    read_all()
    case.refresh_from_db()


def gone(shelf: Path) -> InferenceServer:
    """A server that was there once: nothing answers at its address."""
    with serving(InferenceServer(pack=shelf / "colour")) as server:
        return server


def test_a_case_is_read_by_the_server_and_its_history_says_so(
    clinic: Clinic, server: InferenceServer, read_by: Sets
) -> None:
    here = read_of_case(read_case("red", accession="1"))
    read_by(server.url)
    case = read_case("red", accession="2")
    there = read_of_case(case)
    assert case.state == "read"
    assert (there.findings, there.familiarity) == (here.findings, here.familiarity)
    assert there.runtime == f"for-tests 1 at {server.host}"
    assert f"read it with colour 1.0.0 at {server.host}" in history(case, clinic)
    assert ReadRow.objects.filter(evidence__isnull=False).count() == 2
    seen_here, seen_there = (bytes(row.embedding or b"") for row in ReadRow.objects.order_by("pk"))
    assert seen_here == seen_there != b""


def read_of_case(case: Case) -> Any:
    return read_of(ReadRow.objects.get(case_sample__case=case))


def test_a_row_of_measurements_is_read_there_too(
    clinic: Clinic, shelf: Path, read_by: Sets
) -> None:
    with serving(InferenceServer(pack=shelf / "sizes")) as server:
        read_by(server.url, check="breast-cytology")
        case = put_in_row(size=10.0, shape=9.0, nuclei=None)
        read_all()
    case.refresh_from_db()
    assert case.finding == "malignant"
    assert server.host in history(case, clinic)[1]


def test_nothing_but_the_tensor_leaves(
    clinic: Clinic, server: InferenceServer, read_by: Sets
) -> None:
    read_by(server.url)
    case = put_in("red", accession="SECRET-77", patient="P-12345")
    read_all()
    told = " ".join(server.seen)
    assert "/infer" in told
    for word in ("SECRET", "12345", "red.png", str(case.pk)):
        assert word not in told


def test_with_one_of_two_servers_away_the_case_notices_nothing_but_a_line(
    clinic: Clinic, server: InferenceServer, shelf: Path, read_by: Sets
) -> None:
    away = gone(shelf)
    read_by(away.url, server.url)
    case = read_case("red")
    assert (case.state, case.attempts, case.retry_at) == ("read", 0, None)
    line = history(case, clinic)[1]
    assert line == (
        f"read it with colour 1.0.0 at {server.host}, after {away.host} cannot be reached"
    )


def test_with_every_server_away_the_case_waits_and_keeps_its_tries(
    clinic: Clinic, server: InferenceServer, read_by: Sets, client: Client
) -> None:
    read_by(server.url, fallback="none")
    server.answers = says(500, b"")
    case = put_in("red", accession="1")
    read_all()
    for _ in range(8):
        again(case)
    assert (case.state, case.attempts, case.unfit_reason) == ("received", 0, "")
    assert case.retry_at is not None
    assert case.retry_at > timezone.now()
    assert not read_all()
    reason = f"{server.host} answers with 500."
    assert history(case, clinic)[1:-1] == [f"could not read it yet and tries again: {reason}"]
    client.force_login(clinic.ana)
    assert reason in client.get("/?show=open").content.decode()
    assert "tried again by itself" in client.get(f"/cases/{case.pk}").content.decode()
    assert "Its cases wait" in client.get("/checks").content.decode()
    server.answers = lambda _: False
    again(case)
    assert (case.state, case.finding, case.retry_at) == ("read", "red", None)
    assert "Its cases wait" not in client.get("/checks").content.decode()
    assert verify().rows


def test_a_case_of_many_cells_keeps_those_that_were_read(
    clinic: Clinic, server: InferenceServer, read_by: Sets
) -> None:
    read_by(server.url, fallback="none")
    golden = 3
    answer = says(503, b"")
    server.answers = lambda handler: server.asked > golden + 2 and answer(handler)
    case = put_in("green", "red", "blue", "green")
    read_all()
    case.refresh_from_db()
    assert (case.state, ReadRow.objects.count()) == ("received", 2)
    asked, server.answers = server.asked, lambda _: False
    again(case)
    assert (case.state, case.finding, ReadRow.objects.count()) == ("read", "red", 4)
    assert server.asked - asked <= golden + 2  # no cell is read twice


def test_after_the_patience_the_clinic_reads_by_itself(
    clinic: Clinic, shelf: Path, read_by: Sets
) -> None:
    away = gone(shelf)
    read_by(away.url, patience_s=0)
    case = read_case("red")
    assert case.state == "read"
    assert history(case, clinic)[1] == (
        f"read it with colour 1.0.0 on this machine, because {away.host} cannot be reached"
    )
    assert read_of_case(case).runtime.startswith("onnxruntime")


def test_a_server_with_another_model_reads_no_case(
    clinic: Clinic, tmp_path: Path, read_by: Sets
) -> None:
    wrong = make_pack(tmp_path, name="colour", gain=2.0)
    with serving(InferenceServer(pack=wrong)) as server:
        read_by(server.url, fallback="none")
        case = put_in("red")
        read_all()
    case.refresh_from_db()
    assert case.state == "received"
    assert "it has another model" in history(case, clinic)[1]


def test_a_sample_that_the_store_damaged_says_so_though_servers_are_away(
    clinic: Clinic, shelf: Path, read_by: Sets, settings: Any
) -> None:
    read_by(gone(shelf).url, fallback="none")
    case = put_in("red")
    sample = case.samples.get().sample_id
    (settings.FIRSTREAD.samples / sample[:2] / sample).write_bytes(b"worm")
    read_all()
    case.refresh_from_db()
    assert case.state == "received"
    assert "have changed" in look(case.pk, by=clinic.ana).waits_because


def test_a_read_from_elsewhere_is_replayed_here_with_the_same_numbers(
    clinic: Clinic, server: InferenceServer, read_by: Sets
) -> None:
    read_by(server.url)
    (replayed,) = replay(read_case("red").pk)
    assert replayed.same
    assert "the runtime was for-tests 1" in replayed.changed[0]


def _line(check: str) -> Inspected:
    found = inspect(migrations_behind=lambda: 0)
    return next(each for each in found if each.part == f"check {check}")


def test_the_doctor_asks_every_server(
    clinic: Clinic, server: InferenceServer, shelf: Path, read_by: Sets
) -> None:
    read_by(server.url)
    assert _line("leukaemia").says == f"The pack colour gives its golden answers at {server.host}."
    assert _line("breast-cytology").says.endswith("answers here.")
    away = gone(shelf)
    read_by(server.url, away.url)
    line = _line("leukaemia")
    assert line.trouble
    assert line.says == f"{away.host} cannot be reached. Meanwhile {server.host} reads."
    read_by(away.url, fallback="none")
    assert "Until then its cases wait." in _line("leukaemia").says
    read_by(away.url, fallback="here", patience_s=7)
    assert "After 7 s its cases are read on this machine." in _line("leukaemia").says


def test_the_doctor_knows_a_case_that_waits_for_a_server_from_one_that_nobody_reads(
    clinic: Clinic, shelf: Path, read_by: Sets
) -> None:
    read_by(gone(shelf).url, fallback="none")
    case = put_in("red")
    Case.objects.update(received_at=timezone.now() - timedelta(hours=1))

    def reading() -> Inspected:
        found = inspect(migrations_behind=lambda: 0)
        return next(each for each in found if each.part == "reading")

    assert reading().trouble
    read_all()
    case.refresh_from_db()
    assert case.retry_at is not None
    assert not reading().trouble


def test_two_workers_read_each_case_once_while_servers_fail(
    committed_clinic: Clinic, server: InferenceServer, read_by: Sets
) -> None:
    read_by(server.url, patience_s=0)
    fails = says(500, b"")
    server.answers = lambda handler: server.asked % 5 == 0 and fails(handler)
    for number in range(12):
        put_in("red", accession=str(number), seed=number)
    at_once(*[read_all] * 3)
    for case in Case.objects.filter(state="received"):
        again(case)
    assert set(Case.objects.values_list("state", flat=True)) == {"read"}
    assert ReadRow.objects.count() == 12
    assert AuditRow.objects.filter(action="read").count() == 12

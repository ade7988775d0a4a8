"""A round through the store finds what is missing, damaged or orphaned, and goes on."""

from __future__ import annotations

import os
import shutil
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from firstread.clinic.doctor import inspect
from firstread.clinic.keeping import chores, store_mending, store_round
from firstread.clinic.keeping.store_round import Pace, background
from firstread.clinic.models import Ails, AuditRow, Case, CaseSample, Chore, clock
from firstread.clinic.storage import store
from firstread.domain.errors import StoreTrouble
from tests.clinic_for_tests import Clinic, at_once, put_in, read_all, read_case
from tests.images_for_tests import cell_png

DAY = timedelta(days=1)


def _place(sha256: str) -> Path:
    return Path(settings.FIRSTREAD.samples) / store.place_of(sha256)


def _hash(case: Case) -> str:
    return CaseSample.objects.get(case=case).sample_id


def _go_round() -> dict[str, Ails]:
    """A whole round, as the worker's loop does it; what is wrong by place."""
    Chore.objects.filter(pk=store_round.BACKGROUND).update(began_at=clock.now() - 2 * DAY)
    while background(threading.Event(), every=DAY, mb_a_second=1000):
        pass
    return {fault.place: fault.ails for fault in store_mending.faults()}


def _as_old(path: Path) -> None:
    before = time.time() - 2 * store_round.GRACE_S
    os.utime(path, (before, before))


def test_missing_damaged_and_orphaned_bytes_are_found_and_counted(clinic: Clinic) -> None:
    whole, gone, changed = (put_in(seed=seed, accession=str(seed)) for seed in (1, 2, 3))
    _place(_hash(gone)).unlink()
    _place(_hash(changed)).write_bytes(b"something else")
    orphan = _place(store.put(b"nobody's"))
    half = orphan.with_name(".half-written")
    half.write_bytes(b"hal")
    for path in (orphan, half):
        _as_old(path)
    assert _go_round() == {
        store.place_of(_hash(gone)): Ails.MISSING,
        store.place_of(_hash(changed)): Ails.DAMAGED,
        store.place_of(orphan.name): Ails.ORPHANED,
        f"{half.parent.name}/{half.name}": Ails.ORPHANED,
    }
    assert store_mending.ailing([_hash(whole)]) == {}
    (told,) = [e for e in inspect(migrations_behind=lambda: 0) if e.part == "samples"]
    assert told.says == "Of the files of the store 1 missing, 1 damaged, 2 orphaned."
    assert "store verify --heal-from" in told.remedy
    assert store_mending.delete_orphaned() == 2
    assert not orphan.exists()
    assert not half.exists()


def test_bytes_whose_row_is_yet_to_come_are_no_orphan(clinic: Clinic) -> None:
    put_in()
    store.put(b"a put in progress")
    assert _go_round() == {}


def test_a_damaged_sample_of_an_open_case_is_told_on_that_case_until_it_comes_in_again(
    clinic: Clinic, client: Client
) -> None:
    case = read_case("red", accession="D-1", seed=7)
    _place(_hash(case)).write_bytes(b"something else")
    _go_round()
    _go_round()  # is told once
    assert AuditRow.objects.filter(case_id=case.pk, action=store_round.DAMAGE).count() == 1
    client.force_login(clinic.ana)
    page = client.get(f"/cases/{case.pk}").content.decode()
    assert "The bytes of sample 1 are damaged in the store." in page
    assert "found the bytes of a sample damaged in the store" in page
    put_in("red", accession="D-1", seed=7)
    assert store_mending.faults() == []
    assert store.what_ails(_hash(case)) == ""
    assert "are damaged in the store." not in client.get(f"/cases/{case.pk}").content.decode()


def test_bytes_are_brought_back_from_a_copy_by_their_hash_alone(
    clinic: Clinic, tmp_path: Path
) -> None:
    first, second = (_hash(put_in(seed=seed, accession=str(seed))) for seed in (1, 2))
    shutil.copytree(settings.FIRSTREAD.samples, tmp_path / "samples")
    _place(first).unlink()
    _place(second).unlink()
    (tmp_path / "samples" / store.place_of(second)).write_bytes(b"also damaged")
    assert len(_go_round()) == 2
    assert store_mending.heal(tmp_path) == 1
    assert store.what_ails(first) == ""
    assert store_mending.ailing([first, second]) == {second: Ails.MISSING}


def test_a_store_that_is_away_is_not_taken_for_one_without_samples(clinic: Clinic) -> None:
    for seed in range(3):
        put_in(seed=seed, accession=str(seed))
    folder = Path(settings.FIRSTREAD.samples)
    away = folder.with_name("away")
    folder.rename(away)
    try:
        folder.mkdir()  # the empty folder that a disk is mounted on
        assert not background(threading.Event(), every=DAY, mb_a_second=1000)
        assert store_mending.faults() == []
    finally:
        shutil.rmtree(folder)
        away.rename(folder)


def test_what_goes_away_during_the_round_is_not_written_down_as_missing(clinic: Clinic) -> None:
    put_in()
    folder = Path(settings.FIRSTREAD.samples)
    chore = chores.claim(store_round.BACKGROUND)
    assert chore is not None
    shutil.rmtree(folder)
    pace = Pace(chore=chore, mb_a_second=0, stop=threading.Event())
    with pytest.raises(StoreTrouble, match="not mounted"):
        store_round.step(chore, pace=pace)
    assert store_mending.faults() == []


def test_a_round_that_was_broken_off_goes_on_where_it_was(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_round, "MOST_AT_ONCE", 1)
    hashes = sorted(_hash(put_in(seed=seed, accession=str(seed))) for seed in range(6))
    seen: list[str] = []
    known = store.what_ails

    def noted(sha256: str, **more: object) -> str:
        seen.append(sha256)
        return known(sha256)

    monkeypatch.setattr(store, "what_ails", noted)
    while len(seen) < 3:  # each step by a process of its own
        assert background(threading.Event(), every=DAY, mb_a_second=1000)
    assert seen == hashes[:3]
    while background(threading.Event(), every=DAY, mb_a_second=1000):
        pass
    assert seen == hashes
    assert Chore.objects.get(pk=store_round.BACKGROUND).counts["files"] == 6


def test_the_round_keeps_to_its_speed_and_ends_at_once_when_it_is_asked_to(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = put_in()
    size = _place(_hash(case)).stat().st_size
    waited: list[float] = []

    class Stop(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waited.append(timeout or 0.0)
            return self.is_set()

    while background(Stop(), every=DAY, mb_a_second=0.5):
        pass
    assert sum(waited) == pytest.approx(size / 0.5e6)
    asked = threading.Event()
    asked.set()
    Chore.objects.update(began_at=clock.now() - 2 * DAY)
    ended = Chore.objects.get().ended_at
    assert not background(asked, every=DAY, mb_a_second=0.5)
    assert Chore.objects.get().ended_at == ended


def test_two_processes_do_not_go_round_at_once(committed_clinic: Clinic) -> None:
    held = at_once(*[lambda: chores.claim("store")] * 4)
    assert len([one for one in held if one is not None]) == 1


def test_a_sample_that_is_erased_while_it_comes_in_again_is_sent_once_more(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = store.put

    def put_and_erase(data: bytes) -> str:
        sha256 = put(data)
        _place(sha256).unlink()
        return sha256

    monkeypatch.setattr(store, "put", put_and_erase)
    with pytest.raises(StoreTrouble, match="Send it again"):
        put_in("red", accession="E-1")
    assert not Case.objects.exists()
    monkeypatch.undo()
    assert _hash(put_in("red", accession="E-1")) == store.put(cell_png("red", seed=1))
    assert read_all() == 1

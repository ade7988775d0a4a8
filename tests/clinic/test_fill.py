"""What older reads lack is filled in, by the network that read them and no other."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from firstread.clinic.models import AuditRow, Case, ReadRow
from firstread.clinic.replay import Tally, fill, without_embedding
from firstread.clinic.steps.intake import Incoming, receive
from firstread.domain.errors import Unreachable
from firstread.packs.sums import seal
from tests.clinic_for_tests import (
    Clinic,
    add_heartbeat,
    at_once,
    put_in,
    put_in_row,
    read_all,
    read_case,
)
from tests.hearts_for_tests import recording_zip
from tests.packs_for_tests import make_pack


def _as_an_older_firstread_left_them() -> dict[int, bytes | None]:
    """Takes the embeddings away; gives what they were."""
    kept = dict(ReadRow.objects.values_list("pk", "embedding"))
    ReadRow.objects.update(embedding=None)
    return kept


def _filled(*, limit: int | None = None) -> Tally:
    tally = Tally()
    for _ in fill(tally, limit=limit):
        pass
    return tally


def _now() -> dict[int, bytes | None]:
    return dict(ReadRow.objects.values_list("pk", "embedding"))


def test_every_read_gets_what_a_new_one_would_have(
    clinic: Clinic, beats_shelf: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIRSTREAD_PACKS", beats_shelf)
    add_heartbeat(clinic)
    beats = Incoming(data=recording_zip(seconds=30, wide=(4,)), name="1.zip")
    receive([beats], check="heartbeat", door="page", by=None)
    put_in("red", "green")
    read_all()
    before = _as_an_older_firstread_left_them()
    history = AuditRow.objects.count()
    tally = _filled()
    assert (tally.filled, tally.nothing_to_keep, tally.left) == (3, 0, {})
    assert tally.size_bytes == 2 * (3 + 3 + 18)
    assert _now() == before
    assert AuditRow.objects.count() == history  # nothing that a person decides by has changed


def test_run_again_it_does_nothing(clinic: Clinic) -> None:
    read_case("red")
    _as_an_older_firstread_left_them()
    assert [_filled().filled, _filled().filled] == [1, 0]


def test_reads_whose_pack_gives_none_are_no_trouble_and_no_work(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(3):
        put_in_row(accession=str(n))
    read_all()
    shutil.rmtree(settings.FIRSTREAD.samples)  # no sample is asked for
    tally = _filled()
    assert (tally.filled, tally.nothing_to_keep, tally.left) == (0, 3, {})


def test_a_limit_ends_it_and_the_next_run_goes_on(clinic: Clinic) -> None:
    read_case("red", "green", "blue")
    _as_an_older_firstread_left_them()
    assert _filled(limit=2).filled == 2
    assert without_embedding().count() == 1
    assert _filled(limit=2).filled == 1


def test_reads_of_another_pack_of_that_name_and_version_are_left_and_it_says_what_to_do(
    clinic: Clinic, shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = read_case("red", "green")
    before = _as_an_older_firstread_left_them()
    make_pack(tmp_path, gain=3.0)
    monkeypatch.setenv("FIRSTREAD_PACKS", str(tmp_path))
    tally = _filled()
    ((why, count),) = tally.left.items()
    assert (tally.filled, count, tally.such_as[why]) == (0, 2, case.pk)
    assert "They were read by another colour 1.0.0" in why
    assert "in a folder 'colour-1.0.0', and run this again" in why
    shutil.copytree(shelf / "colour", tmp_path / "colour-1.0.0")  # the remedy works
    assert _filled().filled == 2
    assert _now() == before


def test_a_pack_of_that_version_with_the_same_network_fills_though_its_hash_is_another(
    clinic: Clinic, shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_case("red", "green")
    before = _as_an_older_firstread_left_them()
    other = shutil.copytree(shelf / "colour", tmp_path / "colour")
    text = (other / "pack.toml").read_text(encoding="utf-8")
    assert 'title = "' in text
    (other / "pack.toml").write_text(
        text.replace('title = "', 'title = "New: ', 1), encoding="utf-8"
    )
    seal(other)
    monkeypatch.setenv("FIRSTREAD_PACKS", str(tmp_path))
    tally = _filled()
    assert (tally.filled, tally.left) == (2, {})
    assert _now() == before


def test_a_pack_that_is_gone_is_told_with_its_count(
    clinic: Clinic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_case("red", "green")
    _as_an_older_firstread_left_them()
    monkeypatch.setenv("FIRSTREAD_PACKS", str(tmp_path))
    ((why, count),) = _filled().left.items()
    assert count == 2
    assert "Put it back on a shelf" in why


def test_a_read_whose_numbers_come_out_otherwise_is_left_alone(clinic: Clinic) -> None:
    read_case("red", "green")
    _as_an_older_firstread_left_them()
    row = ReadRow.objects.order_by("pk").first()
    assert row is not None
    row.body["logits"][0] += 0.5
    row.save()
    tally = _filled()
    assert (tally.filled, list(tally.left.values())) == (1, [1])
    assert "gives other numbers here" in next(iter(tally.left))
    assert without_embedding().get().pk == row.pk


def test_a_sample_that_is_gone_does_not_stop_the_others(clinic: Clinic) -> None:
    case = read_case("red", "green")
    _as_an_older_firstread_left_them()
    gone = case.samples.first()
    assert gone is not None
    (settings.FIRSTREAD.samples / gone.sample_id[:2] / gone.sample_id).unlink()
    tally = _filled()
    assert (tally.filled, list(tally.left.values())) == (1, [1])
    assert "missing from the store" in next(iter(tally.left))


def test_two_at_a_time_fill_each_read_once(committed_clinic: Clinic) -> None:
    for n in range(6):
        put_in("red", "green", "blue", accession=str(n), seed=10 * n)
    read_all()
    before = _as_an_older_firstread_left_them()
    tallies = at_once(_filled, _filled)
    assert sum(each.filled for each in tallies if isinstance(each, Tally)) == 18
    assert _now() == before


def _command(*options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "firstread", "replay", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | _database(),
    )


def _database() -> dict[str, str]:
    named = settings.DATABASES["default"]
    if "sqlite" in named["ENGINE"]:
        return {"FIRSTREAD_DATABASE_URL": f"sqlite:///{named['NAME']}"}
    host = f"{named['HOST']}:{named['PORT']}" if named["HOST"] else ""
    return {"FIRSTREAD_DATABASE_URL": f"postgresql://{named['USER']}@{host}/{named['NAME']}"}


def test_the_command_fills_in_and_goes_on_where_a_killed_one_stopped(
    committed_clinic: Clinic,
) -> None:
    put_in(*["red", "green", "blue"] * 20, accession="K-1")
    read_all()
    before = _as_an_older_firstread_left_them()
    killed = _command("--fill")
    while killed.poll() is None and without_embedding().count() == 60:
        pass
    killed.send_signal(signal.SIGKILL)
    ended = killed.communicate()
    left = without_embedding().count()
    assert left < 60, ended
    went_on = _command("--fill")
    said, trouble = went_on.communicate(timeout=120)
    assert (went_on.returncode, trouble) == (0, "")
    assert said.startswith(f"{left} reads filled in, 6 bytes each" if left > 1 else f"{left} read")
    assert _now() == before


def test_a_database_that_takes_no_more_is_told_in_a_sentence(committed_clinic: Clinic) -> None:
    put_in("red", "green")
    read_all()
    _as_an_older_firstread_left_them()
    tally = Tally()
    with connection.cursor() as cursor:
        refuse, allow = {
            "sqlite": ("PRAGMA query_only = 1", "PRAGMA query_only = 0"),
            "postgresql": (
                "SET default_transaction_read_only = on",
                "SET default_transaction_read_only = off",
            ),
        }[connection.vendor]
        cursor.execute(refuse)
        try:
            with pytest.raises(
                Unreachable, match=r"only.* What is filled in stays.* run this again"
            ):
                list(fill(tally))
        finally:
            cursor.execute(allow)
    assert tally.filled == 0
    assert _filled().filled == 2


def test_the_command_says_what_was_left_and_ends_with_1(
    committed_clinic: Clinic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_case("red")
    _as_an_older_firstread_left_them()
    monkeypatch.setenv("FIRSTREAD_PACKS", str(tmp_path))
    case = Case.objects.get().pk
    command = _command("--fill")
    said, _ = command.communicate(timeout=120)
    assert command.returncode == 1
    assert f"1 read left as before, such as of case {case}. The pack colour 1.0.0" in said


@pytest.mark.parametrize("options", [(), ("--fill", "some-case"), ("--limit", "3", "some-case")])
def test_what_does_not_go_together_is_refused(options: tuple[str, ...]) -> None:
    from click.testing import CliRunner

    from firstread.cli.replay import replay

    answered = CliRunner().invoke(replay, list(options))
    assert answered.exit_code == 2
    assert "--fill" in answered.output

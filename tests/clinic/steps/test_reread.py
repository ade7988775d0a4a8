"""What was made unfit is read again: its earlier state stays, and so does what a person said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from django.test import Client
from PIL import Image

from firstread.cli import replay as replay_command
from firstread.cli import reread as command
from firstread.clinic import audit
from firstread.clinic.checks import readers
from firstread.clinic.models import AuditRow, Case, ReadRow, clock
from firstread.clinic.models.reads import ReplacedRead
from firstread.clinic.steps.first_read import _claim, _read_samples, _write
from firstread.clinic.steps.intake import Incoming, receive
from firstread.clinic.steps.reread import reread
from firstread.clinic.steps.review import answer
from firstread.clinic.steps.withdraw import withdraw
from firstread.domain.errors import FirstreadError, NotAllowed, WrongState
from tests.clinic_for_tests import Clinic, at_once, put_in, read_all, read_case
from tests.images_for_tests import as_png

NOT_ITS_OWN = "The pack 'colour' is damaged: model.onnx has changed."


def _unfit(accession: str, *, seed: int = 1) -> Case:
    """A case as an earlier Firstread left it where a pack was damaged."""
    case = put_in("red", accession=accession, seed=seed)
    Case.objects.filter(pk=case.pk).update(
        state="unfit", unfit_reason=NOT_ITS_OWN, read_at=clock.now(), waits_for="specialist"
    )
    case.refresh_from_db()
    return case


def _flat() -> Case:
    flat = as_png(Image.new("RGB", (96, 96), (200, 120, 120)))
    case = receive([Incoming(data=flat)], check="leukaemia", door="page", by=None).case
    read_all()
    case.refresh_from_db()
    return case


def test_a_case_that_was_no_fault_of_its_own_is_read_and_its_history_keeps_what_it_was(
    clinic: Clinic, client: Client
) -> None:
    case = _unfit("A1")
    client.force_login(clinic.tech)
    assert "Read again" in client.get(f"/cases/{case.pk}").content.decode()
    assert client.post(f"/cases/{case.pk}/reread").status_code == 302
    page = client.get(f"/cases/{case.pk}").content.decode()
    assert "Being read" in page
    assert "Read again" not in page
    read_all()
    case.refresh_from_db()
    assert (case.state, case.finding, case.unfit_reason) == ("read", "red", "")
    page = client.get(f"/cases/{case.pk}").content.decode()
    assert "had it read again. It was unfit before: The pack" in page
    told = AuditRow.objects.get(action="reread")
    assert (told.actor, told.detail) == ("tech", {"reason": NOT_ITS_OWN})
    audit.verify()


def test_what_is_unfit_by_its_own_sample_is_unfit_again_and_the_earlier_read_is_kept(
    clinic: Clinic,
) -> None:
    case = _flat()
    before = ReadRow.objects.get(case_sample__case=case)
    reread(case.pk, by=clinic.operator)
    assert not ReadRow.objects.filter(case_sample__case=case).exists()
    read_all()
    case.refresh_from_db()
    assert case.state == "unfit"
    assert case.unfit_reason
    kept = ReplacedRead.objects.get()
    assert (kept.body, kept.case_sample_id) == (before.body, before.case_sample_id)
    assert ReadRow.objects.filter(case_sample__case=case).count() == 1


def test_what_a_person_answered_signed_or_withdrew_and_what_is_read_stays(clinic: Clinic) -> None:
    answered, signed, gone = (_unfit(str(n), seed=n) for n in (1, 2, 3))
    answer(answered.pk, by=clinic.ana, label="red")
    answer(signed.pk, by=clinic.chief, label="red")
    withdraw(gone.pk, by=clinic.tech, reason="Wrong patient.")
    for case, why in (
        (answered, "has answered the case unaided"),
        (signed, "is signed off"),
        (gone, "withdrawn"),
        (read_case("red", accession="4", seed=40), "which stands"),
        (put_in("red", accession="5", seed=50), "waits for its first read already"),
    ):
        with pytest.raises(FirstreadError, match=why):
            reread(case.pk, by=clinic.operator)
    waiting = _unfit("6", seed=60)
    for person in (clinic.ana, clinic.chief):
        with pytest.raises(NotAllowed):
            reread(waiting.pk, by=person)


def test_two_who_ask_at_once_have_it_read_once(committed_clinic: Clinic) -> None:
    case = _unfit("A1")
    said: list[str] = []

    def ask() -> None:
        try:
            reread(case.pk, by=committed_clinic.operator)
        except WrongState as error:
            said.append(str(error))

    at_once(ask, ask, ask)
    assert said == 2 * ["The case waits for its first read already."]
    assert AuditRow.objects.filter(action="reread").count() == 1
    assert read_all() == 1


def test_a_reader_of_before_writes_nothing_into_a_case_that_is_read_again(clinic: Clinic) -> None:
    case = put_in("red", accession="A1")
    slow = _claim()
    assert slow is not None
    lease: Any = type("Lease", (), {"lost": False})()
    work = _read_samples(slow, readers.reader_of, lambda *_: pytest.fail("apart"), lease=lease)
    Case.objects.filter(pk=case.pk).update(state="unfit", unfit_reason=NOT_ITS_OWN)
    reread(case.pk, by=clinic.operator)
    _write(slow, work)
    assert not ReadRow.objects.exists()
    assert read_all() == 1


def _run(monkeypatch: pytest.MonkeyPatch, what: Any, *words: str) -> Result:
    for name in ("open_django", "open_database", "open_as_it_is"):
        monkeypatch.setattr(f"firstread.server.start.{name}", lambda: None)
    return CliRunner().invoke(what, list(words))


def test_the_command_reads_again_by_number_by_check_and_by_time(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, _, other = (_unfit(str(n), seed=n) for n in (1, 2, 3))
    Case.objects.filter(pk=old.pk).update(read_at="2020-01-01T00:00Z")

    def run(*words: str) -> Result:
        return _run(monkeypatch, command.reread, *words)

    for words in (["--all"], ["--check", "leukaemia"]):
        assert "3 cases would wait" in run(*words, "--dry-run").output
    assert Case.objects.filter(state="unfit").count() == 3
    assert "0 cases would" in run("--check", "breast-cytology", "--dry-run").output
    assert "There is no check" in str(run("--check", "x").exception)
    told = run(str(other.pk), "nothing", "--json")
    assert told.exit_code == 1
    lines = [json.loads(line) for line in told.output.splitlines()]
    assert [each["read_again"] for each in lines] == [True, False]
    assert run("--since", "2021-01-01").exit_code == 0
    states = dict(Case.objects.values_list("accession", "state"))
    assert states == {"1": "unfit", "2": "received", "3": "received"}
    assert "1 case waits" in run("--all").output
    assert read_all() == 3
    assert run().exit_code == run("--all", str(old.pk)).exit_code == 2


def test_replay_says_what_was_not_read_and_why(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    unread, unfit = put_in("red", accession="1"), _unfit("2", seed=2)
    for case, said in ((unread, "was not read yet"), (unfit, f"the case is unfit: {NOT_ITS_OWN}")):
        told = _run(monkeypatch, replay_command.replay, str(case.pk))
        assert told.exit_code == 1
        assert "sample 1 was not read" in told.output
        assert said in told.output
        as_json = _run(monkeypatch, replay_command.replay, str(case.pk), "--json")
        assert json.loads(as_json.output)["same"] is False
    Case.objects.filter(pk=unread.pk).delete()
    partly = read_case("green", "blue", accession="3", seed=30)
    ReadRow.objects.filter(case_sample__case=partly, case_sample__position=2).delete()
    told = _run(monkeypatch, replay_command.replay, str(partly.pk))
    assert "sample 1 by colour" in told.output
    assert "sample 2 could not be opened" in told.output


def test_the_command_opens_the_database_of_its_home(tmp_path: Path, shelf: Path) -> None:
    own = {name: value for name, value in os.environ.items() if not name.startswith("FIRSTREAD_")}
    given = own | {"FIRSTREAD_HOME": str(tmp_path), "FIRSTREAD_PACKS": str(shelf)}
    done = subprocess.run(
        [sys.executable, "-m", "firstread", "reread", "--all"],
        env=given, check=False, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "0 cases wait for a first read again.\n")

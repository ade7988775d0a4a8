"""A kind of sample that Firstread has never heard of: a file for each floor, and it goes all the
way, from the command line to the case page."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from django.conf import settings
from django.test import Client
from msgspec.structs import replace

from firstread.cli.main import main
from firstread.clinic.checks import readers
from firstread.clinic.checks.checks import ensure_checks
from firstread.clinic.doors.folder import door_of
from firstread.clinic.models import Case, Reader
from firstread.datasets.sample import Sample
from firstread.datasets.write import write_dataset
from firstread.domain.errors import BadRequest, UnknownKind, UnreadableSample
from firstread.domain.kinds import WORDS
from firstread.edge.clock import BootClock
from firstread.edge.first_reads import read_next
from firstread.edge.inbox import IntoTheSpool
from firstread.edge.serve.protocols import native, open_inference
from firstread.edge.serve.warm import WarmPacks
from firstread.edge.serve.wire import Asked
from firstread.edge.spool import Spool
from firstread.evaluation.kinds import KINDS as MEASURED
from firstread.inbox.names import ACCESSION_PATTERN
from firstread.inbox.places import Inbox
from firstread.inbox.settle import Settling
from firstread.inbox.taking import Taking
from firstread.packs import find_pack
from firstread.runtime import open_reader
from tests.clinic_for_tests import Clinic, read_all
from tests.melody_for_tests import FILES, FLOORS, GLAD, SAD, add_melodies, make_melody_pack
from tests.programs_for_tests import make_program


@pytest.fixture
def melodies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Firstread with the kind and a pack that reads it; returns the shelf."""
    add_melodies(monkeypatch)
    shelf = tmp_path / "shelf"
    make_melody_pack(shelf)
    monkeypatch.setenv("FIRSTREAD_PACKS", str(shelf))
    yield shelf
    for package in FLOORS.values():
        sys.modules.pop(f"{package}.melody", None)


@pytest.fixture
def ward(melodies: Path, clinic: Clinic, settings: Any) -> Clinic:
    """A clinic with the check `mood`, which ana reads."""
    (templates,) = settings.TEMPLATES
    settings.TEMPLATES = [templates | {"DIRS": [FILES / "templates", *templates.get("DIRS", ())]}]
    readers.forget()
    check = next(each for each in ensure_checks() if each.name == "mood")
    assert check.kind == "melody"
    Reader.objects.create(check_row=check, person=clinic.ana)
    return clinic


def _tunes(folder: Path) -> Path:
    """The melodies as labelled samples, as Firstread writes them."""
    samples = [Sample(label=label, data=data) for label, data in (("glad", GLAD), ("sad", SAD))]
    write_dataset(samples, to=folder, kind="melody")
    return folder


def _run(*words: str | Path) -> Result:
    return CliRunner().invoke(main, list(map(str, words)))


def _signed_in(clinic: Clinic) -> Client:
    http = Client()
    http.force_login(clinic.ana)
    return http


def test_without_its_files_the_kind_is_unknown_and_says_so() -> None:
    for table in (WORDS, MEASURED):
        with pytest.raises(UnknownKind, match="no samples of kind 'melody': it knows image, measu"):
            table["melody"]


def test_the_command_line_reads_it_compares_it_and_measures_it(
    melodies: Path, tmp_path: Path
) -> None:
    files = tmp_path / "files"
    for label, data in (("glad", GLAD), ("sad", SAD)):
        (files / label).mkdir(parents=True)
        (files / label / "one.notes").write_bytes(data)
    (files / "glad" / "none.notes").write_text("no melody")
    read = _run("classify", files, "--pack", "tunes", "--json")
    *answers, _ = [json.loads(line) for line in read.stdout.splitlines()]
    assert read.exit_code == 1
    assert [a.get("label") for a in answers] == [None, "glad", "sad"]
    assert answers[0]["error"].startswith("This is no melody.")
    assert [(a.get("truth"), a.get("outcome")) for a in answers[1:]] == [
        ("glad", "true negative"),
        ("sad", "true positive"),
    ]
    folder = _tunes(tmp_path / "tunes")
    measured = _run("evaluate", "tunes", folder, "--json")
    assert json.loads(measured.stdout)["accuracy"] == 1.0
    looked = _run("datasets", "check", folder)
    assert "2 samples (melody)" in looked.stdout
    assert "one melody under two labels: 0" in looked.stdout
    assert _run("packs", "verify", "tunes").exit_code == 0
    row = open_reader(find_pack("tunes"))
    with pytest.raises(UnreadableSample, match=r"reads melodies, not measurements. Send a melody"):
        row.read_measurements({"size": 1.0})


def test_a_server_reads_it_by_each_protocol_and_describes_it(melodies: Path) -> None:
    packs = WarmPacks({"tunes": melodies / "tunes"})

    def asked(body: bytes = b"", content_type: str = "text/plain", **parts: str) -> Asked:
        headers = {"content-type": content_type}
        return Asked(method="POST", path="/", parts=parts, headers=headers, body=body)

    assert json.loads(native.read(asked(SAD, pack="tunes"), packs).body)["label"] == "sad"
    with pytest.raises(BadRequest, match=r"The pack tunes reads melodies\. Send the bytes of one"):
        native.read(asked(b"\x89PNG", "image/png", pack="tunes"), packs)
    routes = {route.path: route for route in open_inference.routes(max_body_bytes=2**20)}
    said = json.loads(routes["/v2/models/{name}"].handler(asked(name="tunes"), packs).body)
    assert (said["inputs"][0]["name"], said["inputs"][0]["shape"]) == ("notes", [-1, 7])


def test_an_edge_keeps_it_and_reads_it(melodies: Path, tmp_path: Path) -> None:
    reader = open_reader(find_pack("tunes"))
    (tmp_path / "inbox" / "mood").mkdir(parents=True)
    (tmp_path / "inbox" / "mood" / "7_tune.notes").write_bytes(SAD)
    with closing(Spool(tmp_path / "spool", most_bytes=20 * 2**20)) as spool:
        door = Taking(
            inbox=Inbox(root=tmp_path / "inbox"),
            pattern=re.compile(ACCESSION_PATTERN),
            default_check="",
            settling=Settling(settle_s=0, patience_s=0),
            most_bytes=2**20,
            too_large="",
            afterwards="keep",
            receiver=IntoTheSpool(
                spool=spool,
                clock=BootClock(spool=spool),
                packs={"mood": reader.manifest},
                wake=lambda: None,
            ),
        )
        door.inbox.prepare(checks=["mood"])
        door.take_all()
        said: list[tuple[str, str, str]] = []
        assert read_next(
            spool,
            {"mood": reader},
            say=lambda entry, read: said.append((entry.kind, entry.accession, read.label)),
        )
        assert said == [("melody", "7", "sad")]


def test_every_door_of_the_clinic_takes_it_and_a_worker_reads_it(
    ward: Clinic, tmp_path: Path
) -> None:
    sample = BytesIO(SAD)
    sample.name = "7_tune.notes"
    answer = make_program(name="tech").put_in(sample, check="mood", accession="7")
    assert answer.status_code == 201, answer.content
    http = _signed_in(ward)
    form = http.get("/put-in?check=mood").content.decode()
    assert "One melody" in form
    assert "Drop a melody here" in form
    tune = BytesIO(GLAD)
    tune.name = "8_tune.notes"
    assert (
        http.post("/put-in", {"check": "mood", "accession": "8", "sample": tune}).status_code == 302
    )
    (tmp_path / "inbox" / "mood").mkdir(parents=True)
    (tmp_path / "inbox" / "mood" / "9_tune.notes").write_bytes(SAD)
    (tmp_path / "inbox" / "mood" / "9_cell.png").write_bytes(b"\x89PNG")
    config = settings.FIRSTREAD
    inbox = replace(config.inbox, folder=tmp_path / "inbox", settle_s=0, patience_s=0)
    door = door_of(replace(config, inbox=inbox), lambda: None)
    assert door is not None
    door.inbox.prepare()
    door.take_all()
    (why,) = (tmp_path / "inbox").rglob("*.txt")
    assert "reads melodies" in why.read_text()
    assert read_all() == 3
    found = {case.accession: case.finding for case in Case.objects.all()}
    assert found == {"7": "sad", "8": "glad", "9": "sad"}


def test_the_worklist_and_the_case_page_show_it(ward: Clinic) -> None:
    sample = BytesIO(SAD)
    sample.name = "7_tune.notes"
    make_program(name="tech").put_in(sample, check="mood", accession="7")
    read_all()
    case = Case.objects.get()
    place = case.samples.get().pk
    http = _signed_in(ward)
    worklist = http.get("/").content.decode()
    assert f"/samples/{place}/thumbnail" in worklist
    assert "Sad" in worklist
    page = http.get(f"/cases/{case.pk}").content.decode()
    assert f"/samples/{place}/image" in page
    picture = http.get(f"/samples/{place}/image")
    assert picture["Content-Type"] == "image/svg+xml"
    assert picture.content.count(b"<circle") == 6
    assert http.get(f"/samples/{place}/tiles/0/0").status_code == 404

"""What is put into the inbox becomes a case, whole and once, or comes back with a sentence."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from msgspec.structs import replace

from firstread.clinic.doors import folder
from firstread.clinic.models import Case, CaseSample, RefusedSample, Sample
from firstread.clinic.steps import intake
from firstread.decoding.budget import BUDGET
from firstread.inbox import taking
from firstread.inbox.places import Inbox
from firstread.inbox.taking import Taking
from firstread.inbox.troubles import folder_troubles, kept_troubles
from tests.dicom_for_tests import cell_dicom
from tests.images_for_tests import cell_png
from tests.workbooks_for_tests import workbook

Make = Callable[..., Taking]


def put(inbox: Path, name: str | bytes, data: bytes | None = None, *, seed: int = 1) -> Path:
    path = inbox / os.fsdecode(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cell_png(seed=seed) if data is None else data)
    return path


def done(inbox: Path) -> list[str]:
    return sorted(path.name for path in (inbox / ".done").rglob("*") if path.is_file())


def refused(inbox: Path) -> dict[str, str]:
    """What came back, each with its sentence."""
    found = {}
    for note in (inbox / "refused").rglob("*.why.txt"):
        found[note.name.removesuffix(".why.txt")] = note.read_text()
    return found


def nothing_left(inbox: Path) -> bool:
    return not list((inbox / ".taking").iterdir()) and not list(Inbox(root=inbox).waiting())


def test_a_file_becomes_a_case_of_its_folders_check(door: Make, inbox: Path) -> None:
    put(inbox, "leukaemia/865102_lab_2_Apr_21.png")
    door().take_all()
    case = Case.objects.get()
    assert (case.check_row_id, case.accession, case.door) == ("leukaemia", "865102", "folder")
    assert CaseSample.objects.get().original_name == "865102_lab_2_Apr_21.png"
    assert done(inbox) == ["865102_lab_2_Apr_21.png"]
    assert nothing_left(inbox)


def test_where_the_pattern_is_set_to_nothing_names_are_read_as_by_default(
    door: Make, inbox: Path
) -> None:
    put(inbox, "leukaemia/865102_lab_2_Apr_21.png")
    door(pattern="").take_all()
    assert Case.objects.get().accession == "865102"


def test_files_of_one_accession_join_one_case_wherever_they_lie(door: Make, inbox: Path) -> None:
    put(inbox, "leukaemia/7_a.png", seed=1)
    put(inbox, "leukaemia/7_b.png", seed=2)
    put(inbox, "leukaemia/2026/11/7_c.png", seed=3)
    put(inbox, "leukaemia/8_a.png", seed=4)
    made = door()
    made.take_all()
    put(inbox, "leukaemia/7_d.png", seed=5)
    made.take_all()
    counts = {case.accession: case.samples.count() for case in Case.objects.all()}
    assert counts == {"7": 4, "8": 1}


def test_a_name_without_a_number_makes_a_case_of_its_own(door: Make, inbox: Path) -> None:
    put(inbox, "leukaemia/IMG_1.png", seed=1)
    put(inbox, "leukaemia/IMG_2.png", seed=2)
    door().take_all()
    accessions = set(Case.objects.values_list("accession", flat=True))
    assert len(accessions) == 2
    assert all(accession.startswith("S-") for accession in accessions)


def test_the_top_of_the_inbox_belongs_to_the_default_check(door: Make, inbox: Path) -> None:
    put(inbox, "9.png")
    door(default_check="leukaemia").take_all()
    assert Case.objects.get().check_row_id == "leukaemia"


def test_what_cannot_be_taken_comes_back_with_a_sentence(door: Make, inbox: Path) -> None:
    put(inbox, "leukemia/1.png")
    put(inbox, "2.png")
    put(inbox, "leukaemia/3.pdf", b"%PDF-1.7")
    put(inbox, "leukaemia/4.png", b"")
    put(inbox, "leukaemia/5.csv", b"size,shape,nuclei\n1,1,1\n")
    put(inbox, "breast-cytology/6.png")
    door().take_all()
    said = refused(inbox)
    assert "no check 'leukemia'" in said["1.png"]
    assert "No check was named" in said["2.png"]
    assert "PDF" in said["3.pdf"]
    assert "empty" in said["4.png"]
    assert "reads pictures" in said["5.csv"]
    assert "reads tables" in said["6.png"]
    assert all(text.rstrip().endswith(".") for text in said.values())
    assert set(RefusedSample.objects.values_list("original_name", flat=True)) == {"3.pdf", "4.png"}
    assert nothing_left(inbox)
    assert not Case.objects.exists()


def test_what_nobody_means_is_left_where_it_is(door: Make, inbox: Path) -> None:
    for name in (".1.png", "2.png.part", "~$3.csv", "Thumbs.db", "4.tmp", "5.crdownload"):
        put(inbox, f"leukaemia/{name}")
    door().take_all()
    assert len(list((inbox / "leukaemia").iterdir())) == 6
    assert not Case.objects.exists()


def test_a_half_copied_file_is_waited_for(door: Make, inbox: Path) -> None:
    whole = cell_png()
    made = door(patience_s=3600)
    path = put(inbox, "leukaemia/1.png", whole[: len(whole) // 2])
    for _ in range(3):
        made.take_all()
    assert not Case.objects.exists()
    assert path.exists()
    with path.open("ab") as file:
        file.write(whole[len(whole) // 2 :])
    made.take_all()
    assert Case.objects.get().accession == "1"
    assert not refused(inbox)


def test_a_half_copied_file_that_nobody_finishes_comes_back(door: Make, inbox: Path) -> None:
    whole = cell_png()
    put(inbox, "leukaemia/1.png", whole[: len(whole) // 2])
    door().take_all()
    assert "cut off" in refused(inbox)["1.png"]


def test_a_file_that_grows_while_it_is_taken_is_put_back(
    door: Make, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(inbox, "leukaemia/1.png")
    take = Inbox.take

    def grown(self: Inbox, inside: Path) -> Any:
        with path.open("ab") as file:
            file.write(b"more")
        return take(self, inside)

    monkeypatch.setattr(Inbox, "take", grown)
    made = door(patience_s=3600)
    made.take_all()
    assert path.exists()
    assert not Case.objects.exists()
    monkeypatch.setattr(Inbox, "take", take)
    made.take_all()
    assert Case.objects.get().accession == "1"


@pytest.mark.parametrize(
    "name",
    [
        b"1\nnew line.png",
        b"1 \xff\xfe not utf-8.png",
        "1 ключ 細胞 🔬.png".encode(),
        b"1" + b"x" * 250 + b".png",
        b"1;rm -rf $HOME `x` '\".png",
        b"1.png\x7f",
    ],
)
def test_every_name_is_taken(door: Make, inbox: Path, name: bytes) -> None:
    put(inbox, b"leukaemia/" + name)
    door(pattern="^(?P<accession>[0-9])").take_all()
    assert Case.objects.get().accession == "1"
    assert nothing_left(inbox)


def test_a_long_name_comes_back_with_its_note(door: Make, inbox: Path) -> None:
    put(inbox, "leukaemia/" + "x" * 251 + ".png", b"no")
    put(inbox, "leukaemia/2026/" + "x" * 251 + ".png", b"nor this")
    door().take_all()
    assert len(list((inbox / "refused").rglob("*.why.txt"))) == 2


def test_links_and_pipes_are_not_followed(door: Make, inbox: Path, tmp_path: Path) -> None:
    secret = put(tmp_path, "outside/1.png")
    (inbox / "leukaemia/1.png").symlink_to(secret)
    (inbox / "leukaemia/folder").symlink_to(secret.parent)
    os.mkfifo(inbox / "leukaemia/2.png")
    door().take_all()
    assert set(refused(inbox)) == {"1.png", "2.png", "folder"}
    assert secret.exists()
    assert not Case.objects.exists()


def test_a_file_too_large_to_be_meant_comes_back(door: Make, inbox: Path) -> None:
    path = put(inbox, "leukaemia/1.png")
    os.truncate(path, 3 * 2**30)
    door().take_all()
    assert "larger than" in refused(inbox)["1.png"]


def test_the_same_file_again_makes_nothing_and_is_put_away(door: Make, inbox: Path) -> None:
    made = door()
    for _ in range(2):
        put(inbox, "leukaemia/1.png")
        made.take_all()
    assert CaseSample.objects.count() == 1
    assert done(inbox) == ["1-2.png", "1.png"]


def test_what_was_received_can_be_deleted_instead(door: Make, inbox: Path) -> None:
    put(inbox, "leukaemia/1.png")
    door(afterwards="delete").take_all()
    assert done(inbox) == []
    assert Case.objects.count() == 1


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_door_that_dies_is_followed_by_one_that_finishes(
    door: Make, inbox: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    class Killed(BaseException):
        pass

    receive = intake.receive

    def dying(*args: Any, **named: Any) -> None:
        if moment == "after":
            receive(*args, **named)
        raise Killed

    put(inbox, "leukaemia/1_a.png")
    with monkeypatch.context() as patch:
        patch.setattr(intake, "receive", dying)
        with pytest.raises(Killed):
            door().take_all()
    assert len(list((inbox / ".taking").iterdir())) == 1
    heir = door()
    heir.take_over()
    assert Case.objects.get().samples.count() == 1
    assert done(inbox) == ["1_a.png"]
    assert nothing_left(inbox)


def test_what_came_while_the_database_was_away_is_received_at_the_next_look(
    door: Make, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("the database is away")

    put(inbox, "leukaemia/1.png")
    made = door()
    with monkeypatch.context() as patch:
        patch.setattr(intake, "receive", away)
        made.take_all()
        made.adopt()
    assert not refused(inbox)
    made.adopt()
    assert Case.objects.get().accession == "1"
    assert done(inbox) == ["1.png"]
    assert nothing_left(inbox)


def test_what_another_process_claimed_long_ago_is_taken_over(
    door: Make, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(inbox, "leukaemia/1.png")
    door().inbox.take(Path("leukaemia/1.png"))
    made = door()
    made.adopt()
    assert not Case.objects.exists()  # the other may be alive
    monkeypatch.setattr(taking, "ADOPT_AFTER_S", -1.0)
    made.adopt()
    assert Case.objects.get().accession == "1"


def test_two_doors_take_each_file_once(door: Make, inbox: Path) -> None:
    for number in range(24):
        put(inbox, f"leukaemia/{number}_x.png", seed=number)
    doors = [door(), door()]

    def run(made: Taking) -> None:
        try:
            made.take_all()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(made,)) for made in doors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Case.objects.count() == CaseSample.objects.count() == 24
    assert len(done(inbox)) == 24
    assert not refused(inbox)
    assert nothing_left(inbox)


def test_the_good_rows_of_a_table_are_taken_and_the_bad_come_back_by_line(
    door: Make, inbox: Path
) -> None:
    made = door()
    text = "accession;size;shape;nuclei\nB1;1;1;1\nB2;99;1;1\nB3;9,5;8;?\nB4;x;1;1\n"
    put(inbox, "breast-cytology/monday.csv", text.encode())
    made.take_all()
    said = refused(inbox)["monday.csv"]
    assert "Line 3: " in said
    assert "between 1 and 10" in said
    assert "Line 5: " in said
    assert set(Case.objects.values_list("accession", flat=True)) == {"B1", "B3"}
    put(inbox, "breast-cytology/monday.csv", text.replace("99", "9").replace("x", "2").encode())
    made.take_all()
    assert Case.objects.count() == 4


def test_json_of_one_row_takes_its_accession_from_the_name(door: Make, inbox: Path) -> None:
    put(inbox, "breast-cytology/77.json", b'{"size": 1, "shape": 2, "nuclei": null}')
    put(inbox, "breast-cytology/78.json", b'[{"size": NaN}]')
    put(inbox, "breast-cytology/79.json", b'[{"accession": "a", "size": 1}, 5]')
    door().take_all()
    assert Case.objects.get().accession == "77"
    assert set(refused(inbox)) == {"78.json", "79.json"}


def test_the_watched_folder_takes_a_file_within_moments_and_stops_when_told(
    clinic: None, inbox: Path
) -> None:
    changed = replace(settings.FIRSTREAD.inbox, folder=inbox, poll_s=60)
    config = replace(settings.FIRSTREAD, inbox=changed)
    stop, woken = threading.Event(), threading.Event()

    def run() -> None:
        try:
            folder.watch(config, stop, woken.set)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        _wait_for((inbox / ".taking").is_dir)
        put(inbox, "leukaemia/1.png")
        assert woken.wait(20)
        put(inbox, "leukaemia/2.png", seed=2)
        _wait_for(lambda: Case.objects.count() == 2)
    finally:
        stop.set()
        thread.join(20)
    assert not thread.is_alive()
    _wait_for(lambda: nothing_left(inbox))


def test_without_a_folder_there_is_no_door() -> None:
    assert folder.door_of(settings.FIRSTREAD, lambda: None) is None
    folder.watch(settings.FIRSTREAD, threading.Event(), lambda: None)  # returns at once


def _wait_for(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not true():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_dicom_picture_becomes_a_case_like_any_other(door: Make, inbox: Path) -> None:
    put(inbox, "leukaemia/865102_a.dcm", cell_dicom("blue"))
    door().take_all()
    assert Sample.objects.get().media_type == "application/dicom"
    assert (Case.objects.get().accession, done(inbox)) == ("865102", ["865102_a.dcm"])


def test_a_file_waits_in_the_inbox_while_memory_is_short(door: Make, inbox: Path) -> None:
    put(inbox, "leukaemia/865102_a.png")
    taking_, patience_s = door(), BUDGET.patience_s
    BUDGET.patience_s = 0.01
    try:
        with BUDGET.taken(BUDGET.total_bytes):
            for _ in range(3):
                taking_.take_all()
            assert not refused(inbox)
            assert not RefusedSample.objects.exists()
    finally:
        BUDGET.patience_s = patience_s
    taking_.take_all()
    taking_.take_over()
    assert (Case.objects.get().accession, refused(inbox)) == ("865102", {})


@pytest.mark.parametrize(
    "left",
    [
        "leukaemia/@eaDir/900100.png/SYNOPHOTO_THUMB_M.jpg", "leukaemia/#recycle/900101.png",
        "#recycle/leukaemia/900102.png", "leukaemia/.Trash-1000/files/900103.png",
        "leukaemia/$RECYCLE.BIN/S-1-5/900104.png", "System Volume Information/900105.png",
        "leukaemia/~$900106.png", "leukaemia/._900107.png", "leukaemia/Thumbs.db",
        "leukaemia/.DS_Store", "leukaemia/Desktop.ini", "leukaemia/.~lock.900108.png#",
        "leukaemia/900109.png.part", "leukaemia/900110.png.crdownload", "leukaemia/900111.TMP",
        "leukaemia/900112.png.lock", "leukaemia/@Recycle/900113.png", "leukaemia/lost+found/1.png",
        "leukaemia/900114.png.filepart", "leukaemia/900115.png~", "__MACOSX/leukaemia/a.png",
    ],
)  # fmt: skip
def test_what_systems_leave_is_passed_over_and_left_where_it_lies(
    door: Make, inbox: Path, left: str
) -> None:
    put(inbox, "leukaemia/900100.png")
    lies = put(inbox, left, cell_png(seed=9))
    made = door()
    made.take_all()
    made.take_all()
    assert [case.accession for case in Case.objects.all()] == ["900100"]
    assert lies.read_bytes() == cell_png(seed=9)
    assert refused(inbox) == {}


def test_what_is_never_finished_is_told(
    door: Make, inbox: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(inbox, "leukaemia/900100.png.part")
    door().take_all()
    assert "in the folder 'leukaemia' whose names say that they are still being" in caplog.text
    assert "900100" not in caplog.text
    assert "still being copied" in " ".join(kept_troubles(settings.FIRSTREAD.home))


@pytest.fixture
def mounted(inbox: Path) -> Iterator[Callable[..., Path]]:
    """Mounts a folder of its own below the inbox; skips where that is not allowed."""
    made: list[Path] = []

    def mount(*how: str) -> Path:
        place = inbox / "leukaemia" / "drive"
        place.mkdir()
        done = subprocess.run(["mount", *how, place], capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")
        made.append(place)
        return place

    yield mount
    for place in made:
        subprocess.run(["umount", "-l", place], check=True)


def told_everywhere(log: str, *, folder: str, why: str) -> None:
    """By log, page and doctor."""
    for told in (log, " ".join(kept_troubles(settings.FIRSTREAD.home))):
        assert f"The folder '{folder}' {why}" in told


def test_a_folder_on_another_file_system_is_told_by_its_path(
    door: Make, inbox: Path, mounted: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    place = mounted("-t", "tmpfs", "none")
    (place / "865102.png").write_bytes(cell_png())
    put(inbox, "leukaemia/7.png", seed=2)
    made = door()
    for _ in range(3):
        made.take_all()
    assert [case.accession for case in Case.objects.all()] == ["7"]
    told_everywhere(caplog.text, folder="leukaemia/drive", why="lies on another file system")
    assert caplog.text.count("another file system") == 1
    assert "865102" not in caplog.text
    said = folder_troubles(Inbox(root=inbox))
    assert len(said) == 1
    assert "'leukaemia/drive' lies on another file system" in said[0]
    assert sorted(each.name for each in place.iterdir()) == ["865102.png"]
    (place / "865102.png").unlink()
    made.take_all()
    assert kept_troubles(settings.FIRSTREAD.home) == ()


def test_a_read_only_folder_is_told_by_its_path(
    door: Make,
    inbox: Path,
    mounted: Callable[..., Path],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "865102.png").write_bytes(cell_png())
    mounted("-o", "bind,ro", str(elsewhere))
    door().take_all()
    assert Case.objects.count() == 0
    assert "The folder 'leukaemia/drive' " in caplog.text
    assert "'leukaemia/drive' is read-only" in " ".join(folder_troubles(Inbox(root=inbox)))


def test_a_closed_folder_is_told_by_its_path_and_the_others_are_taken(inbox: Path) -> None:
    """As somebody who is not root, in a process of its own."""
    if os.getuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("needs root and setpriv, to become somebody else")
    put(inbox, "leukaemia/closed/865102.png")
    Inbox(root=inbox).prepare()
    for path in (inbox, *inbox.rglob("*")):
        os.chown(path, 65534, 65534)
    os.chown(inbox / "leukaemia" / "closed", 0, 0)
    (inbox / "leukaemia" / "closed").chmod(0o700)
    for path in inbox.parents:
        if path.owner() == "root" and path.stat().st_mode & 0o055 != 0o055 and path != Path("/"):
            path.chmod(path.stat().st_mode | 0o055)
    program = (
        "import sys; from pathlib import Path; from firstread.inbox.places import Inbox; "
        "from firstread.inbox.troubles import folder_troubles; "
        "print(folder_troubles(Inbox(root=Path(sys.argv[1]))))"
    )
    somebody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    said = subprocess.run(
        [*somebody, sys.executable, "-c", program, inbox],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "The folder 'leukaemia/closed' is closed to Firstread" in said
    assert "The folder 'leukaemia' " not in said


def test_a_writer_that_stalls_and_goes_on_is_taken_when_its_file_is_whole(
    door: Make, inbox: Path
) -> None:
    picture = cell_png()
    path = inbox / "leukaemia" / "865102.png"
    made = door()
    with path.open("wb") as file:
        file.write(picture[: len(picture) // 2])
        file.flush()
        made.take_all()  # it lay still for too long, and comes back
        assert list(refused(inbox)) == ["865102.png"]
        file.write(picture[len(picture) // 2 :])
    for _ in range(3):
        made.take_all()
    assert [case.accession for case in Case.objects.all()] == ["865102"]
    assert refused(inbox) == {}
    assert nothing_left(inbox)


def test_a_table_whose_writer_stalled_between_two_lines_is_taken_whole(
    door: Make, inbox: Path
) -> None:
    path = inbox / "breast-cytology" / "monday.csv"
    made = door()
    with path.open("w") as file:
        file.write("accession,size,shape,nuclei\nA1,1,2,3\n")
        file.flush()
        made.take_all()
        assert Case.objects.count() == 1
        file.write("A2,3,2,1\n")
    for _ in range(3):
        made.take_all()
    assert sorted(Case.objects.values_list("accession", flat=True)) == ["A1", "A2"]
    assert refused(inbox) == {}


def test_a_workbook_is_taken_like_any_table_and_another_spreadsheet_s_file_comes_back(
    door: Make, inbox: Path
) -> None:
    rows = (["accession", "size", "shape", "nuclei"], ["B1", 1, 2, 3], ["1.00E+06", 1, 2, 3])
    (inbox / "breast-cytology").mkdir(exist_ok=True)
    (inbox / "breast-cytology" / "monday.xlsx").write_bytes(workbook(*rows))
    put(inbox, "breast-cytology/old.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    door().take_all()
    assert [case.accession for case in Case.objects.all()] == ["B1"]
    said = refused(inbox)
    assert "a spreadsheet has changed it. Format the column as text" in said["monday.xlsx"]
    assert "Save it as .xlsx or CSV" in said["old.xls"]

"""Recordings in the watched folder: two files that belong together come in as one, or wait."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from firstread.clinic.models import Case, CaseSample, Check
from firstread.inbox.places import Inbox
from firstread.inbox.taking import Taking
from tests.hearts_for_tests import recording_zip, wfdb_in_three, wfdb_pair

Make = Callable[..., Taking]


@pytest.fixture(autouse=True)
def heartbeat(clinic: None, inbox: Path) -> Path:
    Check.objects.create(name="heartbeat", title="Heartbeat", pack="beats", kind="recording")
    folder = inbox / "heartbeat"
    folder.mkdir()
    return folder


def _put(folder: Path, pair: dict[str, bytes]) -> None:
    for name, data in pair.items():
        (folder / name).write_bytes(data)


def _why(inbox: Path) -> dict[str, str]:
    notes = (inbox / "refused").rglob("*.why.txt")
    return {note.name.removesuffix(".why.txt"): note.read_text() for note in notes}


def _lying(inbox: Path) -> list[str]:
    return sorted(str(path) for path in Inbox(root=inbox).waiting())


def test_two_files_become_one_sample_of_one_case(door: Make, inbox: Path, heartbeat: Path) -> None:
    _put(heartbeat, wfdb_pair("100") | wfdb_pair("201", seed=2))
    door().take_all()
    assert {case.accession for case in Case.objects.all()} == {"100", "201"}
    names = set(CaseSample.objects.values_list("original_name", flat=True))
    assert names == {"100.hea + 100.dat", "201.hea + 201.dat"}
    kept = sorted(path.name for path in (inbox / ".done").rglob("*.*") if path.is_file())
    assert kept == ["100.dat", "100.hea", "201.dat", "201.hea"]
    assert _lying(inbox) == []


@pytest.mark.parametrize("order", [0, 1, 2])
def test_all_files_that_a_header_names_come_in_as_one_in_whatever_order_they_arrive(
    door: Make, inbox: Path, heartbeat: Path, order: int
) -> None:
    made = door(patience_s=30)
    files = list(wfdb_in_three("100").items())
    for name, data in [*files[order:], *files[:order]]:
        assert Case.objects.count() == 0
        (heartbeat / name).write_bytes(data)
        made.take_all()
    made.take_all()
    assert Case.objects.get().accession == "100"
    assert CaseSample.objects.get().original_name == "100.hea + 100.dat + v1-of-100.dat"
    assert (_lying(inbox), _why(inbox)) == ([], {})


def test_of_three_files_two_that_a_dead_process_had_claimed_go_back_to_the_third(
    door: Make, inbox: Path, heartbeat: Path
) -> None:
    _put(heartbeat, wfdb_in_three("100"))
    made = door()
    for name in ("100.hea", "100.dat"):
        made.inbox.take(Path("heartbeat") / name)  # and then it died
    made.take_over()
    assert len(_lying(inbox)) == 3
    made.take_all()
    assert Case.objects.get().accession == "100"
    assert CaseSample.objects.count() == 1


def test_a_header_whose_second_file_never_comes_comes_back_with_its_name(
    door: Make, inbox: Path, heartbeat: Path
) -> None:
    files = wfdb_in_three("100")
    del files["v1-of-100.dat"]
    _put(heartbeat, files)
    door(patience_s=0).take_all()
    assert Case.objects.count() == 0
    assert "v1-of-100.dat" in _why(inbox)["100.hea"]


def test_a_half_waits_for_the_other(door: Make, inbox: Path, heartbeat: Path) -> None:
    pair = wfdb_pair("100")
    made = door(patience_s=30)
    for name in ("100.hea", "100.dat"):
        assert Case.objects.count() == 0
        (heartbeat / name).write_bytes(pair[name])
        made.take_all()
    made.take_all()
    assert Case.objects.get().accession == "100"


def test_a_half_that_is_still_copied_is_waited_for(
    door: Make, inbox: Path, heartbeat: Path
) -> None:
    pair = wfdb_pair("100")
    made = door(patience_s=30)
    _put(heartbeat, pair | {"100.dat": pair["100.dat"][:5000]})
    made.take_all()
    assert (Case.objects.count(), _lying(inbox)) == (0, ["heartbeat/100.dat", "heartbeat/100.hea"])
    (heartbeat / "100.dat").write_bytes(pair["100.dat"])
    made.take_all()
    assert Case.objects.get().accession == "100"


def test_a_half_that_stays_alone_comes_back_with_the_remedy(
    door: Make, inbox: Path, heartbeat: Path
) -> None:
    _put(heartbeat, {"100.hea": wfdb_pair("100")["100.hea"], "7.dat": b"\0" * 99})
    door().take_all()
    assert Case.objects.count() == 0
    said = _why(inbox)
    assert set(said) == {"100.hea", "7.dat"}
    assert all(".dat" in why for why in said.values())


def test_what_does_not_open_comes_back_whole(door: Make, inbox: Path, heartbeat: Path) -> None:
    pair = wfdb_pair("100")
    _put(heartbeat, pair | {"100.dat": pair["100.dat"][:5000]})
    door().take_all()
    assert set(_why(inbox)) == {"100.hea", "100.dat"}
    back = {path.name: path.read_bytes() for path in (inbox / "refused").rglob("100.???")}
    assert back == pair | {"100.dat": pair["100.dat"][:5000]}


def test_a_process_that_died_between_the_two_leaves_nothing_lost(
    door: Make, inbox: Path, heartbeat: Path
) -> None:
    _put(heartbeat, wfdb_pair("100"))
    made = door()
    made.inbox.take(Path("heartbeat/100.hea"))  # and then it died
    made.take_over()
    assert _lying(inbox) == ["heartbeat/100.dat", "heartbeat/100.hea"]
    for name in ("heartbeat/100.hea", "heartbeat/100.dat"):
        made.inbox.take(Path(name))  # another died after both
    made.take_over()
    assert Case.objects.get().accession == "100"
    assert _lying(inbox) == []


def test_a_zip_is_a_recording_and_a_picture_is_none(
    door: Make, inbox: Path, heartbeat: Path
) -> None:
    (heartbeat / "100.zip").write_bytes(recording_zip())
    (heartbeat / "101.png").write_bytes(b"\x89PNG")
    (inbox / "leukaemia" / "100.hea").write_bytes(b"100 2 360 10\n")
    door().take_all()
    assert Case.objects.get().accession == "100"
    assert set(_why(inbox)) == {"101.png", "100.hea"}

"""What is put into an edge's inbox goes into the spool, whole and once, or comes back with why."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from firstread.edge.clock import BootClock
from firstread.edge.first_reads import TRIES, read_next
from firstread.edge.inbox import IntoTheSpool
from firstread.edge.spool import Spool
from firstread.inbox.names import ACCESSION_PATTERN
from firstread.inbox.places import Inbox
from firstread.inbox.settle import Settling
from firstread.inbox.taking import Taking
from firstread.packs import find_pack
from firstread.runtime import PackReader, open_reader
from tests.dicom_for_tests import cell_dicom
from tests.images_for_tests import cell_png

Make = Callable[..., Taking]


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    made = Spool(tmp_path / "spool", most_bytes=20 * 2**20)
    yield made
    made.close()


@pytest.fixture
def readers(shelf: Path) -> dict[str, PackReader]:
    return {
        "leukaemia": open_reader(find_pack("colour")),
        "breast-cytology": open_reader(find_pack("sizes")),
    }


@pytest.fixture
def taking(spool: Spool, readers: dict[str, PackReader], tmp_path: Path) -> Make:
    def make(**other: Any) -> Taking:
        values: dict[str, Any] = {
            "inbox": Inbox(root=tmp_path / "inbox"),
            "pattern": re.compile(ACCESSION_PATTERN),
            "default_check": "",
            "settling": Settling(settle_s=0, patience_s=0),
            "most_bytes": 2**20,
            "too_large": "Put in a smaller one.",
            "afterwards": "keep",
            "receiver": IntoTheSpool(
                spool=spool,
                clock=BootClock(spool=spool),
                packs={check: reader.manifest for check, reader in readers.items()},
                wake=lambda: None,
            ),
        }
        made = Taking(**(values | other))
        made.inbox.prepare(checks=readers)
        return made

    return make


def put(tmp_path: Path, name: str, data: bytes | None = None, *, seed: int = 1) -> Path:
    path = tmp_path / "inbox" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cell_png(seed=seed) if data is None else data)
    return path


def refused(tmp_path: Path) -> dict[str, str]:
    notes = (tmp_path / "inbox" / "refused").rglob("*.why.txt")
    return {note.name.removesuffix(".why.txt"): note.read_text() for note in notes}


def everything(spool: Spool, readers: dict[str, PackReader]) -> list[Any]:
    """Read all, and give what then waits."""
    while read_next(spool, readers, say=lambda _entry, _read: None):
        pass
    seen: list[Any] = []
    while parcel := spool.next_parcel(leaving_out=frozenset(entry.number for entry in seen)):
        seen += parcel
    return seen


def test_files_are_kept_read_and_put_away_by_a_clinics_conventions(
    taking: Make, spool: Spool, readers: dict[str, PackReader], tmp_path: Path
) -> None:
    put(tmp_path, "leukaemia/865102_lab_2.png", seed=1)
    put(tmp_path, "leukaemia/2026/11/865102_b.png", seed=2)
    put(tmp_path, "leukaemia/.hidden.png", seed=3)
    taking().take_all()
    found = everything(spool, readers)
    assert {(e.check, e.accession, e.name, e.refusal) for e in found} == {
        ("leukaemia", "865102", "865102_lab_2.png", ""),
        ("leukaemia", "865102", "865102_b.png", ""),
    }
    assert all(e.read and '"label": "red"' in e.read and e.evidence for e in found)
    done = [p.name for p in (tmp_path / "inbox" / ".done").rglob("*.png")]
    assert sorted(done) == ["865102_b.png", "865102_lab_2.png"]


def test_what_cannot_be_opened_comes_back_and_waits_for_the_clinic_too(
    taking: Make, spool: Spool, readers: dict[str, PackReader], tmp_path: Path
) -> None:
    put(tmp_path, "leukaemia/3.pdf", b"%PDF-1.7")
    put(tmp_path, "leukaemia/4.png", cell_png()[:400])
    put(tmp_path, "malaria/5.png")
    put(tmp_path, "leukaemia/6.png", bytes(2**20 + 1))
    taking().take_all()
    said = refused(tmp_path)
    assert ("PDF" in said["3.pdf"], "cut off" in said["4.png"]) == (True, True)
    assert "no check 'malaria'" in said["5.png"]
    assert "larger than 1 MB. Put in a smaller one." in said["6.png"]
    found = everything(spool, readers)
    assert sorted(entry.name for entry in found) == ["3.pdf", "4.png"]
    assert all(entry.refusal and entry.read is None for entry in found)


def test_each_row_of_a_table_is_a_sample_and_bad_rows_come_back(
    taking: Make, spool: Spool, readers: dict[str, PackReader], tmp_path: Path
) -> None:
    table = b"accession,size,shape,nuclei\nB1,9,8,10\nB2,1,99,1\nB3,1,1,?\n"
    put(tmp_path, "breast-cytology/monday.csv", table)
    taking().take_all()
    assert "Line 3" in refused(tmp_path)["monday.csv"]
    assert "The other 2 rows were taken" in refused(tmp_path)["monday.csv"]
    found = everything(spool, readers)
    assert [(entry.accession, entry.kind) for entry in found] == [
        ("B1", "measurements"),
        ("B3", "measurements"),
    ]


def test_while_the_spool_is_full_files_wait_in_the_inbox(
    taking: Make, spool: Spool, readers: dict[str, PackReader], tmp_path: Path, caplog: Any
) -> None:
    small = Spool(tmp_path / "small", most_bytes=200_000)
    receiver = IntoTheSpool(
        spool=small,
        clock=BootClock(spool=small),
        packs={check: reader.manifest for check, reader in readers.items()},
        wake=lambda: None,
    )
    made = taking(receiver=receiver)
    for n in range(12):
        put(tmp_path, f"leukaemia/{n}.png", seed=n)
    with caplog.at_level("WARNING"):
        for _ in range(3):
            made.take_all()
    left = list(Inbox(root=tmp_path / "inbox").waiting())
    assert 0 < len(left) < 12
    assert not refused(tmp_path)
    assert caplog.text.count("the spool is full") == 1
    from datetime import UTC, datetime

    while left:
        waiting = everything(small, readers)
        numbers = tuple(entry.number for entry in waiting)
        small.sent(numbers, case_id="c", at=datetime.now(tz=UTC))
        made.take_all()
        before, left = left, list(Inbox(root=tmp_path / "inbox").waiting())
        assert len(left) < len(before)
    assert small.standing().sent + small.standing().unread == 12
    small.close()


def test_a_disk_that_takes_nothing_loses_nothing(
    taking: Make, spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "leukaemia/1.png")
    made = taking()

    def full(*_: object) -> Any:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(type(spool.samples), "put", full)
        made.take_all()
    assert spool.standing().unread == 0
    assert not refused(tmp_path)
    made.take_over()
    assert spool.standing().unread == 1


def test_what_a_process_that_died_had_claimed_is_kept_once(
    taking: Make, spool: Spool, tmp_path: Path
) -> None:
    put(tmp_path, "leukaemia/1.png", seed=1)
    put(tmp_path, "leukaemia/2.png", seed=2)
    made = taking()
    claimed = made.inbox.take(Path("leukaemia/1.png"))
    assert claimed is not None
    later = taking()
    later.take_over()
    later.take_all()
    later.take_over()
    assert spool.standing().unread == 2


def test_a_sample_that_ends_its_reader_is_left_for_the_clinic(
    taking: Make, spool: Spool, readers: dict[str, PackReader], tmp_path: Path
) -> None:
    put(tmp_path, "leukaemia/1.png", seed=1)
    put(tmp_path, "leukaemia/2.png", seed=2)
    taking().take_all()
    for _ in range(TRIES):  # each time the process dies before it wrote anything
        assert spool.claim_unread() is not None
    found = everything(spool, readers)
    assert [entry.read is None for entry in found] == [True, False]


def test_bytes_that_rotted_before_they_were_read_are_told_of(
    taking: Make, spool: Spool, readers: dict[str, PackReader], tmp_path: Path
) -> None:
    put(tmp_path, "leukaemia/1.png")
    taking().take_all()
    file = next(path for path in (tmp_path / "spool" / "samples").rglob("*") if path.is_file())
    file.write_bytes(b"rotten")
    assert everything(spool, readers) == []
    ((_number, _check, said),) = spool.standing().held_entries
    assert "put the sample in again" in said
    put(tmp_path, "leukaemia/1.png")
    taking().take_all()
    assert len(everything(spool, readers)) == 1


def test_a_dicom_picture_is_kept_and_read(
    taking: Make, spool: Spool, readers: dict[str, PackReader], tmp_path: Path
) -> None:
    path = tmp_path / "inbox" / "leukaemia" / "865102_a.dcm"
    path.parent.mkdir(parents=True)
    path.write_bytes(cell_dicom("blue"))
    taking().take_all()
    said: list[str] = []
    assert read_next(spool, readers, say=lambda _entry, read: said.append(read.label))
    assert said == ["blue"]

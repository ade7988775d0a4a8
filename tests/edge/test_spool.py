"""What came in stays in the spool until the clinic has it, whatever happens to the machine."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firstread.domain.errors import SpoolRefused
from firstread.edge.clock import BootClock
from firstread.edge.entries import Evidence, Incoming, Reading
from firstread.edge.spool import BESIDE_BYTES, MOST_AT_ONCE, Spool
from firstread.edge.spool_file import look_at, resend

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


def incoming(**other: Any) -> Incoming:
    values: dict[str, Any] = {
        "check": "leukaemia",
        "accession": "A1",
        "patient": "",
        "name": "1.png",
        "kind": "image",
        "many": True,
        "boot": "boot",
        "boot_s": 5.0,
    }
    return Incoming(**(values | other))


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    made = Spool(tmp_path / "spool", most_bytes=50 * 2**20)
    yield made
    made.close()


def read_all(spool: Spool) -> None:
    while (entry := spool.claim_unread()) is not None:
        spool.write_read(entry.number, Reading(read='{"read": {}}'))


def test_a_sample_comes_in_is_read_waits_is_sent_and_is_forgotten(spool: Spool) -> None:
    number, new = spool.keep(incoming(), b"bytes")
    assert new
    entry = spool.claim_unread()
    assert entry is not None
    assert (entry.number, spool.bytes_of(entry)) == (number, b"bytes")
    assert spool.next_parcel() == ()
    spool.write_read(number, Reading(read="{}", evidence=Evidence(shape=(1, 1, 2), data=b"abcd")))
    (waiting,) = spool.next_parcel()
    assert (waiting.read, waiting.evidence) == ("{}", Evidence(shape=(1, 1, 2), data=b"abcd"))
    spool.sent((number,), case_id="c", at=NOW)
    assert spool.next_parcel() == ()
    assert spool.prune(sent_before=NOW.timestamp()) == 0
    assert spool.prune(sent_before=NOW.timestamp() + 1) == 1
    assert spool.bytes_of(waiting) is None
    standing = spool.standing()
    assert (standing.sent, standing.waiting, standing.used_bytes) == (1, 0, 0)
    assert standing.last_contact == "2026-11-20T08:00:00+00:00"


def test_the_same_sample_is_kept_once_for_each_check_and_accession(spool: Spool) -> None:
    first, _ = spool.keep(incoming(), b"bytes")
    assert spool.keep(incoming(name="again.png"), b"bytes") == (first, False)
    assert spool.keep(incoming(accession="A2"), b"bytes")[1]
    assert spool.keep(incoming(check="malaria"), b"bytes")[1]
    read_all(spool)
    spool.sent((first,), case_id="c", at=NOW)
    spool.prune(sent_before=NOW.timestamp() + 1)
    (other, *_) = spool.next_parcel()
    assert spool.bytes_of(other) == b"bytes"  # another case holds them still


def test_samples_of_one_case_go_together_and_others_by_themselves(spool: Spool) -> None:
    for n in range(3):
        spool.keep(incoming(), b"a%d" % n)
        spool.keep(incoming(accession="A2"), b"b%d" % n)
        spool.keep(incoming(accession=""), b"c%d" % n)
    spool.keep(incoming(refusal="This is a PDF."), b"%PDF")
    read_all(spool)
    seen = []
    while parcel := spool.next_parcel():
        seen.append([spool.bytes_of(entry) for entry in parcel])
        spool.sent(tuple(entry.number for entry in parcel), case_id="c", at=NOW)
    assert seen == [
        [b"a0", b"a1", b"a2"],
        [b"b0", b"b1", b"b2"],
        [b"c0"],
        [b"c1"],
        [b"c2"],
        [b"%PDF"],
    ]


def test_a_parcel_has_an_end(spool: Spool) -> None:
    for n in range(MOST_AT_ONCE + 3):
        spool.keep(incoming(), b"%d" % n)
    read_all(spool)
    assert len(spool.next_parcel()) == MOST_AT_ONCE
    spool.send_alone(tuple(entry.number for entry in spool.next_parcel()))
    assert len(spool.next_parcel()) == 1


def test_a_full_spool_takes_nothing_more_and_gives_up_nothing_that_waits(tmp_path: Path) -> None:
    spool = Spool(tmp_path, most_bytes=3 * 2**20)
    for n in range(2):
        assert spool.has_room(2**20)
        spool.keep(incoming(), bytes([n]) * 2**20)
    assert not spool.has_room(2**20)
    read_all(spool)
    assert spool.standing().waiting == 2
    (first, _second) = spool.next_parcel()
    spool.sent((first.number,), case_id="c", at=NOW)
    # What the clinic has makes room, before its days are over.
    assert spool.has_room(2**20)
    assert spool.standing().waiting == 1
    assert not spool.has_room(3 * 2**20 - BESIDE_BYTES + 1)
    spool.close()


def test_what_the_clinic_refuses_is_kept_and_can_be_sent_again(
    spool: Spool, tmp_path: Path
) -> None:
    number, _ = spool.keep(incoming(), b"bytes")
    read_all(spool)
    spool.hold(number, said="There is no check 'leukaemia'.")
    assert spool.next_parcel() == ()
    assert spool.prune(sent_before=NOW.timestamp() * 2) == 0
    standing = look_at(tmp_path / "spool")  # beside the process that works with it
    assert standing.held_entries == ((number, "leukaemia", "There is no check 'leukaemia'."),)
    assert resend(tmp_path / "spool", numbers=(number + 1,)) == 0
    assert resend(tmp_path / "spool") == 1
    assert [entry.number for entry in spool.next_parcel()] == [number]
    spool.hold(number, said="no")
    assert spool.keep(incoming(), b"bytes") == (number, False)  # put in once more
    assert [entry.number for entry in spool.next_parcel()] == [number]


def test_bytes_that_rot_on_the_card_are_noticed(spool: Spool) -> None:
    spool.keep(incoming(), b"bytes")
    entry = spool.claim_unread()
    assert entry is not None
    spool.samples.path(entry.sha256).write_bytes(b"bytez")
    assert spool.bytes_of(entry) is None
    spool.keep(incoming(), b"bytes")  # put in once more
    assert spool.bytes_of(entry) == b"bytes"


def test_only_one_process_works_with_a_spool_and_others_may_look(
    spool: Spool, tmp_path: Path
) -> None:
    with pytest.raises(SpoolRefused, match="Another 'firstread edge'"):
        Spool(tmp_path / "spool", most_bytes=2**20)
    assert look_at(tmp_path / "spool").waiting == 0
    with pytest.raises(SpoolRefused, match="no spool"):
        look_at(tmp_path / "elsewhere")
    assert not (tmp_path / "elsewhere").exists()


def test_nobody_else_may_read_what_lies_in_it(spool: Spool, tmp_path: Path) -> None:
    spool.keep(incoming(), b"bytes")
    assert (tmp_path / "spool").stat().st_mode & 0o077 == 0
    bytes_file = next(
        file for file in (tmp_path / "spool" / "samples").rglob("*") if file.is_file()
    )
    assert bytes_file.stat().st_mode & 0o077 == 0
    assert (tmp_path / "spool" / "spool.sqlite3").stat().st_mode & 0o077 == 0


def _of_another_version(file: Path) -> None:
    with sqlite3.connect(file) as db:
        db.execute("PRAGMA user_version = 7")


def _damaged(file: Path) -> None:
    file.write_bytes(b"no database at all, " * 500)


def _another_programs(file: Path) -> None:
    file.unlink()
    with sqlite3.connect(file) as db:
        db.execute("CREATE TABLE bookmarks (url)")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_of_another_version, "version 7"),
        (_damaged, "cannot be used"),
        (_another_programs, "is no spool"),
    ],
)
def test_a_spool_that_is_not_ours_is_refused_and_not_touched(
    tmp_path: Path, spoil: Callable[[Path], None], says: str
) -> None:
    Spool(tmp_path, most_bytes=2**20).close()
    for beside in tmp_path.glob("spool.sqlite3-*"):
        beside.unlink()
    spoil(tmp_path / "spool.sqlite3")
    before = (tmp_path / "spool.sqlite3").read_bytes()
    for _ in range(2):  # the lock is free again
        with pytest.raises(SpoolRefused, match=says):
            Spool(tmp_path, most_bytes=2**20)
    with pytest.raises(SpoolRefused, match=says):
        look_at(tmp_path)
    assert (tmp_path / "spool.sqlite3").read_bytes() == before


WRITER = """
import sys
from pathlib import Path
from firstread.edge.entries import Incoming
from firstread.edge.spool import Spool
spool = Spool(Path(sys.argv[1]), most_bytes=2**30)
for n in range(100_000):
    number, _ = spool.keep(
        Incoming(check="c", accession="a", patient="", name="n", kind="image", many=True,
                 boot="b", boot_s=1.0),
        b"%06d" % n * 1000,
    )
    print(n, flush=True)
"""


def test_killed_at_any_moment_what_was_said_to_be_kept_is_there(tmp_path: Path) -> None:
    for round_ in range(4):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        said = [writer.stdout.readline() for _ in range(7 + 11 * round_)]
        writer.send_signal(signal.SIGKILL)
        said += writer.stdout.readlines()
        writer.wait()
        writer.stdout.close()
        last = int(said[-1])
        spool = Spool(tmp_path, most_bytes=2**30)
        kept = {spool.bytes_of(entry) for entry in _everything(spool)}
        assert None not in kept
        assert {b"%06d" % n * 1000 for n in range(last + 1)} <= kept
        files = [path for path in (tmp_path / "samples").rglob("*") if path.is_file()]
        assert len(files) == len(kept)  # no halves are left
        spool.close()


def _everything(spool: Spool) -> list[Any]:
    found = []
    while (entry := spool.claim_unread()) is not None:
        found.append(entry)
        spool.write_read(entry.number, Reading())
    return found + _waiting(spool)


def _waiting(spool: Spool) -> list[Any]:
    seen: list[Any] = []
    while parcel := spool.next_parcel(leaving_out=frozenset(e.number for e in seen)):
        seen += parcel
    return seen


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("keep"), st.integers(0, 5), st.sampled_from(["", "A1", "A2"])),
            st.tuples(st.just("read"), st.just(0), st.just("")),
            st.tuples(st.just("send"), st.just(0), st.just("")),
            st.tuples(st.just("hold"), st.just(0), st.just("")),
            st.tuples(st.just("again"), st.just(0), st.just("")),
            st.tuples(st.just("restart"), st.just(0), st.just("")),
        ),
        max_size=30,
    )
)
def test_whatever_happens_in_whatever_order_everything_is_sent_once(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, str]]
) -> None:
    play = _Play(tmp_path_factory.mktemp("spool"))
    try:
        for what, n, accession in steps:
            getattr(play, what)(n, accession)
        play.again()
        read_all(play.spool)
        while play.spool.next_parcel():
            play.send()
        assert sorted(play.sent, key=str) == sorted(play.put, key=str)
        assert play.spool.standing().sent == len(play.put)
    finally:
        play.spool.close()


class _Play:
    """A spool and what was done with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.spool = Spool(folder, most_bytes=2**24)
        self.put: set[tuple[str, bytes]] = set()
        self.sent: list[tuple[str, bytes | None]] = []

    def keep(self, n: int, accession: str) -> None:
        self.put.add((accession, b"sample %d" % n))
        self.spool.keep(incoming(accession=accession), b"sample %d" % n)

    def read(self, *_: object) -> None:
        if (entry := self.spool.claim_unread()) is not None:
            self.spool.write_read(entry.number, Reading(read="{}"))

    def send(self, *_: object) -> None:
        parcel = self.spool.next_parcel()
        self.sent += [(entry.accession, self.spool.bytes_of(entry)) for entry in parcel]
        self.spool.sent(tuple(entry.number for entry in parcel), case_id="c", at=NOW)

    def hold(self, *_: object) -> None:
        for entry in self.spool.next_parcel()[:1]:
            self.spool.hold(entry.number, said="no")

    def again(self, *_: object) -> None:
        resend(self.folder)

    def restart(self, *_: object) -> None:
        self.spool.close()
        self.spool = Spool(self.folder, most_bytes=2**24)


def test_what_came_in_before_the_clock_was_set_is_dated_by_the_boot(spool: Spool) -> None:
    since = [100.0]
    clock = BootClock(spool=spool, boot="b1", since_boot_s=lambda: since[0], own_s=lambda: since[0])
    clock.note_own()  # 1970: this machine keeps no time
    spool.keep(incoming(boot="b1", boot_s=100.0), b"bytes")
    entry = spool.claim_unread()
    assert entry is not None
    since[0] = 400.0
    clock.note_clinic(NOW)
    assert clock.received_at(entry) == NOW - timedelta(seconds=300)
    assert clock.now() == NOW
    clock.note_own()  # the clinic's word stands
    assert clock.now() == NOW


def test_after_another_boot_the_earlier_one_keeps_its_date(spool: Spool) -> None:
    earlier = BootClock(spool=spool, boot="b1", since_boot_s=lambda: 50.0)
    earlier.note_clinic(NOW)
    spool.keep(incoming(boot="b1", boot_s=60.0), b"bytes")
    later = BootClock(spool=spool, boot="b2", since_boot_s=lambda: 5.0)
    later.note_clinic(NOW + timedelta(hours=3))
    entry = spool.claim_unread()
    assert entry is not None
    assert later.received_at(entry) == NOW + timedelta(seconds=10)


def test_a_date_that_no_clinic_believes_is_left_out(spool: Spool) -> None:
    clock = BootClock(spool=spool, boot="b1", since_boot_s=lambda: 50.0, own_s=lambda: 60.0)
    clock.note_own()  # 1970, and the clinic was never met in that boot
    spool.keep(incoming(boot="b1", boot_s=50.0), b"bytes")
    later = BootClock(spool=spool, boot="b2", since_boot_s=lambda: 5.0)
    later.note_clinic(NOW)
    entry = spool.claim_unread()
    assert entry is not None
    assert later.received_at(entry) is None

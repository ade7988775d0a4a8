"""What is done to the site: each fault begins, and its context ends with everything mended."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.campaign.place import DISK_MB, PROCESSES, Place
from tests.campaign.post import WAYS

CLOCKS_S = ("86400", "-86400", "120", "-120", "7", "0")
"""How far the clock of a worker is ahead."""
SPARE_BYTES = 24 << 20
"""What memory a process may still take when it is made short."""
_ENDLESS = resource.RLIM_INFINITY


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One kind of trouble."""

    name: str
    make: Callable[[Place, random.Random], AbstractContextManager[None]]
    databases: tuple[str, ...] = ("sqlite", "postgresql")
    needs_disks: bool = False
    longest_s: float = 8.0


@contextmanager
def killed(place: Place, chance: random.Random) -> Iterator[None]:
    """Any of the processes, several times."""
    for _ in range(chance.randint(1, 4)):
        place.kill(chance.choice(list(PROCESSES)))
        time.sleep(chance.uniform(0.1, 1.5))
    yield


@contextmanager
def all_killed(place: Place, chance: random.Random) -> Iterator[None]:
    """As when the power fails: everything in one moment, the database as well."""
    for name in PROCESSES:
        place.kill(name)
    if place.site.server is not None:
        place.site.server.shut("immediate")
        place.site.server.start()
    yield


@contextmanager
def frozen(place: Place, chance: random.Random) -> Iterator[None]:
    """A process stands still for longer than a lease lasts, and goes on as if nothing had been."""
    pid = chance.choice(place.pids() or [0])
    if not pid:
        yield
        return
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


@contextmanager
def disk_full(place: Place, chance: random.Random) -> Iterator[None]:
    """Not a byte fits on the disk of the home folder: samples, inbox, logs, SQLite."""
    with _full(place.disks[0]):
        yield


@contextmanager
def database_disk_full(place: Place, chance: random.Random) -> Iterator[None]:
    """PostgreSQL ends where it can write no more, and is started again by its keeper."""
    server = place.site.server
    assert server is not None
    with _full(place.disks[1]):
        yield
    if not server.pid or not Path(f"/proc/{server.pid}").exists():
        server.start()


@contextmanager
def _full(disk: Path) -> Iterator[None]:
    # As small as what lies on it; more may come before that holds, and then it is tried again.
    for _ in range(10):
        used_kb = (shutil.disk_usage(disk).used >> 10) + 4
        if _resize(disk, f"{used_kb}k"):
            break
    try:
        yield
    finally:
        assert _resize(disk, f"{DISK_MB}m"), "the disk cannot be given its size again"


def _resize(disk: Path, size: str) -> bool:
    words = ["mount", "-o", f"remount,size={size}", str(disk)]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


@contextmanager
def no_file_grows(place: Place, chance: random.Random) -> Iterator[None]:
    """As a quota does: whatever a process writes is too much."""
    with _limited(place, resource.RLIMIT_FSIZE, lambda _pid: 0):
        yield


@contextmanager
def short_of_memory(place: Place, chance: random.Random) -> Iterator[None]:
    """No process gets much more memory than it has."""
    with _limited(place, resource.RLIMIT_AS, lambda pid: _virtual_bytes(pid) + SPARE_BYTES):
        yield


@contextmanager
def _limited(place: Place, what: int, most: Callable[[int], int]) -> Iterator[None]:
    pids = place.pids()
    for pid in pids:
        with suppress(OSError):
            resource.prlimit(pid, what, (most(pid), _ENDLESS))
    try:
        yield
    finally:
        for pid in pids:
            with suppress(OSError):
                resource.prlimit(pid, what, (_ENDLESS, _ENDLESS))


def _virtual_bytes(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[0])
    return pages * resource.getpagesize()


@contextmanager
def store_away(place: Place, chance: random.Random) -> Iterator[None]:
    """As a disk that is not mounted: an empty folder, or none at all, where the samples were."""
    elsewhere = place.samples.with_name("samples-elsewhere")
    place.samples.rename(elsewhere)
    if chance.random() < 0.5:
        place.samples.mkdir()
    try:
        yield
    finally:
        # What was written meanwhile is covered by what is mounted again.
        with suppress(FileNotFoundError):
            place.samples.rename(place.samples.with_name(f"under-{time.monotonic_ns()}"))
        elsewhere.rename(place.samples)


@contextmanager
def store_damaged(place: Place, chance: random.Random) -> Iterator[None]:
    """The newest files of the store hold other bytes, until they come back from the backup."""
    files = [file for file in place.samples.glob("??/*") if len(file.name) == 64]
    newest = sorted(files, key=lambda file: file.stat().st_mtime)[-20:]
    kept = {file: file.read_bytes() for file in newest}
    for file in newest:
        file.write_bytes(kept[file][::-1])
    try:
        yield
    finally:
        for file, data in kept.items():
            file.write_bytes(data)


@contextmanager
def inbox_away(place: Place, chance: random.Random) -> Iterator[None]:
    """The share is gone, for the laboratory as well, and comes back with what lay in it."""
    elsewhere = place.inbox.with_name("inbox-elsewhere")
    with place.inbox_is_there:
        place.inbox.rename(elsewhere)
        try:
            yield
        finally:
            with suppress(FileNotFoundError):
                place.inbox.rename(place.inbox.with_name(f"under-{time.monotonic_ns()}"))
            elsewhere.rename(place.inbox)


@contextmanager
def pack_damaged(place: Place, chance: random.Random) -> Iterator[None]:
    """One process, or each, has a network that is cut off, and finds it so when it starts."""
    names = chance.choice([[chance.choice(list(PROCESSES))], list(PROCESSES)])
    whole = {}
    for name in names:
        network = place.shelf(name) / "colour" / "model.onnx"
        whole[network] = network.read_bytes()
        network.write_bytes(whole[network][: chance.randrange(len(whole[network]))])
        place.kill(name)
    try:
        yield
    finally:
        for network, data in whole.items():
            network.write_bytes(data)


@contextmanager
def clocks_apart(place: Place, chance: random.Random) -> Iterator[None]:
    """Each process is started again with a clock of its own, which it keeps from then on."""
    for name in PROCESSES:
        here = CLOCKS_S[2:] if name == "up" else CLOCKS_S  # a browser's session ends in a day
        place.env[name] = {"CLOCK_AHEAD_S": chance.choice(here)}
        place.kill(name)
    yield


@contextmanager
def database_stopped(place: Place, chance: random.Random) -> Iterator[None]:
    server = place.site.server
    assert server is not None
    server.shut(chance.choice(["fast", "immediate"]))
    try:
        yield
    finally:
        server.start()


@contextmanager
def database_frozen(place: Place, chance: random.Random) -> Iterator[None]:
    """Whoever asks the database waits for its answer."""
    server = place.site.server
    assert server is not None
    pids = [server.pid, *_children(server.pid)]
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


@contextmanager
def backend_killed(place: Place, chance: random.Random) -> Iterator[None]:
    """PostgreSQL throws all connections out and recovers when one of its own is killed."""
    server = place.site.server
    assert server is not None
    for pid in chance.sample(found := _children(server.pid), min(1, len(found))):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    yield


def _children(parent: int) -> list[int]:
    listed = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [int(each) for each in listed]


@contextmanager
def database_locked(place: Place, chance: random.Random) -> Iterator[None]:
    """Another program, a backup say, has SQLite's file to itself."""
    connection = sqlite3.connect(place.site.home / "clinic.sqlite3", timeout=30)
    try:
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.rollback()
    finally:
        connection.close()


@contextmanager
def mail_lies(place: Place, chance: random.Random) -> Iterator[None]:
    place.post.box.way = chance.choice(list(WAYS))
    try:
        yield
    finally:
        place.post.box.way = ""


@contextmanager
def mail_away(place: Place, chance: random.Random) -> Iterator[None]:
    place.post.close()
    try:
        yield
    finally:
        place.post.open()


FAULTS = (
    Fault(name="store damaged", make=store_damaged),
    Fault(name="mail lies", make=mail_lies),
    Fault(name="mail away", make=mail_away),
    Fault(name="memory short", make=short_of_memory),
    Fault(name="no file grows", make=no_file_grows),
    Fault(name="disk full", make=disk_full, needs_disks=True),
    Fault(
        name="database's disk full",
        make=database_disk_full,
        databases=("postgresql",),
        needs_disks=True,
    ),
    Fault(name="store away", make=store_away),
    Fault(name="inbox away", make=inbox_away),
    Fault(name="pack damaged", make=pack_damaged),
    Fault(name="clocks apart", make=clocks_apart),
    Fault(name="database stopped", make=database_stopped, databases=("postgresql",)),
    Fault(name="database frozen", make=database_frozen, databases=("postgresql",)),
    Fault(name="backend killed", make=backend_killed, databases=("postgresql",)),
    Fault(name="database locked", make=database_locked, databases=("sqlite",)),
    Fault(name="frozen", make=frozen, longest_s=40.0),
    Fault(name="killed", make=killed),
    Fault(name="power failed", make=all_killed),
)
APART = {
    "database stopped",
    "database frozen",
    "database's disk full",
    "backend killed",
    "power failed",
}
"""Of these only one at a time: they stop and start the same server."""


def possible(place: Place, database: str) -> list[Fault]:
    """Those that can be made here."""
    return [
        fault
        for fault in FAULTS
        if database in fault.databases and (len(place.disks) == 2 or not fault.needs_disks)
    ]


def make(faults: list[Fault], place: Place, chance: random.Random) -> ExitStack:
    """All of them at a time; closing what it returns mends them, the last one first."""
    with ExitStack() as stack:
        for fault in faults:
            stack.enter_context(fault.make(place, chance))
        return stack.pop_all()

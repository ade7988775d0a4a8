"""The site that is broken: small disks, a pack for each process, and somebody who starts it again.

With root its home folder and its database lie on disks of their own, which can be full.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.campaign.ledger import Ledger
from tests.campaign.post import TIMEOUT_S, Post
from tests.packs_for_tests import make_pack
from tests.site_for_tests import PASSWORD, Site, site_on

DISK_MB = 2048
PROCESSES = {"up": "up", "worker-1": "worker", "worker-2": "worker"}
"""What runs, by its name: `firstread` with that command."""
SPECIALISTS = ("ana", "bo")
MAILED = ("ana",)
"""Who of them has an address: half the mails, and twice as many samples in the same time."""

SETUP = f"""
from firstread.server.start import open_django, open_database
open_django(); open_database()
from firstread.clinic.models import Check, Person, Reader
from firstread.clinic.accounts.tokens import issue
Check.objects.exclude(name="leukaemia").delete()
check = Check.objects.get(name="leukaemia")
assert check.pack == "colour", check.pack
for name in {SPECIALISTS}:
    at = name + "@example.org" if name in {MAILED} else ""
    person = Person.objects.create_user(name, at, "{PASSWORD}", role="specialist")
    Reader.objects.create(check_row=check, person=person)
    print(issue(person, scopes=["cases:read", "reviews:write"])[0])
tech = Person.objects.create_user("tech", "", "{PASSWORD}", role="technician")
print(issue(tech, scopes=["cases:write", "cases:read", "checks:read"])[0])
"""


@dataclass(kw_only=True)
class Place:
    """A site with what is around it."""

    site: Site
    post: Post
    ledger: Ledger
    work: Path
    disks: tuple[Path, ...]
    """Folders that are disks of their own; none without root."""
    tokens: dict[str, str] = field(default_factory=dict)
    env: dict[str, dict[str, str]] = field(default_factory=dict)
    """What a process has in its environment beside the site's."""
    inbox_is_there: threading.Lock = field(default_factory=threading.Lock)
    stopping: threading.Event = field(default_factory=threading.Event)
    _processes: threading.RLock = field(default_factory=threading.RLock)
    _down: set[str] = field(default_factory=set)

    @property
    def inbox(self) -> Path:
        return self.site.home / "inbox"

    @property
    def samples(self) -> Path:
        return self.site.home / "samples"

    def shelf(self, name: str) -> Path:
        """Where the process of that name has its packs."""
        return self.work / "shelves" / name

    def start(self, name: str) -> None:
        with self._processes:
            env = {"FIRSTREAD_PACKS": str(self.shelf(name))} | self.env.get(name, {})
            self.site.start(PROCESSES[name], name=name, **env)
            self._down.discard(name)

    def kill(self, name: str) -> None:
        """SIGKILL; whoever watches starts it again."""
        with self._processes:
            process = self.site.processes.get(name)
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()
                self.ledger.kills += 1
                self._down.add(name)

    def pids(self) -> list[int]:
        with self._processes:
            return [each.pid for each in self.site.processes.values() if each.poll() is None]

    def watch(self) -> None:
        """Start again what ended, as systemd would, until the campaign stops."""
        while not self.stopping.wait(0.3):
            for name in PROCESSES:
                with self._processes:
                    code = self.site.processes[name].poll()
                    if code is None:
                        continue
                    if name not in self._down:
                        self.ledger.ended[f"{name} ended with {code}"] += 1
                    with suppress(OSError):  # its log cannot be opened on a full disk
                        self.start(name)

    def ask(self, sql: str) -> list[tuple[Any, ...]] | None:
        """What the database says; None while it says nothing."""
        try:
            return self.site.query(sql)
        except Exception:  # noqa: BLE001  of two drivers, in any state of two databases
            return None

    def insist(self, sql: str, *, within_s: float = 60.0) -> list[tuple[Any, ...]]:
        end = time.monotonic() + within_s
        while (found := self.ask(sql)) is None:
            assert time.monotonic() < end, "the database does not come back"
            time.sleep(0.2)
        return found


@contextmanager
def place_on(
    database: str, *, work: Path, ledger: Ledger, lease_s: float | None = None
) -> Iterator[Place]:
    """A site on `sqlite` or `postgresql` with its processes; everything is put away afterwards."""
    work.chmod(0o755)  # PostgreSQL is another user
    home, for_database = work / "home", work / "database"
    with ExitStack() as stack:
        disks = tuple(
            folder for folder in (home, for_database) if stack.enter_context(_disk(folder))
        )
        for_database.chmod(0o777)
        _shelves(work)
        post = Post()
        stack.callback(post.close)
        site = stack.enter_context(
            site_on(
                database, home=home, shelf=work / "shelves" / "up", database_folder=for_database
            )
        )
        site.env |= _settings(post)
        if lease_s is None:
            del site.env["FIRSTREAD_READING_LEASE_S"]
        else:
            site.env["FIRSTREAD_READING_LEASE_S"] = str(lease_s)
        place = Place(site=site, post=post, ledger=ledger, work=work, disks=disks)
        names = (*SPECIALISTS, "tech")
        place.tokens = dict(zip(names, site.python(SETUP).split(), strict=True))
        for name in PROCESSES:
            place.start(name)
        watcher = threading.Thread(target=place.watch, daemon=True)
        watcher.start()
        try:
            yield place
        finally:
            place.stopping.set()
            watcher.join()
            _keep(place)


def _keep(place: Place) -> None:
    """What tells how something went wrong outlasts the disks."""
    kept = place.work / "kept"
    kept.mkdir()
    for file in (*place.site.home.glob("*.log"), *place.site.home.glob("clinic.sqlite3*")):
        shutil.copy(file, kept)
    if place.site.server is not None:
        shutil.copy(place.site.server.folder / "log", kept / "postgresql.log")


def _settings(post: Post) -> dict[str, str]:
    return {
        # Here it is not the sample that kills its reader.
        "FIRSTREAD_READING_TRIES": "20",
        "FIRSTREAD_MAIL_BACKEND": "smtp",
        "FIRSTREAD_MAIL_HOST": "127.0.0.1",
        "FIRSTREAD_MAIL_PORT": str(post.port),
        "FIRSTREAD_MAIL_TIMEOUT_S": str(TIMEOUT_S),
        "OMP_NUM_THREADS": "1",
    }


def _shelves(work: Path) -> None:
    for name in PROCESSES:
        make_pack(work / "shelves" / name)


@contextmanager
def _disk(folder: Path) -> Iterator[bool]:
    """Make the folder; says whether it is a small disk of its own, which takes root."""
    folder.mkdir(parents=True)
    mounted = False
    if os.geteuid() == 0 and shutil.which("mount"):
        words = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(folder)]
        mounted = subprocess.run(words, capture_output=True, check=False).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=False)

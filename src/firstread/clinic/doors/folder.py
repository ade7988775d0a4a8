"""The watched folder: a file that is put in, and is there whole, is received at once."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

import watchfiles
from django.db import DatabaseError, close_old_connections

from firstread.clinic import intake, registry
from firstread.clinic.doors.names import Address, address_of, is_table, passed_over, plain
from firstread.clinic.doors.places import Inbox, Taken
from firstread.clinic.doors.settle import Ripe, Settling, Signature
from firstread.clinic.doors.table import receive_table
from firstread.clinic.intake import Incoming
from firstread.clinic.models import Check
from firstread.domain.errors import FirstreadError, UnreadableSample
from firstread.domain.measurements import parse_table
from firstread.imaging import decode

DOOR = "folder"
TICK_MS = 100
"""How soon a file that lay still is looked at again."""
ADOPT_AFTER_S = 60.0
"""A claim that stands this long belongs to a process that died."""
MOST_AT_ONCE = 32
"""Files of one case received in one step; bounds what is held in memory."""

Checks = dict[str, Check]

log = logging.getLogger(__name__)


class InboxSettings(Protocol):
    """`[inbox]` of the configuration."""

    @property
    def folder(self) -> Path | None: ...
    @property
    def pattern(self) -> str: ...
    @property
    def default_check(self) -> str: ...
    @property
    def settle_s(self) -> float: ...
    @property
    def patience_s(self) -> float: ...
    @property
    def poll_s(self) -> float: ...
    @property
    def afterwards(self) -> Literal["keep", "delete"]: ...


class UploadSettings(Protocol):
    """`[server]` of the configuration."""

    @property
    def upload_mb(self) -> int: ...


class Settings(Protocol):
    """The configuration, as far as this door needs it."""

    @property
    def inbox(self) -> InboxSettings: ...
    @property
    def server(self) -> UploadSettings: ...


@dataclass(frozen=True, kw_only=True)
class Whole:
    """A claimed file with its bytes, which nobody changed between reading and claiming."""

    taken: Taken
    data: bytes
    address: Address


@dataclass(kw_only=True)
class FolderDoor:
    """Takes what lies in one inbox."""

    inbox: Inbox
    pattern: re.Pattern[str]
    default_check: str
    settling: Settling
    most_bytes: int
    afterwards: str
    wake: Callable[[], None]
    _claims: dict[str, float] = field(default_factory=dict)
    _told: set[Path] = field(default_factory=set)

    def take_all(self) -> None:
        """Look at every file once, and receive those that are there whole."""
        checks = {check.name: check for check in registry.checks()}
        present = set()
        batch: list[Whole] = []
        for inside in self.inbox.waiting():
            if passed_over(inside.name):
                continue
            present.add(inside)
            whole = self._ripe(inside, checks=checks)
            if whole is None:
                continue
            if batch and not self._joins(batch, whole, checks=checks):
                self._receive(batch, checks=checks)
                batch = []
            batch.append(whole)
        if batch:
            self._receive(batch, checks=checks)
        self.settling.keep_only(present)
        self._told &= present

    def take_over(self) -> None:
        """Receive what claims of dead processes still hold; received twice, it counts once."""
        checks = {check.name: check for check in registry.checks()}
        for taken in self.inbox.left_over():
            whole = self._opened(taken, checks=checks)
            if whole is not None:
                self._receive([whole], checks=checks)

    def adopt(self) -> None:
        """Take over, where a claim has stood for so long that its process must have died."""
        now = time.monotonic()
        standing = self.inbox.claims()
        self._claims = {name: self._claims.get(name, now) for name in standing}
        if any(now - since > ADOPT_AFTER_S for since in self._claims.values()):
            self.take_over()

    def _joins(self, batch: list[Whole], whole: Whole, *, checks: Checks) -> bool:
        """Whether the file belongs to the same case as those of the batch."""
        return (
            len(batch) < MOST_AT_ONCE
            and bool(whole.address.accession)
            and whole.address == batch[0].address
            and checks[whole.address.check].many
            # The step names those it refuses.
            and whole.taken.inside.name not in {each.taken.inside.name for each in batch}
        )

    @property
    def busy(self) -> bool:
        """Whether a file is still being waited for."""
        return len(self.settling) > 0

    def _ripe(self, inside: Path, *, checks: Checks) -> Whole | None:
        path = self.inbox.root / inside
        try:
            signature = Signature.of(path)
            ripe = self.settling.look(inside, signature, table=is_table(inside.name))
            if ripe is Ripe.NOT_YET:
                return None
            if ripe is Ripe.QUIET and not self._is_whole(path, signature, inside, checks=checks):
                self.settling.was_not_whole(inside)
                return None
            taken = self._taken(inside, signature)
        except FileNotFoundError:
            return None
        except OSError as error:
            if inside not in self._told:  # at each look it would fill the log
                self._told.add(inside)
                log.warning("a file in the inbox cannot be taken: %s", error.strerror)
            return None
        return self._opened(taken, checks=checks) if taken else None

    def _taken(self, inside: Path, signature: Signature) -> Taken | None:
        taken = self.inbox.take(inside)
        if taken is not None and Signature.of(taken.path) != signature:
            self.inbox.put_back(taken)
            return None
        self.settling.forget(inside)
        return taken

    def _is_whole(self, path: Path, signature: Signature, inside: Path, *, checks: Checks) -> bool:
        if not signature.regular or not 0 < signature.size_bytes <= self.most_bytes:
            return False
        try:
            data = path.read_bytes()
            if not is_table(inside.name):
                decode(data)
            else:
                check = registry.check_named(self._address(inside, checks=checks).check)
                parse_table(data, registry.manifest_of(check))
                return data.lstrip()[:1] in (b"{", b"[") or data.endswith((b"\n", b"\n\x00"))
        except (FirstreadError, PermissionError):
            return False
        return True

    def _address(self, inside: Path, *, checks: Checks) -> Address:
        return address_of(
            inside, pattern=self.pattern, checks=checks, default_check=self.default_check
        )

    def _opened(self, taken: Taken, *, checks: Checks) -> Whole | None:
        """The claimed file's bytes and address; None where it was refused instead."""
        try:
            address = self._address(taken.inside, checks=checks)
            signature = Signature.of(taken.path)
            if not signature.regular:
                raise UnreadableSample("This is a link or a device, not a file. Copy the file.")
            if signature.size_bytes > self.most_bytes:
                raise UnreadableSample(
                    f"The file is larger than {self.most_bytes // 2**20} MB. Put in a smaller one, "
                    "or have the operator raise server.upload_mb."
                )
            kind = checks[address.check].kind
            if is_table(taken.inside.name) != (kind == "measurements"):
                wanted = "tables of measurements" if kind == "measurements" else "pictures"
                raise UnreadableSample(
                    f"The check '{address.check}' reads {wanted}. Put the file into the folder of "
                    "another check."
                )
            data = taken.path.read_bytes()
        except FileNotFoundError:
            return None
        except PermissionError:
            self.inbox.refuse(
                taken, why="The file may not be opened. Let the group of the server read it."
            )
            return None
        except FirstreadError as error:
            self.inbox.refuse(taken, why=str(error))
            return None
        return Whole(taken=taken, data=data, address=address)

    def _receive(self, batch: list[Whole], *, checks: Checks) -> None:
        try:
            if checks[batch[0].address.check].kind == "measurements":
                for whole in batch:
                    self._receive_table(whole)
            else:
                self._receive_images(batch)
        except DatabaseError as error:
            # The claims stand and are taken over later: nothing is lost while the database is away.
            log.warning("the database did not take a file from the inbox: %s", type(error).__name__)
            return
        self.wake()

    def _receive_images(self, batch: list[Whole]) -> None:
        address = batch[0].address
        names = [plain(whole.taken.inside.name) for whole in batch]
        try:
            received = intake.receive(
                [
                    Incoming(data=whole.data, name=name)
                    for whole, name in zip(batch, names, strict=True)
                ],
                check=address.check,
                accession=address.accession,
                patient=address.patient,
                door=DOOR,
                by=None,
            )
        except FirstreadError as error:
            for whole in batch:
                self.inbox.refuse(whole.taken, why=str(error))
            return
        refused = {refusal.name: refusal.reason for refusal in received.refused}
        for whole, name in zip(batch, names, strict=True):
            if name in refused:
                self.inbox.refuse(whole.taken, why=refused[name])
            else:
                self.inbox.done(whole.taken, afterwards=self.afterwards)
        log.info("case %s received %d from the inbox", received.case.pk, received.added)

    def _receive_table(self, whole: Whole) -> None:
        address = whole.address
        try:
            received = receive_table(
                whole.data,
                check=address.check,
                accession=address.accession,
                patient=address.patient,
                door=DOOR,
                by=None,
            )
        except FirstreadError as error:
            self.inbox.refuse(whole.taken, why=str(error))
            return
        if received.refused:
            good = len(received.received)
            self.inbox.refuse(
                whole.taken,
                why=f"{received.why}\nThe other {good} rows were taken. "
                "Correct these lines and put the table in again.",
            )
        else:
            self.inbox.done(whole.taken, afterwards=self.afterwards)
        log.info("a table of %d rows received from the inbox", len(received.received))


def door_of(config: Settings, wake: Callable[[], None]) -> FolderDoor | None:
    """The door that the configuration describes; None where no folder is set."""
    inbox = config.inbox
    if inbox.folder is None:
        return None
    return FolderDoor(
        inbox=Inbox(root=inbox.folder.absolute()),
        pattern=re.compile(inbox.pattern),
        default_check=inbox.default_check,
        settling=Settling(settle_s=inbox.settle_s, patience_s=inbox.patience_s),
        most_bytes=config.server.upload_mb * 2**20,
        afterwards=inbox.afterwards,
        wake=wake,
    )


def watch(config: Settings, stop: threading.Event, wake: Callable[[], None]) -> None:
    """Take what is put into the inbox until `stop` is set; returns at once where none is set.

    Changes are noticed by the file system's events, and by looking every `poll_s` seconds as well,
    for network shares send no events.
    """
    door = door_of(config, wake)
    if door is None:
        return
    first, away, next_look = True, False, 0.0
    for changed in _changes(door.inbox.root, stop):
        if not (changed or door.busy or time.monotonic() >= next_look):
            continue
        try:
            door.inbox.prepare(checks=[check.name for check in registry.checks()])
            if first:
                door.take_over()
                first = False
            door.take_all()
            if time.monotonic() >= next_look:
                door.adopt()
                next_look = time.monotonic() + config.inbox.poll_s
            away = False
        except (OSError, DatabaseError) as error:
            # A share that went away comes back; the files in it wait.
            if not away:
                log.warning("the inbox cannot be looked at: %s", type(error).__name__)
            away = True
            stop.wait(config.inbox.poll_s)
        finally:
            close_old_connections()


def _changes(root: Path, stop: threading.Event) -> Iterator[bool]:
    """Whether something changed, at least every tick, until `stop` is set."""
    while not stop.is_set():
        try:
            root.mkdir(parents=True, exist_ok=True)
            changes: Iterable[object] = watchfiles.watch(
                root,
                stop_event=stop,
                debounce=TICK_MS,
                step=20,
                rust_timeout=TICK_MS,
                yield_on_timeout=True,
                raise_interrupt=False,
                ignore_permission_denied=True,
            )
            for changed in changes:
                yield bool(changed)
                if not root.exists():
                    break
        except (OSError, RuntimeError) as error:
            log.warning("the inbox gives no events, it is polled: %s", type(error).__name__)
            for _ in range(50):
                yield False
                if stop.wait(TICK_MS / 1000):
                    return

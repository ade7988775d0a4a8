"""Taking what lies whole in an inbox and giving it to whoever receives it, a batch at a time."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from firstread.domain.errors import FirstreadError, UnreadableSample
from firstread.domain.measurements import TakesMeasurements, parse_table
from firstread.imaging import decode
from firstread.inbox.names import Address, address_of, is_table, passed_over, plain
from firstread.inbox.places import Inbox, Taken
from firstread.inbox.settle import Ripe, Settling, Signature

ADOPT_AFTER_S = 60.0
"""A claim that stands this long belongs to a process that died."""
MOST_AT_ONCE = 32
"""Files of one case received in one step; bounds what is held in memory."""

log = logging.getLogger(__name__)


class KnownCheck(Protocol):
    """A check, as far as an inbox must know it."""

    @property
    def kind(self) -> str: ...
    @property
    def many(self) -> bool: ...


Checks = Mapping[str, KnownCheck]
"""By name."""


@dataclass(frozen=True, kw_only=True)
class Whole:
    """A claimed file with its bytes, which nobody changed between reading and claiming."""

    taken: Taken
    data: bytes
    address: Address

    @property
    def name(self) -> str:
        """The file's name as text that can be stored."""
        return plain(self.taken.inside.name)


class Receiver(Protocol):
    """Whoever receives what was put in: a clinic, or the spool of an edge."""

    def checks(self) -> Checks:
        """The checks whose folders are looked at."""

    def measurements_of(self, check: str) -> TakesMeasurements:
        """Which measurements a check takes; raises FirstreadError where none can be known."""

    def has_room(self, size_bytes: int) -> bool:
        """Whether a file of that size can be kept now; otherwise it stays where it lies."""

    def receive(self, batch: Sequence[Whole]) -> Sequence[str] | None:
        """Keep files of one case, or one table.

        Gives for each why it comes back, '' where it was received, and None where nothing could
        be kept: then the claims stand and are taken over later. What it raises sends all back.
        """


@dataclass(kw_only=True)
class Taking:
    """Takes what lies in one inbox."""

    inbox: Inbox
    pattern: re.Pattern[str]
    default_check: str
    settling: Settling
    most_bytes: int
    too_large: str
    """The remedy for a file beyond `most_bytes`."""
    afterwards: str
    receiver: Receiver
    _claims: dict[str, float] = field(default_factory=dict)
    _told: set[Path] = field(default_factory=set)

    def take_all(self) -> None:
        """Look at every file once, and receive those that are there whole."""
        checks = self.receiver.checks()
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
                self._receive(batch)
                batch = []
            batch.append(whole)
        if batch:
            self._receive(batch)
        self.settling.keep_only(present)
        self._told &= present

    def take_over(self) -> None:
        """Receive what claims of dead processes still hold; received twice, it counts once."""
        checks = self.receiver.checks()
        for taken in self.inbox.left_over():
            whole = self._opened(taken, checks=checks)
            if whole is not None:
                self._receive([whole])

    def adopt(self) -> None:
        """Take over, where a claim has stood for so long that its process must have died."""
        now = time.monotonic()
        standing = self.inbox.claims()
        self._claims = {name: self._claims.get(name, now) for name in standing}
        if any(now - since > ADOPT_AFTER_S for since in self._claims.values()):
            self.take_over()

    @property
    def busy(self) -> bool:
        """Whether a file is still being waited for."""
        return len(self.settling) > 0

    def _joins(self, batch: list[Whole], whole: Whole, *, checks: Checks) -> bool:
        """Whether the file belongs to the same case as those of the batch."""
        return (
            len(batch) < MOST_AT_ONCE
            and bool(whole.address.accession)
            and whole.address == batch[0].address
            and checks[whole.address.check].many
            # The receiver names those it refuses.
            and whole.taken.inside.name not in {each.taken.inside.name for each in batch}
        )

    def _ripe(self, inside: Path, *, checks: Checks) -> Whole | None:
        path = self.inbox.root / inside
        try:
            signature = Signature.of(path)
            ripe = self.settling.look(inside, signature, table=is_table(inside.name))
            if ripe is Ripe.NOT_YET:
                return None
            # What is too large comes back, and so needs no room.
            keeps = signature.size_bytes <= self.most_bytes
            if keeps and not self.receiver.has_room(signature.size_bytes):
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
                check = self._address(inside, checks=checks).check
                parse_table(data, self.receiver.measurements_of(check))
                return data.lstrip()[:1] in (b"{", b"[") or data.endswith((b"\n", b"\n\x00"))
        except (FirstreadError, PermissionError):
            return False
        return True

    def _address(self, inside: Path, *, checks: Checks) -> Address:
        return address_of(
            inside, pattern=self.pattern, checks=checks.keys(), default_check=self.default_check
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
                    f"The file is larger than {self.most_bytes // 2**20} MB. {self.too_large}"
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

    def _receive(self, batch: Sequence[Whole]) -> None:
        try:
            refusals = self.receiver.receive(batch)
        except FirstreadError as error:
            refusals = [str(error)] * len(batch)
        for whole, why in zip(batch, refusals or (), strict=refusals is not None):
            if why:
                self.inbox.refuse(whole.taken, why=why)
            else:
                self.inbox.done(whole.taken, afterwards=self.afterwards)

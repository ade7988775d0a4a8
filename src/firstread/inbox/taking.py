"""Taking what lies whole in an inbox and giving it to whoever receives it, a batch at a time."""

from __future__ import annotations

import functools
import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from firstread.domain.errors import FirstreadError, UnreadableSample
from firstread.files.left_over import is_unfinished, passed_over
from firstread.inbox.kinds import KINDS, KindOfFile
from firstread.inbox.names import Address, address_of, is_table, plain
from firstread.inbox.places import Inbox, Taken
from firstread.inbox.put_away import PutAway
from firstread.inbox.records import Records, lacks_some
from firstread.inbox.settle import Ripe, Settling, Signature
from firstread.inbox.troubles import Troubles, tell_nobody
from firstread.recordings import join_pair
from firstread.recordings.together import half_of_a_pair, is_header, together
from firstread.tables.columns import TakesMeasurements

ADOPT_AFTER_S = 30.0
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
    """A claimed file with its bytes, which nobody changed between reading and claiming.

    Of a recording in several files all are claimed, and `data` is what they are joined into.
    """

    taken: Taken
    beside: tuple[Taken, ...] = ()
    data: bytes
    address: Address

    @property
    def claims(self) -> tuple[Taken, ...]:
        return (self.taken, *self.beside)

    @property
    def name(self) -> str:
        """The files' names as text that can be stored."""
        return plain(" + ".join(each.inside.name for each in self.claims))


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
    told: Callable[[Sequence[str]], None] = tell_nobody
    """Is given what keeps files in the inbox, whenever that changes."""
    _claims: dict[str, float] = field(default_factory=dict)
    _was: dict[Path, Signature] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._troubles = Troubles(self.inbox, self.settling, self.told)
        self._put_away = PutAway(self.inbox)
        self._records = Records()

    def take_all(self) -> None:
        """Look at every file once, and receive those that are there whole."""
        checks = self.receiver.checks()
        self._records.look_again()
        self._put_away.bring_back()
        present = set[Path]()
        batch: list[Whole] = []
        for inside in self.inbox.waiting(self._troubles.closed):
            if passed_over(inside.name):
                if is_unfinished(inside.name):
                    self._troubles.unfinished(inside)
                continue
            present.add(inside)
            if self._troubles.is_stuck(inside):
                continue
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
        self._troubles.end_of_look(present)

    def take_over(self) -> None:
        """Receive what claims of dead processes still hold; received twice, it counts once."""
        self._receive_claimed(list(self.inbox.left_over()))

    def _receive_claimed(self, left: Sequence[Taken]) -> None:
        checks = self.receiver.checks()
        names = [str(taken.inside) for taken in left]
        for places in together(names, beginning=lambda at: left[at].beginning()):
            first, *rest = [left[place] for place in places]
            if self._is_half(first.inside, checks=checks) and (
                not rest or lacks_some([first, *rest])
            ):
                # Whoever died may not have come to the others, which lie in the inbox still.
                for each in (first, *rest):
                    self.inbox.put_back(each)
                continue
            whole = self._opened(first, rest, checks=checks)
            if whole is not None:
                self._receive([whole])

    def adopt(self) -> None:
        """Receive what could not be kept before, and what was left behind.

        The first is what this process claimed itself; where another's claim has stood for long, its
        process must have died.
        """
        if mine := [taken for claim in list(self._was) for taken in self.inbox.inside(claim)]:
            self._receive_claimed(mine)
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
            files = self._records.files_of(path) if self._is_half(inside, checks=checks) else ()
            if files:
                return self._ripe_record(files, checks=checks) if is_header(path) else None
            signature = Signature.of(path)
            ripe = self.settling.look(inside, signature, table=is_table(inside.name))
            # What is too large comes back, and so needs no room.
            keeps = signature.size_bytes <= self.most_bytes
            if ripe is Ripe.NOT_YET or (keeps and not self.receiver.has_room(signature.size_bytes)):
                return None
            if ripe is Ripe.QUIET and not self._is_whole(path, signature, inside, checks=checks):
                self.settling.was_not_whole(inside)
                return None
            taken = self._taken(inside, signature)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._troubles.stuck(inside, error)
            self.settling.forget(inside)
            return None
        self._troubles.free(inside)
        return self._opened(taken, checks=checks) if taken else None

    def _ripe_record(self, files: Sequence[Path], *, checks: Checks) -> Whole | None:
        """All files of a recording, the header first, once they lie still and open together."""
        inside, *others = (each.relative_to(self.inbox.root) for each in files)
        signatures = [Signature.of(each) for each in files]
        whole = functools.reduce(Signature.with_other, signatures)
        ripe = self.settling.look(inside, whole, table=False)
        size_bytes = sum(each.size_bytes for each in signatures)
        if ripe is Ripe.NOT_YET or not self.receiver.has_room(size_bytes):
            return None
        if ripe is Ripe.QUIET and not self._record_opens(files, signatures, checks=checks):
            self.settling.was_not_whole(inside)
            return None
        claims: list[Taken] = []
        for each, signature in zip((inside, *others), signatures, strict=True):
            taken = self._taken(each, signature)
            if taken is None:
                for other in claims:
                    self.inbox.put_back(other)
                return None
            claims.append(taken)
        return self._opened(claims[0], claims[1:], checks=checks)

    def _record_opens(
        self, files: Sequence[Path], signatures: Sequence[Signature], *, checks: Checks
    ) -> bool:
        if not all(each.regular and 0 < each.size_bytes <= self.most_bytes for each in signatures):
            return False
        try:
            data = join_pair({each.name: each.read_bytes() for each in files})
            return self._opens(data, files[0].relative_to(self.inbox.root), checks=checks)
        except (FirstreadError, PermissionError):
            return False

    def _is_half(self, inside: Path, *, checks: Checks) -> bool:
        """Whether the file may be half a sample of the check whose folder it lies in."""
        if not half_of_a_pair(inside.name):
            return False
        try:
            return self._kind(inside, checks=checks).is_half(inside.name)
        except FirstreadError:
            return False

    def _kind(self, inside: Path, *, checks: Checks) -> KindOfFile:
        return KINDS[checks[self._address(inside, checks=checks).check].kind]

    def _taken(self, inside: Path, signature: Signature) -> Taken | None:
        taken = self.inbox.take(inside)
        if taken is not None and Signature.of(taken.path) != signature:
            self.inbox.put_back(taken)
            return None
        self.settling.forget(inside)
        if taken is not None:
            self._was[taken.claim] = signature
        return taken

    def _is_whole(self, path: Path, signature: Signature, inside: Path, *, checks: Checks) -> bool:
        if not signature.regular or not 0 < signature.size_bytes <= self.most_bytes:
            return False
        try:
            return self._opens(path.read_bytes(), inside, checks=checks)
        except (FirstreadError, PermissionError):
            return False

    def _opens(self, data: bytes, inside: Path, *, checks: Checks) -> bool:
        """Whether the bytes can be all of a sample, or come back anyway for what they are."""
        kind = self._kind(inside, checks=checks)
        check = self._address(inside, checks=checks).check
        return not kind.takes(inside.name) or kind.is_whole(
            data, name=inside.name, measurements=lambda: self.receiver.measurements_of(check)
        )

    def _address(self, inside: Path, *, checks: Checks) -> Address:
        return address_of(
            inside, pattern=self.pattern, checks=checks.keys(), default_check=self.default_check
        )

    def _opened(
        self, taken: Taken, beside: Sequence[Taken] = (), *, checks: Checks
    ) -> Whole | None:
        """The claimed files' bytes and address; None where they were refused instead."""
        claims = (taken, *beside)
        try:
            address = self._address(taken.inside, checks=checks)
            self._refuse_other_kinds(taken.inside.name, address, checks=checks)
            parts = {each.inside.name: self._bytes_of(each) for each in claims}
            data = join_pair(parts) if beside else parts[taken.inside.name]
        except FileNotFoundError:
            return None
        except PermissionError:
            self._send_back(
                claims, why="The file may not be opened. Let the group of the server read it."
            )
            return None
        except FirstreadError as error:
            self._send_back(claims, why=str(error))
            return None
        return Whole(taken=taken, beside=tuple(beside), data=data, address=address)

    def _refuse_other_kinds(self, name: str, address: Address, *, checks: Checks) -> None:
        kind = KINDS[checks[address.check].kind]
        if not kind.takes(name):
            raise UnreadableSample(
                f"The check '{address.check}' reads {kind.called}. Put the file into the folder of "
                "another check."
            )

    def _bytes_of(self, taken: Taken) -> bytes:
        signature = Signature.of(taken.path)
        if not signature.regular:
            raise UnreadableSample("This is a link or a device, not a file. Copy the file.")
        if signature.size_bytes > self.most_bytes:
            raise UnreadableSample(
                f"The file is larger than {self.most_bytes // 2**20} MB. {self.too_large}"
            )
        return taken.path.read_bytes()

    def _send_back(self, claims: Sequence[Taken], *, why: str) -> None:
        for taken in claims:
            moved = self.inbox.refuse(taken, why=why)
            self._put_away.add(moved, inside=taken.inside, was=self._was.pop(taken.claim, None))

    def _receive(self, batch: Sequence[Whole]) -> None:
        try:
            refusals = self.receiver.receive(batch)
        except FirstreadError as error:
            refusals = [str(error)] * len(batch)
        for whole, why in zip(batch, refusals or (), strict=refusals is not None):
            if why:
                self._send_back(whole.claims, why=why)
                continue
            for taken in whole.claims:
                moved = self.inbox.done(taken, afterwards=self.afterwards)
                self._put_away.add(moved, inside=taken.inside, was=self._was.pop(taken.claim, None))

"""What is put into the edge's inbox goes into the spool, by the conventions of a clinic's inbox."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from firstread.domain.errors import ShortOfMemory
from firstread.edge.clock import BootClock
from firstread.edge.entries import Incoming
from firstread.edge.kinds import KINDS
from firstread.edge.spool import Spool
from firstread.inbox.taking import KnownCheck, Whole
from firstread.packs import Manifest
from firstread.tables.columns import TakesMeasurements

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class _Check:
    kind: str
    many: bool


@dataclass(kw_only=True)
class IntoTheSpool:
    """Receives what was put in, durably, before it is read."""

    spool: Spool
    clock: BootClock
    packs: Mapping[str, Manifest]
    """The pack of each check that this machine reads."""
    wake: Callable[[], None]
    _full: bool = False

    def checks(self) -> dict[str, KnownCheck]:
        return {
            check: _Check(kind=manifest.kind, many=manifest.pack.many)
            for check, manifest in self.packs.items()
        }

    def measurements_of(self, check: str) -> TakesMeasurements:
        return self.packs[check]

    def has_room(self, size_bytes: int) -> bool:
        """Whether the file fits; where it does not, it waits in the inbox and the log says so."""
        room = self.spool.has_room(size_bytes)
        if room == self._full:  # once, not at every look
            self._full = not room
            if room:
                log.info("the spool has room again")
            else:
                log.warning(
                    "the spool is full: %d MB are kept. New files wait in the inbox until the "
                    "clinic has what came before; give it more room with --spool-mb",
                    self.spool.used_bytes() // 2**20,
                )
        return room

    def receive(self, batch: Sequence[Whole]) -> Sequence[str] | None:
        """Why each file comes back; None while the disk takes nothing or memory is short: the
        claims stand."""
        try:
            refused = [self._take_in(whole) for whole in batch]
        except (OSError, sqlite3.OperationalError) as error:
            log.warning("the spool did not take a file: %s", type(error).__name__)
            return None
        except ShortOfMemory as error:
            log.warning("a file in the inbox waits: %s", error)
            return None
        self.wake()
        return refused

    def _take_in(self, whole: Whole) -> str:
        manifest = self.packs[whole.address.check]
        kind = KINDS[manifest.kind]
        return kind.take_in(whole, manifest=manifest, keep=partial(self._keep, whole))

    def _keep(
        self,
        whole: Whole,
        data: bytes,
        *,
        accession: str | None = None,
        patient: str | None = None,
        refusal: str = "",
    ) -> None:
        address, manifest = whole.address, self.packs[whole.address.check]
        number, new = self.spool.keep(
            Incoming(
                check=address.check,
                accession=address.accession if accession is None else accession,
                patient=address.patient if patient is None else patient,
                name=whole.name,
                kind=manifest.pack.kind,
                many=manifest.pack.many,
                boot=self.clock.boot,
                boot_s=self.clock.since_boot_s(),
                refusal=refusal,
            ),
            data,
        )
        said = "cannot be opened and waits for the clinic" if refusal else "came in"
        log.info("sample %d %s", number, said if new else "was here already")

"""From what was set to an edge that can run."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from firstread.client import Client
from firstread.connect.loopback import is_loopback
from firstread.domain.errors import BadConfiguration, PackRefused, UnknownPack
from firstread.edge.clock import BootClock
from firstread.edge.first_reads import Say
from firstread.edge.inbox import IntoTheSpool
from firstread.edge.machine import Machine
from firstread.edge.spool import Spool
from firstread.edge.sync import Sync
from firstread.edge.token import token_from
from firstread.inbox.names import accession_pattern
from firstread.inbox.places import Inbox
from firstread.inbox.settle import Settling
from firstread.inbox.taking import Taking
from firstread.packs import find_pack, list_packs
from firstread.packs.motifs import reads_for_a_check
from firstread.runtime import PackReader, open_reader

SETTLE_S, PATIENCE_S = 0.2, 10.0
"""As a clinic's inbox has them unless set otherwise."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What `firstread edge` was started with."""

    inbox: Path
    clinic: str
    packs: tuple[str, ...]
    spool: Path
    spool_mb: int
    keep_days: float
    pattern: str
    afterwards: str
    upload_mb: int
    name: str


def open_machine(settings: Settings, *, stop: threading.Event, say: Say) -> Machine:
    """Open packs and spool; raises BadConfiguration, PackRefused, UnknownPack, SpoolRefused."""

    def connect() -> Client:
        def rest(pause_s: float) -> None:
            stop.wait(pause_s)

        return Client(settings.clinic, token_from(os.environ), tries=2, sleep=rest)

    _refuse_nested(settings)
    connect().close()  # a mistyped address or a missing token is said now, not in the night
    _warn_of_plain(settings.clinic)
    name, pattern = _plain_name(settings.name), accession_pattern(settings.pattern)
    readers = _readers(settings.packs)
    spool = Spool(settings.spool, most_bytes=settings.spool_mb * 2**20)
    clock, unread = BootClock(spool=spool), threading.Event()
    taking = Taking(
        inbox=Inbox(root=settings.inbox.absolute()),
        pattern=pattern,
        default_check=next(iter(readers)) if len(readers) == 1 else "",
        settling=Settling(settle_s=SETTLE_S, patience_s=PATIENCE_S),
        most_bytes=settings.upload_mb * 2**20,
        too_large="Put in a smaller one, or raise --upload-mb here and server.upload_mb there.",
        afterwards=settings.afterwards,
        receiver=IntoTheSpool(
            spool=spool,
            clock=clock,
            packs={check: reader.manifest for check, reader in readers.items()},
            wake=unread.set,
        ),
    )
    keep = timedelta(days=settings.keep_days)
    sync = Sync(spool=spool, clock=clock, connect=connect, host=name, keep=keep)
    log.info("reads %s", ", ".join(f"{c} with {r.manifest.name}" for c, r in readers.items()))
    return Machine(
        spool=spool,
        clock=clock,
        taking=taking,
        readers=readers,
        sync=sync,
        say=say,
        unread=unread,
        stop=stop,
    )


def _readers(named: Sequence[str]) -> dict[str, PackReader]:
    """The open pack of each check: those named, or every one that is whole."""
    readers: dict[str, PackReader] = {}
    for folder in [find_pack(name) for name in named] or list_packs():
        try:
            reader = open_reader(folder)
        except PackRefused as error:
            if named:
                raise
            log.warning("a pack is left out: %s", error)
            continue
        if not named and not reads_for_a_check(reader.manifest):
            continue
        check = reader.manifest.check
        if check in readers:
            raise BadConfiguration(
                f"The packs '{readers[check].manifest.name}' and '{folder.name}' both read "
                f"'{check}'. Choose one of them with --pack."
            )
        readers[check] = reader
    if not readers:
        raise UnknownPack("There is no pack to read with. Put one on a shelf (FIRSTREAD_PACKS).")
    return readers


def _refuse_nested(settings: Settings) -> None:
    """A spool in the inbox would be taken in as samples."""
    inbox, spool = settings.inbox.resolve(), settings.spool.resolve()
    if spool.is_relative_to(inbox):
        raise BadConfiguration(
            f"The spool '{settings.spool}' lies in the inbox. Name a folder elsewhere with --spool."
        )


def _plain_name(name: str) -> str:
    plain = "".join(sign for sign in name.strip() if sign.isprintable())[:64]
    if not plain:
        raise BadConfiguration("This machine has no name. Give it one with --name.")
    return plain


def _warn_of_plain(clinic: str) -> None:
    parts = urlsplit(clinic)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        log.warning(
            "the token and the samples go to the clinic unencrypted: give its address as https://"
        )

"""The watched folder: a file that is put in, and is there whole, is received at once."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, Protocol

from django.db import DatabaseError, close_old_connections

from firstread.clinic.checks.checks import check_named, enabled_checks, manifest_of
from firstread.clinic.doors.table import receive_table
from firstread.clinic.steps import intake
from firstread.clinic.steps.files import Incoming
from firstread.clinic.steps.kinds import KINDS
from firstread.domain.errors import TroubleElsewhere
from firstread.inbox.changes import changes
from firstread.inbox.names import accession_pattern
from firstread.inbox.places import Inbox
from firstread.inbox.settle import Settling
from firstread.inbox.taking import KnownCheck, Taking, Whole
from firstread.inbox.troubles import keep_troubles, sentence
from firstread.tables.columns import TakesMeasurements

DOOR = "folder"

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
    def home(self) -> Path: ...
    @property
    def inbox(self) -> InboxSettings: ...
    @property
    def server(self) -> UploadSettings: ...


@dataclass(frozen=True, kw_only=True)
class IntoTheClinic:
    """Receives what was put in as cases."""

    wake: Callable[[], None]

    def checks(self) -> dict[str, KnownCheck]:
        return {check.name: check for check in enabled_checks()}

    def measurements_of(self, check: str) -> TakesMeasurements:
        return manifest_of(check_named(check))

    def has_room(self, size_bytes: int) -> bool:  # noqa: ARG002  a full disk says so by itself
        return True

    def receive(self, batch: Sequence[Whole]) -> Sequence[str] | None:
        """Why each file comes back; None while it has to wait for us."""
        try:
            kind = KINDS[check_named(batch[0].address.check).kind]
            if kind.row is None:
                refused = _receive_samples(batch)
            else:
                refused = [_receive_table(whole) for whole in batch]
        except (DatabaseError, TroubleElsewhere) as error:
            log.warning("a file from the inbox cannot be kept yet: %s", type(error).__name__)
            return None
        self.wake()
        return refused


def _receive_samples(batch: Sequence[Whole]) -> list[str]:
    address = batch[0].address
    received = intake.receive(
        [Incoming(data=whole.data, name=whole.name) for whole in batch],
        check=address.check,
        accession=address.accession,
        patient=address.patient,
        door=DOOR,
        by=None,
    )
    log.info("case %s received %d from the inbox", received.case.pk, received.added)
    refused = {refusal.place: refusal.reason for refusal in received.refused}
    return [refused.get(place, "") for place in range(len(batch))]


def _receive_table(whole: Whole) -> str:
    address = whole.address
    received = receive_table(
        whole.data,
        check=address.check,
        accession=address.accession,
        patient=address.patient,
        door=DOOR,
        by=None,
    )
    good = len(received.received)
    log.info("a table of %d rows received from the inbox", good)
    for told in received.told:
        log.info("of that table: %s", told)
    if not received.refused:
        return ""
    return (
        f"{received.why}\nThe other {good} rows were taken. "
        "Correct these lines and put the table in again."
    )


def door_of(config: Settings, wake: Callable[[], None]) -> Taking | None:
    """The door that the configuration describes; None where no folder is set."""
    inbox = config.inbox
    if inbox.folder is None:
        return None
    return Taking(
        inbox=Inbox(root=inbox.folder.absolute()),
        pattern=accession_pattern(inbox.pattern),
        default_check=inbox.default_check,
        settling=Settling(settle_s=inbox.settle_s, patience_s=inbox.patience_s),
        most_bytes=config.server.upload_mb * 2**20,
        too_large="Put in a smaller one, or have the operator raise server.upload_mb.",
        afterwards=inbox.afterwards,
        receiver=IntoTheClinic(wake=wake),
        told=partial(keep_troubles, config.home),
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
    for changed in changes(door.inbox.root, stop):
        if not (changed or door.busy or time.monotonic() >= next_look):
            continue
        try:
            door.inbox.prepare(checks=[check.name for check in enabled_checks()])
            if first:
                door.take_over()
                first = False
            door.take_all()
            if time.monotonic() >= next_look:
                door.adopt()
                next_look = time.monotonic() + config.inbox.poll_s
            if away:
                door.told([])
            away = False
        except (OSError, DatabaseError) as error:
            # A share that went away comes back; the files in it wait.
            if not away:
                log.warning("the inbox cannot be looked at: %s", type(error).__name__)
                if isinstance(error, OSError):
                    door.told([sentence(Path(), error)])
            away = True
            stop.wait(config.inbox.poll_s)
        finally:
            close_old_connections()

"""What reads for a check, opened once a process: its pack here, or servers elsewhere."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

from firstread.clinic.checks.checks import forget_manifests
from firstread.clinic.models import Check
from firstread.connect.inference.addresses import Address, address_of
from firstread.connect.inference.failover import Failover, Place
from firstread.domain.errors import FirstreadError, PackRefused, UnknownPack
from firstread.packs import Manifest, find_pack, open_manifest, stamp, verify
from firstread.runtime import PackReader, open_reader

log = logging.getLogger(__name__)

TRY_AGAIN_S = 30.0
"""A refused pack is tried again after this time: the operator may have copied it anew."""

LOOKS_EVERY_S = 1.0
"""How often the disk is asked at most whether a pack was replaced."""

CheckReader = PackReader | Failover
"""What reads for a check: its pack here, or the servers that the settings name."""
_Stamp = tuple[Path, int, int, int]


@dataclass(kw_only=True, eq=False)
class _Slot:
    """One pack's place, here or over its servers: closed, refused, or open."""

    opening: threading.Lock = field(default_factory=threading.Lock)
    reader: CheckReader | None = None
    stamp: _Stamp | None = None
    """What `reader` was opened from, or what was refused."""
    looked_at_s: float = float("-inf")
    refused: FirstreadError | None = None
    refused_at_s: float = 0.0


_slots: dict[tuple[str, tuple[str, ...]], _Slot] = {}
_making_slots = threading.Lock()


def reader_of(check: Check) -> CheckReader:
    """What reads for the check, open; raises PackRefused or UnknownPack.

    A pack that was replaced on its shelf is opened anew; until the new one is whole the one that
    is open reads on.
    """
    reader = _reader(check.pack, servers=_servers(check))
    if reader.manifest.kind != check.kind:
        raise PackRefused(
            f"The pack '{check.pack}' reads {reader.manifest.kind}, and the check "
            f"'{check.name}' takes {check.kind}. Choose another pack for the check."
        )
    return reader


def trouble(check: Check) -> str | None:
    """Why the check's pack cannot be opened at the moment, or None; asks no other server."""
    try:
        reader_of(check)
    except FirstreadError as error:
        return str(error)
    return None


def look_at_servers(check: Check) -> list[tuple[str, str]]:
    """Each server that reads for the check, with what is wrong with it; asks those not in use.

    Empty where the check is read here. Raises PackRefused or UnknownPack.
    """
    reader = reader_of(check)
    return reader.look() if isinstance(reader, Failover) else []


def servers_of(check: Check) -> tuple[str, ...]:
    """The servers that the settings name for the check, host and port; none: it is read here."""
    return tuple(address_of(each).host for each in _servers(check))


def _servers(check: Check) -> tuple[str, ...]:
    said = settings.FIRSTREAD.checks.get(check.name)
    return said.reader if said else ()


def _reader(pack: str, *, servers: tuple[str, ...]) -> CheckReader:
    slot = _slot(pack, servers)
    reader = slot.reader
    if reader is not None and not _is_replaced(slot, pack):
        return reader
    # Where a pack is open already, whoever comes while another opens its successor reads on.
    if not slot.opening.acquire(blocking=reader is None) and reader is not None:
        return reader
    try:
        return _open(slot, pack, servers=servers)
    finally:
        slot.opening.release()


def _slot(pack: str, servers: tuple[str, ...]) -> _Slot:
    with _making_slots:
        return _slots.setdefault((pack, servers), _Slot())


def _is_replaced(slot: _Slot, pack: str) -> bool:
    now_s = time.monotonic()
    if now_s - slot.looked_at_s < LOOKS_EVERY_S:
        return False
    slot.looked_at_s = now_s
    try:
        return _stamp(find_pack(pack)) != slot.stamp
    except UnknownPack:
        return False  # it is gone from the shelf; what is open reads on


def _open(slot: _Slot, pack: str, *, servers: tuple[str, ...]) -> CheckReader:
    folder = find_pack(pack)
    now = _stamp(folder)
    if slot.reader is not None and now == slot.stamp:
        return slot.reader  # while this one waited another opened it
    if slot.refused is not None and time.monotonic() - slot.refused_at_s < TRY_AGAIN_S:
        if slot.reader is not None:
            return slot.reader
        if now == slot.stamp:
            raise slot.refused
    try:
        reader = _on_servers(servers, pack, folder) if servers else _open_here(folder)
    except PackRefused as error:
        slot.refused, slot.refused_at_s = error, time.monotonic()
        if slot.reader is None:
            slot.stamp = now
            raise
        log.warning(
            "a pack on the shelf is not read with, and the one before it reads on: %s", error
        )
        return slot.reader
    slot.reader, slot.stamp, slot.refused = reader, now, None
    return reader


def _open_here(folder: Path) -> PackReader:
    return open_reader(folder, threads=settings.FIRSTREAD.reading.threads)


def _on_servers(servers: tuple[str, ...], pack: str, folder: Path) -> Failover:
    reading = settings.FIRSTREAD.reading
    verify(folder)  # a damaged pack is this machine's trouble, not that of the servers
    return Failover(
        manifest=open_manifest(folder),
        places=[_place(address_of(server), folder) for server in servers],
        timeout_s=reading.timeout_s,
        patience_s=reading.patience_s,
        here=(lambda: _local(pack)) if reading.fallback == "here" else None,
    )


def _place(address: Address, folder: Path) -> Place:
    from firstread.connect.inference.open_inference import (
        OpenInference,  # most clinics need no HTTP client
    )

    reading = settings.FIRSTREAD.reading

    def network(manifest: Manifest) -> OpenInference:
        return OpenInference(
            address, manifest=manifest, timeout_s=reading.timeout_s, token=reading.token
        )

    return Place(name=address.host, open=lambda: open_reader(folder, network=network))


def _local(pack: str) -> PackReader:
    reader = _reader(pack, servers=())
    assert isinstance(reader, PackReader)  # noqa: S101 - without servers it is read here
    return reader


def _stamp(folder: Path) -> _Stamp:
    return (folder, *stamp(folder))


def forget() -> None:
    """Open every pack anew when it is next asked for."""
    with _making_slots:
        _slots.clear()
        forget_manifests()

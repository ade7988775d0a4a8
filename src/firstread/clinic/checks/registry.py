"""Checks and what reads for them: set up from the shelves, each pack opened once a process."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

from firstread.clinic.models import Check
from firstread.connect.addresses import Address, address_of
from firstread.connect.failover import Failover, Place
from firstread.domain.errors import (
    BadConfiguration,
    FirstreadError,
    PackRefused,
    UnknownCheck,
    UnknownPack,
)
from firstread.packs import Manifest, find_pack, list_packs, open_manifest, verify
from firstread.runtime import PackReader, open_reader

log = logging.getLogger(__name__)

READERS = {"leukaemia": 2}
"""How many specialists a new check asks for; one where nothing is said."""
TRY_AGAIN_S = 30.0
"""A refused pack is tried again after this time: the operator may have copied it anew."""

LOOKS_EVERY_S = 1.0
"""How often the disk is asked at most whether a pack was replaced."""

Opened = PackReader | Failover
"""What reads for a check: its pack here, or the servers that the settings name."""
_Stamp = tuple[Path, int, int, int]


@dataclass(kw_only=True, eq=False)
class _Slot:
    """One pack's place, here or over its servers: closed, refused, or open."""

    opening: threading.Lock = field(default_factory=threading.Lock)
    reader: Opened | None = None
    stamp: _Stamp | None = None
    """What `reader` was opened from, or what was refused."""
    looked_at_s: float = float("-inf")
    refused: FirstreadError | None = None
    refused_at_s: float = 0.0


_manifests: dict[str, tuple[Path, float, Manifest]] = {}
_slots: dict[tuple[str, tuple[str, ...]], _Slot] = {}
_making_slots = threading.Lock()


def checks(*, enabled_only: bool = True) -> list[Check]:
    """The checks by title."""
    rows = Check.objects.all()
    return list(rows.filter(enabled=True) if enabled_only else rows)


def check_named(name: str) -> Check:
    """The enabled check of that name; raises UnknownCheck, which lists those that there are."""
    found = Check.objects.filter(name=name, enabled=True).first()
    if found is None:
        here = ", ".join(check.name for check in checks()) or "none"
        raise UnknownCheck(f"There is no check '{name[:64]}'. Checks here: {here}.")
    return found


def manifest_of(check: Check) -> Manifest:
    """The manifest of the check's champion; raises PackRefused or UnknownPack."""
    return manifest_named(check.pack)


def manifest_named(pack: str) -> Manifest:
    """The manifest of a pack, read again when its file changes."""
    kept = _manifests.get(pack)
    if kept is not None and _changed_at(kept[0]) == kept[1]:
        return kept[2]
    folder = find_pack(pack)
    manifest = open_manifest(folder)
    _manifests[pack] = (folder, _changed_at(folder), manifest)
    return manifest


def reader_of(check: Check) -> Opened:
    """What reads for the check, open; raises PackRefused or UnknownPack.

    A pack that was replaced on its shelf is opened anew; until the new one is whole the one that
    is open reads on.
    """
    reader = _opened(check.pack, servers=_servers(check))
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


def _opened(pack: str, *, servers: tuple[str, ...]) -> Opened:
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


def _open(slot: _Slot, pack: str, *, servers: tuple[str, ...]) -> Opened:
    folder = find_pack(pack)
    stamp = _stamp(folder)
    if slot.reader is not None and stamp == slot.stamp:
        return slot.reader  # while this one waited another opened it
    if slot.refused is not None and time.monotonic() - slot.refused_at_s < TRY_AGAIN_S:
        if slot.reader is not None:
            return slot.reader
        if stamp == slot.stamp:
            raise slot.refused
    try:
        reader = _over(servers, pack, folder) if servers else _here(folder)
    except PackRefused as error:
        slot.refused, slot.refused_at_s = error, time.monotonic()
        if slot.reader is None:
            slot.stamp = stamp
            raise
        log.warning(
            "a pack on the shelf is not read with, and the one before it reads on: %s", error
        )
        return slot.reader
    slot.reader, slot.stamp, slot.refused = reader, stamp, None
    return reader


def _here(folder: Path) -> PackReader:
    return open_reader(folder, threads=settings.FIRSTREAD.reading.threads)


def _over(servers: tuple[str, ...], pack: str, folder: Path) -> Failover:
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
    from firstread.connect.open_inference import OpenInference  # most clinics need no HTTP client

    reading = settings.FIRSTREAD.reading

    def network(manifest: Manifest) -> OpenInference:
        return OpenInference(
            address, manifest=manifest, timeout_s=reading.timeout_s, token=reading.token
        )

    return Place(name=address.host, open=lambda: open_reader(folder, network=network))


def _local(pack: str) -> PackReader:
    reader = _opened(pack, servers=())
    assert isinstance(reader, PackReader)  # noqa: S101 - without servers it is read here
    return reader


def _stamp(folder: Path) -> _Stamp:
    """What changes when a pack is replaced: its checksums change with any of its files."""
    try:
        seen = (folder / "SHA256SUMS").stat()
    except OSError:
        return (folder, 0, 0, 0)
    return (folder, seen.st_mtime_ns, seen.st_ino, seen.st_size)


def ensure_checks() -> list[Check]:
    """Set up a check for each pack that has none yet; what people changed stays."""
    made = []
    for folder in list_packs():
        try:
            manifest = open_manifest(folder)
        except PackRefused as error:
            log.warning("a pack is left out: %s", error)
            continue
        said = settings.FIRSTREAD.checks.get(manifest.check)
        if said and said.pack and said.pack not in (folder.name, manifest.name):
            continue
        check, created = Check.objects.get_or_create(
            name=manifest.check,
            defaults={
                "title": manifest.check.replace("-", " ").capitalize(),
                "pack": folder.name,
                "kind": manifest.kind,
                "many": manifest.pack.many,
                "readers": (said and said.readers) or READERS.get(manifest.check, 1),
                "tells_requester": bool(said and said.tells_requester),
            },
        )
        if created:
            made.append(check)
    return made


def refuse_unknown_checks() -> None:
    """Raises BadConfiguration where the settings name a check that is not set up."""
    known = {check.name for check in checks(enabled_only=False)}
    config = settings.FIRSTREAD
    named = {f"checks.{name}": name for name in config.checks}
    if config.inbox.default_check:
        named["inbox.default_check"] = config.inbox.default_check
    for key, name in named.items():
        if name not in known:
            here = ", ".join(sorted(known)) or "none"
            raise BadConfiguration(
                f"The setting '{key}' names a check that no pack reads. Checks here: {here}. "
                "Correct it, or put the pack on a shelf (FIRSTREAD_PACKS)."
            )


def forget() -> None:
    """Open every pack anew when it is next asked for."""
    with _making_slots:
        _slots.clear()
        _manifests.clear()


def _changed_at(folder: Path) -> float:
    try:
        return (folder / "pack.toml").stat().st_mtime
    except OSError:
        return -1.0

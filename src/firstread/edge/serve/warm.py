"""Packs that are opened when first asked for, kept under a memory cap, and unloaded when idle."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from firstread.domain.errors import BadConfiguration, PackRefused, UnknownPack
from firstread.edge.serve.memory import give_back, resident_mb
from firstread.packs import (
    Manifest,
    Precision,
    find_pack,
    in_precision,
    list_packs,
    open_manifest,
    pack_sha256,
)
from firstread.packs.motifs import reads_for_a_check
from firstread.runtime import PackReader, open_reader

LOOK_AGAIN_S = 1.0
"""How often at most the disk is asked whether a pack was replaced or mended."""

_Stamp = tuple[tuple[str, int, int, int], ...]


@dataclass(kw_only=True, eq=False)
class _Slot:
    """One pack's place: closed, or open with its reader."""

    folder: Path
    opening: threading.Lock = field(default_factory=threading.Lock)
    reader: PackReader | None = None
    manifest: Manifest | None = None
    refusal: PackRefused | None = None
    stamp: _Stamp | None = None
    looked_at_s: float = float("-inf")
    changed: bool = False
    """Whether the last look found other files than those that `reader` was opened from."""
    used_at_s: float = 0.0
    takes_mb: float = 0.0


def _tell_nobody(_event: str, **_fields: object) -> None:
    """Where no log is kept."""


class WarmPacks:
    """The packs that this process reads with, by name. Threads may share it.

    Who holds a reader reads on with it to the end, also when its pack is unloaded meanwhile.

    What a pack takes is measured: the growth of this process's resident memory while the pack is
    opened and reads its golden samples, and at least the size of its files. Reads beside it may
    blur the figure by a few MB. `memory_cap_mb` holds for the sum; the pack that is asked for is
    opened even where it alone takes more.
    """

    def __init__(
        self,
        folders: Mapping[str, Path],
        *,
        memory_cap_mb: float = 1024.0,
        idle_s: float = 600.0,
        precision: Precision = "float",
        clock: Callable[[], float] = time.monotonic,
        tell: Callable[..., None] = _tell_nobody,
    ) -> None:
        self._slots = {name: _Slot(folder=folder) for name, folder in folders.items()}
        self._memory_cap_mb = memory_cap_mb
        self._idle_s = idle_s
        self._precision = precision
        self._clock = clock
        self._tell = tell
        self._expected: frozenset[str] = frozenset()
        self._keeping = threading.Lock()
        self._measuring = threading.Lock()
        self.opened = 0
        """How many times a pack was opened; an unload or a replaced pack makes it grow."""

    def expect(self, names: Iterable[str]) -> None:
        """These will be opened now: until then `unready` says so."""
        self._expected = frozenset(names)

    def unready(self) -> str | None:
        """Why no samples should be sent here yet, or None."""
        refused = self.refusals()
        if refused and len(refused) == len(self._slots):
            return next(iter(refused.values()))
        if any(self._slots[name].stamp is None for name in self._expected):
            return "The packs of this reader are still being opened. Ask again in a second."
        return None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._slots)

    def reader(self, name: str) -> PackReader:
        """The open reader of the pack; opens it where it is closed or was replaced on disk.

        Raises UnknownPack, and PackRefused where the pack is damaged. Where a replacement is
        damaged, or still being copied, the pack that is open reads on.
        """
        slot = self._slot(name)
        slot.used_at_s = self._clock()
        reader = slot.reader
        if reader is not None and not self._is_changed(slot):
            return reader
        return self._opened(slot)

    def manifest(self, name: str) -> Manifest:
        """What the pack says of itself; does not open its network."""
        slot = self._slot(name)
        reader, manifest = slot.reader, slot.manifest
        if reader is not None:
            return reader.manifest
        if manifest is None or self._is_changed(slot):
            manifest = slot.manifest = in_precision(open_manifest(slot.folder), self._precision)
        return manifest

    def pack_sha256(self, name: str) -> str:
        """The hash of what `reader` reads with; does not open the pack's network."""
        slot = self._slot(name)
        reader = slot.reader
        return pack_sha256(slot.folder) if reader is None else reader.pack_sha256

    def is_warm(self, name: str) -> bool:
        """Whether `reader` answers at once."""
        slot = self._slot(name)
        return slot.reader is not None and not self._is_changed(slot)

    def warm(self) -> dict[str, float]:
        """What each open pack takes, in MB."""
        return {name: slot.takes_mb for name, slot in self._slots.items() if slot.reader}

    def refusals(self) -> dict[str, str]:
        """Packs that could not be opened when last tried, each with the sentence."""
        return {name: str(slot.refusal) for name, slot in self._slots.items() if slot.refusal}

    def unload_idle(self) -> float | None:
        """Unload what nobody asked for since `idle_s`; seconds until the next may be, or None."""
        now = self._clock()
        gone = False
        with self._keeping:
            for slot in self._open_slots():
                if now - slot.used_at_s >= self._idle_s:
                    self._close(slot, why="idle")
                    gone = True
            left = [self._idle_s - (now - slot.used_at_s) for slot in self._open_slots()]
        if gone:
            give_back()
        return max(min(left), 0.0) if left else None

    def _slot(self, name: str) -> _Slot:
        slot = self._slots.get(name)
        if slot is None:
            here = ", ".join(self._slots) or "none"
            raise UnknownPack(
                f"This reader has no pack '{name[:80]}'. Packs here: {here}. Ask for one of them, "
                "or start the reader with that pack."
            )
        return slot

    def _open_slots(self) -> list[_Slot]:
        return [slot for slot in self._slots.values() if slot.reader is not None]

    def _is_changed(self, slot: _Slot) -> bool:
        """Whether the pack's files are others than those that were opened; looks now and then."""
        now = self._clock()
        if now - slot.looked_at_s >= LOOK_AGAIN_S:
            slot.looked_at_s = now
            slot.changed = _stamp(slot.folder) != slot.stamp
        return slot.changed

    def _opened(self, slot: _Slot) -> PackReader:
        old = slot.reader
        # Somebody opens the replacement already: read with the whole one that is here.
        if not slot.opening.acquire(blocking=old is None) and old is not None:
            return old
        try:
            if slot.reader is not None and _stamp(slot.folder) == slot.stamp:
                return slot.reader  # while this one waited another opened it
            if slot.refusal is not None and not self._is_changed(slot):
                raise PackRefused(str(slot.refusal))
            return self._open(slot)
        finally:
            slot.opening.release()

    def _open(self, slot: _Slot) -> PackReader:
        stamp, slot.looked_at_s, slot.changed = _stamp(slot.folder), self._clock(), False
        began_s = time.perf_counter()
        try:
            reader, takes_mb = self._measured(slot.folder)
        except PackRefused as error:
            slot.refusal, slot.stamp = error, stamp
            self._tell("pack_refused", folder=slot.folder.name, reason=str(error))
            if slot.reader is not None:
                return slot.reader
            raise
        slot.reader, slot.manifest, slot.refusal = reader, reader.manifest, None
        slot.stamp, slot.takes_mb, slot.used_at_s = stamp, takes_mb, self._clock()
        self.opened += 1
        self._tell(
            "pack_opened",
            pack=reader.manifest.name,
            version=reader.manifest.version,
            takes_mb=round(takes_mb, 1),
            ms=round((time.perf_counter() - began_s) * 1000, 1),
        )
        self._make_room(keep=slot)
        return reader

    def _measured(self, folder: Path) -> tuple[PackReader, float]:
        with self._measuring:  # one at a time, or each would be charged for the other's memory
            before_mb = resident_mb()
            reader = open_reader(folder, precision=self._precision)
            give_back()
            grown_mb = resident_mb() - before_mb
        files_mb = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) / 2**20
        return reader, max(grown_mb, files_mb)

    def _close(self, slot: _Slot, *, why: str) -> None:
        """Let go of the reader; who reads with it still holds it."""
        slot.reader = None
        self._tell("pack_unloaded", folder=slot.folder.name, why=why)

    def _make_room(self, *, keep: _Slot) -> None:
        gone = False
        with self._keeping:
            others = sorted(self._open_slots(), key=lambda slot: slot.used_at_s)
            taken_mb = sum(slot.takes_mb for slot in others)
            for slot in others:
                if taken_mb <= self._memory_cap_mb:
                    break
                if slot is not keep:
                    self._close(slot, why="memory")
                    gone = True
                    taken_mb -= slot.takes_mb
        if gone:
            give_back()


def folders_of(packs: Iterable[str | Path]) -> dict[str, Path]:
    """The folder of each named pack, by the name in its pack.toml; all on the shelves without one.

    Raises UnknownPack, PackRefused where a pack.toml cannot be read, and BadConfiguration where
    two packs have one name.
    """
    named = [find_pack(pack) for pack in packs]
    found: dict[str, Path] = {}
    for folder in named or list_packs():
        try:
            manifest = open_manifest(folder)
        except PackRefused:
            if named:
                raise
            continue  # one damaged pack on a shelf keeps nobody from reading with the others
        if not named and not reads_for_a_check(manifest):
            continue
        name = manifest.name
        if name in found and found[name] != folder:
            if not named:
                continue
            raise BadConfiguration(
                f"Two of the packs are called '{name}'. Name one of them: "
                f"'{found[name].name}' or '{folder.name}'."
            )
        found[name] = folder
    if not found:
        raise UnknownPack(
            "There is no pack to read with. Name one with --pack, or set FIRSTREAD_PACKS."
        )
    return found


def _stamp(folder: Path) -> _Stamp:
    """What changes when any file of the pack is replaced, or is the last to arrive of a copy."""
    stamp = []
    with suppress(OSError):  # it is being replaced this moment; the next look finds it so
        for path in sorted(folder.rglob("*")):
            seen = path.stat()
            stamp.append((str(path), seen.st_mtime_ns, seen.st_ino, seen.st_size))
    return tuple(stamp)

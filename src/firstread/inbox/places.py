"""The places inside an inbox, and the moves between them; each move is one rename."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from firstread.files.left_over import folder_passed_over
from firstread.inbox.names import plain
from firstread.recordings.together import beginning_of

TAKING = ".taking"
DONE = ".done"
REFUSED = "refused"
"""Not hidden: whoever put the file in must see that it came back, and why."""
LONGEST_NAME_BYTES = 255


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A file that this process has claimed; `inside` is where it lay in the inbox."""

    claim: Path
    inside: Path

    @property
    def path(self) -> Path:
        return self.claim / self.inside

    def beginning(self) -> bytes:
        """What the file begins with, where it can be read."""
        try:
            return beginning_of(self.path)
        except OSError:
            return b""


@dataclass(frozen=True, kw_only=True)
class Inbox:
    """The watched folder."""

    root: Path

    def prepare(self, *, checks: Iterable[str] = ()) -> None:
        """Make the places, and a folder for each check, so that nobody has to spell one."""
        for name in (TAKING, DONE, REFUSED, *checks):
            (self.root / name).mkdir(parents=True, exist_ok=True)

    def waiting(self, closed: Callable[[OSError], None] | None = None) -> Iterator[Path]:
        """Every entry that is no folder, relative to the inbox; links are not followed.

        `closed` is told of each folder that cannot be listed. What a system keeps is left out.
        """
        for folder, folders, names in os.walk(self.root, onerror=closed):
            inside = Path(folder).relative_to(self.root)
            top = inside == Path()
            linked = [name for name in folders if (Path(folder) / name).is_symlink()]
            folders[:] = [
                name
                for name in sorted(folders)
                if not folder_passed_over(name)
                and name not in linked
                and not (top and name == REFUSED)
            ]
            for name in sorted([*names, *linked]):
                yield inside / name

    def folders(self, closed: Callable[[OSError], None]) -> Iterator[Path]:
        """Each folder that is looked into, relative to the inbox, itself first."""
        for folder, folders, _ in os.walk(self.root, onerror=closed):
            inside = Path(folder).relative_to(self.root)
            top = inside == Path()
            folders[:] = [
                name
                for name in sorted(folders)
                if not folder_passed_over(name) and not (top and name == REFUSED)
            ]
            yield inside

    def probe(self, inside: Path) -> None:
        """Raises OSError where no file can be taken from a folder: one is made and renamed."""
        name = f".{uuid.uuid4().hex}.part"
        made, taken = self.root / inside / name, self.root / TAKING / name
        made.touch(exist_ok=False)
        try:
            made.rename(taken)
        except OSError:
            made.unlink()
            raise
        taken.unlink()

    def take(self, inside: Path) -> Taken | None:
        """Claim the file; None where another process was faster, or it has gone."""
        taken = Taken(claim=self.root / TAKING / uuid.uuid4().hex, inside=inside)
        taken.path.parent.mkdir(parents=True)
        try:
            (self.root / inside).rename(taken.path)
        except FileNotFoundError:
            self._forget(taken)
            return None
        except OSError:
            self._forget(taken)
            raise
        return taken

    def put_back(self, taken: Taken) -> None:
        """Undo a claim that came too early, unless a new file took the name meanwhile."""
        target = self.root / taken.inside
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            taken.path.rename(target)
            self._forget(taken)

    def left_over(self) -> Iterator[Taken]:
        """What claims of processes that died still hold; each is claimed anew by its rename."""
        for claim in sorted((self.root / TAKING).iterdir()):
            renewed = claim.with_name(uuid.uuid4().hex)
            try:
                claim.rename(renewed)
            except FileNotFoundError:
                continue
            yield from self.inside(renewed)

    def inside(self, claim: Path) -> Iterator[Taken]:
        """What a claim holds; one that holds nothing is forgotten."""
        held = [Path(folder) / name for folder, _, names in os.walk(claim) for name in names]
        for path in held:
            yield Taken(claim=claim, inside=path.relative_to(claim))
        if not held:
            shutil.rmtree(claim, ignore_errors=True)

    def claims(self) -> set[str]:
        return {claim.name for claim in (self.root / TAKING).iterdir()}

    def done(self, taken: Taken, *, afterwards: str) -> Path | None:
        """Put away what was received, or delete it, as the operator set; where it lies now."""
        moved = None
        try:
            if afterwards == "delete":
                taken.path.unlink()
            else:
                today = datetime.now(tz=UTC).date().isoformat()
                moved = _move(taken.path, self.root / DONE / today / taken.inside)
        except FileNotFoundError:
            pass  # another process took over this claim and has put it away
        self._forget(taken)
        return moved

    def refuse(self, taken: Taken, *, why: str) -> Path | None:
        """Put the file where its sender sees it, beside a note that says why; where it lies."""
        try:
            moved = _move(taken.path, self.root / REFUSED / taken.inside)
        except FileNotFoundError:
            moved = None
        if moved is not None:
            note = _note_of(moved)
            note.write_text(f"{plain(taken.inside.name)}\n{why}\n", encoding="utf-8")
        self._forget(taken)
        return moved

    def bring_back(self, place: Path, inside: Path) -> bool:
        """Put a file that was written on since back to where it lay; False: that name is taken."""
        target = self.root / inside
        if os.path.lexists(target):
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        place.rename(target)
        _note_of(place).unlink(missing_ok=True)
        return True

    def _forget(self, taken: Taken) -> None:
        shutil.rmtree(taken.claim, ignore_errors=True)


def _move(path: Path, target: Path) -> Path:
    """Rename, never onto another file: what came in twice is kept twice."""
    target.parent.mkdir(parents=True, exist_ok=True)
    free, number = target, 1
    while os.path.lexists(free):
        number += 1
        stem, dot, ending = target.name.rpartition(".")
        more = f"-{number}{dot}{ending}" if stem else f"-{number}"
        free = target.with_name(_short(stem or target.name, more=more))
    path.rename(free)
    return free


def _note_of(place: Path) -> Path:
    return place.with_name(_short(place.name, more=".why.txt"))


def _short(name: str, *, more: str) -> str:
    room = LONGEST_NAME_BYTES - len(os.fsencode(more))
    return os.fsdecode(os.fsencode(name)[:room]) + more

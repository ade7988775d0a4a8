"""Why files cannot be taken from a folder of an inbox, in sentences that name the folder."""

from __future__ import annotations

import errno
import json
import logging
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path

from firstread.files.whole import whole
from firstread.inbox.names import plain
from firstread.inbox.places import Inbox
from firstread.inbox.settle import Ripe, Settling, Signature

LOOK_AGAIN_S = 30.0
"""How soon a file is tried again that could not be moved."""

_KEPT = "inbox-troubles.json"

log = logging.getLogger(__name__)

_REASONS = {
    errno.EXDEV: "lies on another file system than the inbox. Watch it by itself, or copy its "
    "files into the inbox",
    errno.EROFS: "is read-only. Mount it so that Firstread may write: files are taken by renaming",
    errno.EACCES: "is closed to Firstread. Let its group list it and write there",
    errno.EPERM: "may not be changed. Let Firstread write there: files are taken by renaming",
}


def sentence(inside: Path, error: OSError) -> str:
    """Why nothing can be taken from the folder `inside`, and what to do."""
    where = "The inbox itself" if inside == Path() else f"The folder '{plain(str(inside))}'"
    shown = error.strerror or type(error).__name__
    reason = _REASONS.get(error.errno or 0, f"gives no files ({shown}). Check its drive and rights")
    return f"{where} {reason}."


def folder_troubles(inbox: Inbox) -> list[str]:
    """Look into each folder and try whether a file could be taken; a sentence for each that fails.

    Makes and takes away a hidden file in each of them.
    """
    found: list[str] = []

    def closed(error: OSError) -> None:
        found.append(sentence(Path(str(error.filename)).relative_to(inbox.root), error))

    for inside in inbox.folders(closed):
        try:
            inbox.probe(inside)
        except OSError as error:
            found.append(sentence(inside, error))
    return found


def keep_troubles(home: Path, says: Sequence[str]) -> None:
    """Keep what keeps files in the inbox in the home folder, for the pages of this machine."""
    with suppress(OSError), whole(home / _KEPT, private=True) as file:
        file.write(json.dumps(list(says)).encode())


def kept_troubles(home: Path) -> tuple[str, ...]:
    """What `keep_troubles` kept last; none where it kept none."""
    try:
        found = json.loads((home / _KEPT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ()
    return tuple(each for each in found if isinstance(each, str)) if isinstance(found, list) else ()


def tell_nobody(says: Sequence[str]) -> None:
    """The log alone tells of troubles."""


class Troubles:
    """What keeps files in an inbox, told once when it begins and once when it is over.

    A folder's name is told and never a file's, which may hold a patient's number.
    """

    def __init__(
        self, inbox: Inbox, settling: Settling, told: Callable[[Sequence[str]], None]
    ) -> None:
        self._inbox = inbox
        self._told = told
        self._unfinished = Settling(settle_s=settling.settle_s, patience_s=settling.patience_s)
        self._stuck: dict[Path, tuple[float, str]] = {}
        self._closed: dict[Path, str] = {}
        self._last: tuple[str, ...] = ()
        self._lying: set[Path] = set()

    def closed(self, error: OSError) -> None:
        """A folder cannot be listed; raises the error where it is the inbox itself."""
        folder = Path(str(error.filename)).relative_to(self._inbox.root)
        if folder == Path():
            raise error
        self._closed[folder] = sentence(folder, error)

    def stuck(self, inside: Path, error: OSError) -> None:
        """A file cannot be taken."""
        self._stuck[inside] = (time.monotonic(), sentence(inside.parent, error))

    def is_stuck(self, inside: Path) -> bool:
        """Whether it was tried a moment ago."""
        since = self._stuck.get(inside)
        return since is not None and time.monotonic() - since[0] < LOOK_AGAIN_S

    def free(self, inside: Path) -> None:
        """The file could be taken."""
        self._stuck.pop(inside, None)

    def unfinished(self, inside: Path) -> None:
        """A file whose name says that it is still being copied; lay it for long, that is told."""
        try:
            signature = Signature.of(self._inbox.root / inside)
        except OSError:
            return
        self._lying.add(inside)
        if self._unfinished.look(inside, signature, table=False) is Ripe.OVERDUE:
            folder = inside.parent
            where = "the inbox" if folder == Path() else f"the folder '{plain(str(folder))}'"
            self._closed[folder / "*"] = (
                f"Files in {where} whose names say that they are still being copied (such as "
                ".part) have not changed for long. Copy them anew, or rename them."
            )

    def end_of_look(self, present: Collection[Path]) -> None:
        """Every file was looked at: tell what is new, and what is over."""
        self._unfinished.keep_only(self._lying)
        self._stuck = {path: why for path, why in self._stuck.items() if path in present}
        says = tuple(sorted({*self._closed.values(), *(why for _, why in self._stuck.values())}))
        for each in says:
            if each not in self._last:
                log.warning("files wait in the inbox: %s", each)
        for each in self._last:
            if each not in says:
                log.info("this is over: %s", each)
        if says != self._last:
            self._told(says)
        self._last, self._closed, self._lying = says, {}, set()

"""Reading one sample in a process of its own: for a sample that may have stopped its reader.

What stops that process is the sample, and nothing else: the pack has just given its golden answers
there, and the one who asked is still alive to see it.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from firstread.domain.errors import FirstreadError, PackRefused, ShortOfMemory, StopsReaders
from firstread.runtime import Outcome

if TYPE_CHECKING:  # the process imports this before Django is set up
    from firstread.clinic.models import Check

AGAIN_IN_S = 30.0
"""When a sample is tried again that was short of memory."""
_Told = tuple[type[FirstreadError], str, dict[str, Any]]
"""An error as another process can make it anew: its kind, its words, what else it says."""


def read_apart(check: Check, data: bytes) -> Outcome:
    """What the check's reader says of the sample.

    Raises what a reader raises, StopsReaders where the sample stopped it, and ShortOfMemory where
    the system killed it, which it does when memory runs out.
    """
    # A new process, not a copy of this one, whose threads a copy would not have.
    processes = multiprocessing.get_context("spawn")
    ours, theirs = processes.Pipe()
    given = {"name": check.name, "pack": check.pack, "kind": check.kind}
    process = processes.Process(target=_read, args=(theirs, given), daemon=True)
    process.start()
    theirs.close()
    try:
        return _answer(ours, data)
    except (EOFError, ConnectionError):
        process.join()
        raise _ended(process.exitcode) from None
    finally:
        ours.close()
        process.kill()
        process.join()


def _answer(ours: Connection, data: bytes) -> Outcome:
    try:
        _heard(ours)
    except EOFError:
        raise PackRefused(
            "The process that should read the sample ended before it had opened the pack. Tell the "
            "operator; 'firstread doctor' looks at the pack."
        ) from None
    ours.send_bytes(data)
    outcome = _heard(ours)
    assert isinstance(outcome, Outcome)  # noqa: S101 - only `_read` writes there
    return outcome


def _heard(ours: Connection) -> object:
    said = ours.recv()
    if isinstance(said, tuple):
        kind, words, more = said
        error = kind.__new__(kind, words)
        vars(error).update(more)
        raise error
    return said


def _ended(code: int | None) -> FirstreadError:
    if code == -signal.SIGKILL:
        return ShortOfMemory(
            "The system killed the process that read the sample, as it does when memory runs out. "
            "Give the machine more memory, or stop what else runs there.",
            again_in_s=AGAIN_IN_S,
        )
    how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
    return StopsReaders(f"Reading it stopped the reader ({how}).")


def _read(theirs: Connection, given: dict[str, Any]) -> None:
    """What the process does: open the pack, say so, read the sample, say what came of it."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # whoever asked decides when it ends
    sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115  what a library says may name a patient
    import django

    django.setup()
    from firstread.clinic.checks import readers
    from firstread.clinic.models import Check

    try:
        reader = readers.reader_of(Check(**given))
        theirs.send("open")
        theirs.send(reader.read(theirs.recv_bytes()))
    except FirstreadError as error:
        theirs.send((type(error), str(error), vars(error)))
    except MemoryError:
        theirs.send((ShortOfMemory, "This machine is short of memory.", {"again_in_s": AGAIN_IN_S}))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)

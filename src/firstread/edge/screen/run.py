"""One screening from start to end: archive, journal, engine, table, and what there is to say."""

from __future__ import annotations

import importlib.util
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Literal, Protocol

from firstread.domain.errors import BadArchive, FirstreadError, MissingExtra, ResultsTaken
from firstread.edge.screen.journal import HEADER, Journal, open_journal
from firstread.edge.screen.local import LocalEngine
from firstread.edge.screen.sample import Archive
from firstread.edge.screen.sources import open_archive
from firstread.edge.screen.summary import Summary, summary_of
from firstread.edge.screen.table import AT_ONCE, told_by, write_table
from firstread.packs import Manifest, Precision, find_pack, in_precision, open_manifest, verify
from firstread.runtime import open_reader

_LOOK_EVERY_S = 0.25
_FLUSH_EVERY_S = 5.0


@dataclass(frozen=True, kw_only=True)
class Screening:
    """What a person asked for."""

    source: str
    pack: str
    out: Path
    threads: int | None
    """None: one a core, here or in the whole cluster."""
    precision: Precision = "float"
    engine: Literal["local", "ray"] = "local"
    ray_address: str | None = None
    restart: bool = False


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far it is."""

    answered: int
    unreadable: int
    resumed_from: int
    """How many an earlier start had answered."""
    total: int | None
    """None until the archive is counted."""


Watch = Callable[[Progress], None]


class Engine(Protocol):
    """What reads all that the journal lacks."""

    @property
    def threads(self) -> int: ...

    def start(self, pool: ThreadPoolExecutor) -> list[Future[None]]:
        """Start its threads in the pool, which has room for `threads` of them."""
        ...

    def end(self) -> None:
        """Let each thread finish the sample in its hands, and take no other."""
        ...


def screen(asked: Screening, *, watch: Watch) -> Summary:
    """Read each sample of the archive once and write the table; `watch` is told how far it is.

    Interrupted or killed, the next call with the same archive, pack and table goes on where this
    one stopped. Raises BadArchive, ResultsTaken, UnknownPack, PackRefused and Unreachable, each
    with the sentence for the person.
    """
    pack = find_pack(asked.pack)
    with closing(open_archive(asked.source, results=asked.out)) as archive:
        header = {
            "source": archive.name,
            "pack_sha256": verify(pack),
            "precision": asked.precision,
        }
        place = asked.out.with_name(asked.out.name + ".journal")
        if asked.out.exists():
            done = _done(asked.out, header=header, restart=asked.restart)
            if done is not None and not place.exists():
                return done
        with open_journal(place, header=header, restart=asked.restart) as journal:
            engine = _engine(asked, archive=archive, pack=pack, journal=journal)
            try:
                _run(engine, journal, archive, watch)
            finally:
                nothing = not journal.holds_rows()
                if nothing:  # there is nothing that the next start could go on with
                    journal.discard()
            if nothing:
                raise BadArchive(f"There are no samples in '{asked.source}'. Name where they lie.")
            manifest = in_precision(open_manifest(pack), asked.precision)
            return _finished(asked.out, journal=journal, header=header, manifest=manifest)


def _finished(
    out: Path, *, journal: Journal, header: dict[str, str], manifest: Manifest
) -> Summary:
    """The table is written, and then the journal is not needed any more."""
    summary = summary_of(journal, kind=manifest.kind)
    told = {"pack": manifest.name, "version": manifest.version, **header, **summary.told()}
    write_table(out, journal.rows(at_once=AT_ONCE), codes=manifest.codes, told=told)
    # What could not be fetched is tried again by the next start, which needs the rest.
    if not summary.unfetched:
        journal.discard()
    return summary


def _done(out: Path, *, header: dict[str, str], restart: bool) -> Summary | None:
    """What the finished table says of itself, unless it is to be made anew."""
    told = told_by(out)
    if told is None:
        raise ResultsTaken(
            f"{out.name} is there already, and no table of firstread screen. Name another --out."
        )
    if restart:
        return None
    for key, what in HEADER.items():
        if told.get(key) != header[key]:
            raise ResultsTaken(
                f"{out.name} holds the results of another {what}. Name another --out, or replace "
                "it with --restart."
            )
    return Summary.of_finished(told)


def _engine(asked: Screening, *, archive: Archive, pack: Path, journal: Journal) -> Engine:
    if asked.engine == "ray":
        if importlib.util.find_spec("ray") is None:
            raise MissingExtra(command="screen --engine ray", extra="ray")
        from firstread.edge.screen.ray_engine import RayEngine

        return RayEngine(
            source=asked.source,
            results=asked.out,
            archive=archive,
            pack=pack,
            journal=journal,
            readers=asked.threads,
            address=asked.ray_address,
            precision=asked.precision,
        )
    threads = asked.threads or len(os.sched_getaffinity(0))
    reader = open_reader(pack, precision=asked.precision)
    return LocalEngine(archive, reader=reader, journal=journal, threads=threads)


def _run(engine: Engine, journal: Journal, archive: Archive, watch: Watch) -> None:
    with (
        _counting(archive) as count,
        ThreadPoolExecutor(max_workers=engine.threads, thread_name_prefix="screen") as pool,
    ):
        running = engine.start(pool)
        try:
            flushed = time.monotonic()
            while wait(running, timeout=_LOOK_EVERY_S, return_when=FIRST_EXCEPTION).not_done:
                watch(_progress(journal, total=count.total))
                if time.monotonic() - flushed > _FLUSH_EVERY_S:
                    journal.flush()
                    flushed = time.monotonic()
                if any(each.done() and each.exception() for each in running):
                    break
        finally:
            engine.end()
    for each in running:
        each.result()
    watch(_progress(journal, total=journal.answered))


def _progress(journal: Journal, *, total: int | None) -> Progress:
    return Progress(
        answered=journal.answered,
        unreadable=journal.unreadable,
        resumed_from=journal.resumed_from,
        total=total,
    )


class _Count:
    """How many samples the archive lists, once that is known."""

    total: int | None = None


@contextmanager
def _counting(archive: Archive) -> Iterator[_Count]:
    """Counts beside the reading, so that a large archive is read from its first sample on."""
    count, ended = _Count(), Event()

    def run() -> None:
        # Why it cannot be listed to its end is said by the listing that is read.
        with suppress(FirstreadError):
            found = 0
            for _ in archive.listing():
                found += 1
                if ended.is_set():
                    return
            count.total = found

    counting = Thread(target=run, name="screen-count", daemon=True)
    counting.start()
    try:
        yield count
    finally:
        ended.set()
        counting.join(timeout=5)

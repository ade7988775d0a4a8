"""The Ray engine: the same journal here, and readers on every machine of a cluster.

Each reader opens the pack once and fetches for itself, so no sample travels through this process.
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from threading import Event
from typing import Any

# Ray tells its makers of each use unless it is told not to before it is imported.
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

import ray

from firstread.domain.errors import FirstreadError, Unreachable, UnreadableSample
from firstread.edge.screen.answered import Answered, not_read, reading
from firstread.edge.screen.journal import Journal
from firstread.edge.screen.patience import Patience
from firstread.edge.screen.sample import Archive, Listed
from firstread.edge.screen.sources import open_archive
from firstread.packs import Precision
from firstread.runtime import open_reader

BLOCK = 16
"""Samples that a reader is given at once; a killed run reads at most its blocks in hand again."""

_BLOCKS_IN_HAND = 2
"""For each reader: one that it reads, and one that waits."""

_LOOK_EVERY_S = 0.25
_RESTARTS = 3


class _Reader:
    """Lives in a process of the cluster."""

    def __init__(
        self, packs: list[Any], *, source: str, results: str, precision: Precision
    ) -> None:
        """`packs` holds where in the cluster's memory the pack's files are, by name."""
        pack: dict[str, bytes] = ray.get(packs[0])
        with tempfile.TemporaryDirectory(prefix="firstread-pack-") as folder:
            for name, data in pack.items():
                place = Path(folder) / name
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(data)
            self._answer = reading(open_reader(folder, precision=precision))
        self._archive = open_archive(source, results=Path(results))

    def read(self, block: list[Listed]) -> list[Answered]:
        return [self._read(listed) for listed in block]

    def _read(self, listed: Listed) -> Answered:
        if listed.error is not None:
            return not_read(listed, error=listed.error)
        try:
            data = self._archive.fetch(listed, room=lambda _: None)
        except UnreadableSample as error:
            return not_read(listed, error=str(error))
        except Unreachable as error:
            return not_read(listed, error=str(error), again=True)
        return self._answer(listed, data)


class RayEngine:
    """Gives blocks of samples to the cluster's readers and writes down what comes back."""

    threads = 1
    """Of this process; the readers are the cluster's."""

    def __init__(
        self,
        *,
        source: str,
        results: Path,
        archive: Archive,
        pack: Path,
        journal: Journal,
        readers: int | None,
        address: str | None,
        precision: Precision,
    ) -> None:
        self._source = source if "://" in source else str(Path(source).resolve())
        self._results = str(results.resolve())
        self._pack = pack
        self._journal = journal
        self._readers = readers
        self._address = address
        self._precision = precision
        self._to_do = journal.to_do(archive.listing(), repeats=archive.repeats)
        self._patience = Patience()
        self._ended = Event()
        self._stored: list[Any] = []

    def start(self, pool: ThreadPoolExecutor) -> list[Future[None]]:
        try:
            ray.init(
                address=self._address or "local",
                num_cpus=None if self._address else self._readers,
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
        except (ConnectionError, RuntimeError, ValueError, OSError) as error:
            raise Unreachable(
                f"The Ray cluster '{self._address or 'local'}' does not answer "
                f"({type(error).__name__}). Check --ray-address, and that it runs."
            ) from None
        return [pool.submit(self._run)]

    def end(self) -> None:
        self._ended.set()

    def _run(self) -> None:
        try:
            self._read_all()
        except ray.exceptions.RayTaskError as error:
            # Ray wraps what a reader raised; its own sentence is the one to say.
            if isinstance(error.cause, FirstreadError):
                raise error.cause from None
            raise
        except ray.exceptions.RayError as error:
            raise Unreachable(
                f"A reader of the Ray cluster was lost ({type(error).__name__}). Look after the "
                "cluster and run the same command again: it goes on where it stopped."
            ) from None
        finally:
            ray.shutdown()

    def _read_all(self) -> None:
        blocks = self._blocks()
        running: dict[Any, Any] = {}
        for reader in self._start_readers():
            for block in islice(blocks, _BLOCKS_IN_HAND):
                running[reader.read.remote(block)] = reader
        while running and not self._ended.is_set():
            done, _ = ray.wait(list(running), timeout=_LOOK_EVERY_S)
            for each in done:
                reader = running.pop(each)
                for row in ray.get(each):
                    self._patience.test(row)
                    self._journal.add(row)
                for block in islice(blocks, 1):
                    running[reader.read.remote(block)] = reader

    def _start_readers(self) -> list[Any]:
        files = [path for path in self._pack.rglob("*") if path.is_file()]
        pack = {path.relative_to(self._pack).as_posix(): path.read_bytes() for path in files}
        # Kept until the end, for a reader that dies is started again with it.
        self._stored = [ray.put(pack)]
        cores = ray.cluster_resources().get("CPU", 1)  # type: ignore[no-untyped-call]  # theirs
        readers = self._readers or max(1, int(cores))
        started = ray.remote(num_cpus=1, max_restarts=_RESTARTS, max_task_retries=_RESTARTS)(
            _Reader
        )
        return [
            started.remote(
                self._stored,
                source=self._source,
                results=self._results,
                precision=self._precision,
            )
            for _ in range(readers)
        ]

    def _blocks(self) -> Iterator[list[Listed]]:
        while block := list(islice(self._to_do, BLOCK)):
            yield block

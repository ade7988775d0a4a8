"""`firstread serve` as a real process on a free port, for every test that speaks with it."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_STARTS_WITHIN_S = 60.0


@dataclass(kw_only=True, eq=False)
class Serving:
    """A running reader; `url` is its address without a slash at the end."""

    url: str
    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)
    """What it has written to its log until now."""

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    def wait_until_ready(self) -> None:
        """Until the packs that were named at the start are open."""
        end = time.monotonic() + _STARTS_WITHIN_S
        while time.monotonic() < end:
            try:
                with urllib.request.urlopen(f"{self.url}/healthz/ready"):
                    return
            except urllib.error.HTTPError as error:
                error.close()
            time.sleep(0.02)
        raise AssertionError("the reader did not become ready")

    def stop(self, *, within_s: float = 60.0) -> int:
        """End it as an operator does, and give its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=within_s)


@contextmanager
def serving(
    *packs: str | Path,
    shelf: str | Path | None = None,
    options: Sequence[str] = (),
    env: dict[str, str] | None = None,
) -> Iterator[Serving]:
    """Start `firstread serve --pack ... --port 0`; afterwards it is stopped in any case."""
    words = [word for pack in packs for word in ("--pack", str(pack))]
    process = subprocess.Popen(
        [sys.executable, "-m", "firstread", "serve", *words, "--port", "0", *options],
        env=environment(shelf) | (env or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    lines: list[str] = []
    # Read while it runs: a full pipe would make it wait for us.
    reading = threading.Thread(target=_collect, args=(process, lines), daemon=True)
    reading.start()
    try:
        yield Serving(url=_address(process, lines), process=process, lines=lines)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        reading.join(timeout=10)
        for pipe in (process.stdout, process.stderr):
            assert pipe is not None
            pipe.close()


def environment(shelf: str | Path | None = None) -> dict[str, str]:
    """This process's environment without settings of Firstread, but for where packs are."""
    given = {name: value for name, value in os.environ.items() if not name.startswith("FIRSTREAD_")}
    if shelf is not None:
        given["FIRSTREAD_PACKS"] = str(shelf)
    return given


def _collect(process: subprocess.Popen[str], lines: list[str]) -> None:
    assert process.stderr is not None
    lines.extend(line.rstrip("\n") for line in process.stderr)


def _address(process: subprocess.Popen[str], lines: list[str]) -> str:
    assert process.stdout is not None
    end = time.monotonic() + _STARTS_WITHIN_S
    while time.monotonic() < end:
        ready, _, _ = select.select([process.stdout], [], [], 0.2)
        said = process.stdout.readline() if ready else ""
        if said.startswith("The reader is at "):
            return said.split()[4]
        if process.poll() is not None:
            break
    time.sleep(0.1)
    raise AssertionError(f"the reader did not start: {lines}")

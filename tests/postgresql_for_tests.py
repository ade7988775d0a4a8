"""A real PostgreSQL of the machine's own package, started on a free port for the tests."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Postgresql:
    """A server that runs, and how to reach it."""

    folder: Path
    programs: Path
    port: int

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def stop(self) -> None:
        """Stop it for good, and forget what it held."""
        if self.pid:
            self.shut("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def shut(self, mode: str) -> None:
        """Stop it in the mode `fast` or `immediate`; it can be started again."""
        _run(self.programs / "pg_ctl", "-D", str(self.folder / "data"), "-m", mode, "stop")

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        options = f"-c listen_addresses=127.0.0.1 -c port={self.port}"
        options += f" -c unix_socket_directories={self.folder}"
        data, log = str(self.folder / "data"), str(self.folder / "log")
        _run(self.programs / "pg_ctl", "-D", data, "-w", "-l", log, "-o", options, "start")

    @property
    def pid(self) -> int:
        """Of the process that all others of it come from; 0 where none runs."""
        try:
            return int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        except FileNotFoundError:
            return 0


def missing_postgresql() -> str | None:
    """Why no PostgreSQL can be started here, or None."""
    if _programs() is None:
        return "PostgreSQL is not installed (no pg_ctl beside pg_config or on the path)"
    if os.geteuid() == 0 and shutil.which("runuser") is None:
        return "PostgreSQL refuses to run as root, and there is no runuser"
    return None


def start_postgresql(*, within: Path | None = None) -> Postgresql:
    """A new, empty server, on the disk of `within` if given; the caller stops it."""
    programs = _programs()
    if programs is None:
        raise RuntimeError(missing_postgresql())
    folder = Path(tempfile.mkdtemp(prefix="firstread-pg-", dir=within))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    data = str(folder / "data")
    _run(
        programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"
    )
    server = Postgresql(folder=folder, programs=programs, port=_free_port())
    server.start()
    return server


def _programs() -> Path | None:
    for config in ("pg_config",):
        if found := shutil.which(config):
            said = subprocess.run([found, "--bindir"], capture_output=True, text=True, check=True)
            folder = Path(said.stdout.strip())
            if (folder / "pg_ctl").is_file():
                return folder
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "pg_ctl").is_file():
            return folder
    return None


def _run(program: Path, *words: str) -> None:
    command = [str(program), *words]
    if os.geteuid() == 0:
        command = ["runuser", "-u", "postgres", "--", *command]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

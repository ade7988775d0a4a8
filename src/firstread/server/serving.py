"""Pages, worker and folder door in one process."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

import uvicorn
from django.conf import settings

from firstread.clinic.checks import readers
from firstread.clinic.checks.checks import enabled_checks
from firstread.decoding.budget import BUDGET, PATIENCE_S
from firstread.domain.errors import BadConfiguration
from firstread.server.config import Config
from firstread.server.worker import Worker

GRACE_S = 5
WARM_UP = "warm-up"


def serve(
    listening: socket.socket,
    *,
    say: Callable[[str], None],
    beside: Callable[[], None] | None = None,
) -> None:
    """Serve until SIGTERM or Ctrl-C; `beside` runs once in a thread of its own."""
    config: Config = settings.FIRSTREAD
    BUDGET.patience_s = PATIENCE_S
    from firstread.server.asgi import application

    worker = Worker(reading_threads=config.server.workers, watches_folder=True)
    server = uvicorn.Server(
        uvicorn.Config(
            application,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            proxy_headers=True,
            forwarded_allow_ips=list(config.server.trusted_proxies),
            timeout_graceful_shutdown=GRACE_S,
        )
    )
    with _quiet_signals():
        worker.start()
        ends = threading.Event()
        try:
            warm_up(ends)
            if beside is not None:
                threading.Thread(target=beside, name="beside", daemon=True).start()
            say(f"Firstread is at {_address(config, listening)}")
            server.run(sockets=[listening])
        finally:
            ends.set()
            listening.close()
            _end(worker)


def work(say: Callable[[str], None], *, threads: int) -> None:
    """Read and deliver without pages, until SIGTERM or Ctrl-C."""
    worker = Worker(reading_threads=threads, watches_folder=False)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    worker.start()
    warm_up(stop)
    say(f"Reading with {threads} threads")
    stop.wait()
    _end(worker)


def _end(worker: Worker) -> None:
    """Stop the worker; where something is still under way after that, end the process as it is.

    A network that runs while Python takes itself down aborts the process.
    """
    if worker.stop() and not any(each.name == WARM_UP for each in threading.enumerate()):
        return
    logging.shutdown()
    sys.stdout.flush()
    os._exit(0)


def warm_up(ends: threading.Event) -> None:
    """Open every check's pack beside the first request, not in it, until `ends` is set."""
    threading.Thread(target=_open_packs, args=(ends,), name=WARM_UP, daemon=True).start()


def _open_packs(ends: threading.Event) -> None:
    from django.db import connections

    for check in enabled_checks():
        if ends.is_set():
            break
        if readers.trouble(check) is None:
            readers.look_at_servers(check)
    connections.close_all()


def listen() -> socket.socket:
    """Take the port, before anything else is done; raises BadConfiguration where it is taken."""
    config: Config = settings.FIRSTREAD
    host, port = config.server.host, config.server.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=512)
    except OSError as error:
        raise BadConfiguration(
            f"Firstread cannot listen on {host}, port {port}: {_said(error)}. "
            "Stop what runs there, choose another port (FIRSTREAD_PORT=8001), or set server.host "
            "to an address of this machine."
        ) from None


def _said(error: OSError) -> str:
    """What the system says of it, without the address that Python adds."""
    if isinstance(error, socket.gaierror):  # its numbers are not those of the system
        return error.strerror or "no such address"
    return os.strerror(error.errno or 0)


def _address(config: Config, listening: socket.socket) -> str:
    if config.server.base_url or config.server.port:
        return config.base_url
    return f"http://{config.server.host}:{listening.getsockname()[1]}"


class _quiet_signals:  # noqa: N801 - reads as what it does in the `with`
    """uvicorn raises the signal that ended it once more: here that must not kill the worker."""

    def __enter__(self) -> None:
        self._before = {n: signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT)}
        for number in self._before:
            signal.signal(number, _heard)

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            with suppress(TypeError):
                signal.signal(number, handler)


def _heard(_number: int, _frame: FrameType | None) -> None:
    """Only what uvicorn itself does with the signal counts."""

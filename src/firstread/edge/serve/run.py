"""The process of the HTTP reader: takes the port, serves, and ends when it has finished."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import ssl
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from firstread.decoding.budget import BUDGET, PATIENCE_S
from firstread.domain.errors import BadConfiguration, PackRefused
from firstread.edge.serve.logs import Log
from firstread.edge.serve.memory import share_arenas
from firstread.edge.serve.settings import ServeSettings, refuse_unguarded

if TYPE_CHECKING:
    from firstread.edge.serve.warm import WarmPacks

_BACKLOG = 512


def serve(settings: ServeSettings, *, say: Callable[[str], None]) -> int:
    """Serve until SIGTERM or Ctrl-C; the exit code.

    Raises BadConfiguration, UnknownPack or PackRefused where it cannot start.
    """
    refuse_unguarded(settings)
    share_arenas()
    BUDGET.patience_s = PATIENCE_S
    listening = listen(settings)
    try:
        tls = _tls(settings)
        from firstread.edge.serve.warm import WarmPacks, folders_of

        log = Log(form=settings.log)
        packs = WarmPacks(
            folders_of(settings.packs),
            memory_cap_mb=settings.memory_cap_mb,
            idle_s=settings.idle_s,
            precision=settings.precision,
            tell=log.event,
        )
        if settings.packs:
            packs.expect(packs.names)
            # While this thread loads the rest, a core is free for it. It is no daemon: a process
            # that ended while a network is being opened would abort.
            threading.Thread(target=_open_all, args=(packs,), name="open").start()
        return _run(_serve(settings, packs=packs, listening=listening, tls=tls, say=say, log=log))
    finally:
        listening.close()


def _open_all(packs: WarmPacks) -> None:
    for name in packs.names:
        with suppress(PackRefused):  # the log has said so, and each request to it is told
            packs.reader(name)


def listen(settings: ServeSettings) -> socket.socket:
    """Take the port before anything else is done; raises BadConfiguration where it is taken."""
    host, port = settings.host, settings.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        # A name's numbers are not those of the system, and Python adds the address to the others.
        named = isinstance(error, socket.gaierror)
        said = error.strerror if named else os.strerror(error.errno or 0)
        raise BadConfiguration(
            f"The reader cannot listen on {host}, port {port}: {said}. Stop what runs there, or "
            "choose another with --port or --host."
        ) from None


def _tls(settings: ServeSettings) -> ssl.SSLContext | None:
    if settings.tls_cert is None and settings.tls_key is None:
        return None
    if settings.tls_cert is None or settings.tls_key is None:
        raise BadConfiguration(
            "TLS needs the certificate and its key. Give both --tls-cert and --tls-key."
        )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.tls_cert, settings.tls_key, password=_no_password)
    except (OSError, ValueError):
        raise BadConfiguration(
            f"'{settings.tls_cert}' and '{settings.tls_key}' are no certificate and its key in PEM "
            "form, or cannot be read. Check both files; the key may have no password."
        ) from None
    return context


def _no_password() -> str:
    raise ValueError  # nobody is there to be asked


def _run(main: Coroutine[Any, Any, int]) -> int:
    try:
        import uvloop
    except ModuleNotFoundError:
        return asyncio.run(main)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)


async def _serve(
    settings: ServeSettings,
    *,
    packs: Any,
    listening: socket.socket,
    tls: ssl.SSLContext | None,
    say: Callable[[str], None],
    log: Log,
) -> int:
    from firstread.edge.serve.app import App
    from firstread.edge.serve.connection import bound
    from firstread.edge.serve.limits import Patience
    from firstread.edge.serve.protocols.gathered import routes

    loop = asyncio.get_running_loop()
    app = App(routes(settings, names=packs.names), packs=packs, settings=settings, log=log)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop_or_end, stop, number)
    server = await loop.create_server(bound(app, patience=Patience()), sock=listening, ssl=tls)
    if settings.packs:
        app.open_soon(packs.names)
    address = _address(settings, listening)
    say(f"The reader is at {address} with {', '.join(packs.names)}")
    gc.freeze()  # what is loaded now stays: looking through it again would hold up the reads
    log.event("listening", address=address, threads=settings.threads, packs=list(packs.names))
    await stop.wait()
    log.event("stopping")
    server.close()
    left = await _finished(app, within_s=settings.grace_s)
    app.close()
    if left:
        say(f"{left} requests were not finished within {settings.grace_s:g} s.")
        os._exit(1)  # their threads cannot be stopped otherwise
    return 0


async def _finished(app: Any, *, within_s: float) -> int:
    """Let every request that was taken be answered; how many were not in time."""
    loop = asyncio.get_running_loop()
    app.is_stopping = True
    end_s = loop.time() + within_s
    while app.connections and loop.time() < end_s:
        for connection in tuple(app.connections):
            connection.end()
        await asyncio.sleep(0.02)
    return len(app.connections)


def _stop_or_end(stop: asyncio.Event, number: int) -> None:
    if stop.is_set():
        os._exit(128 + number)  # asked twice: now
    stop.set()


def _address(settings: ServeSettings, listening: socket.socket) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    scheme = "https" if settings.tls_cert else "http"
    return f"{scheme}://{host}:{listening.getsockname()[1]}"

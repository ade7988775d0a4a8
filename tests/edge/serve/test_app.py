"""Patience, room and failure: what a client may keep the reader busy with, and for how long."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from firstread.edge.serve import app as app_module
from firstread.edge.serve.app import App
from firstread.edge.serve.connection import bound
from firstread.edge.serve.limits import Patience
from firstread.edge.serve.logs import Log
from firstread.edge.serve.protocols import native
from firstread.edge.serve.settings import ServeSettings
from firstread.edge.serve.warm import WarmPacks
from firstread.edge.serve.wire import Answer, Asked, Route
from tests.images_for_tests import cell_png

SHORT = Patience(head_s=0.2, body_s=0.2, idle_s=0.2, take_s=0.3)
HEAD = b"POST /read/colour HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n"
Plug = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def opened(
    shelf: Path, *, patience: Patience | None = None, routes: tuple[Route, ...] = (), **more: Any
) -> AsyncIterator[tuple[App, Callable[[], Awaitable[Plug]], list[bytes]]]:
    """A reader in this very process: its app, what connects to it, and its log."""
    lines: list[bytes] = []
    app = App(
        (*native.ROUTES, *routes),
        packs=WarmPacks({"colour": shelf / "colour"}),
        settings=ServeSettings(threads=1, **more),
        log=Log(form="json", write=lines.append),
    )
    factory = bound(app, patience=patience or Patience())
    server = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    plugs: list[Plug] = []

    async def connect() -> Plug:
        plugs.append(await asyncio.open_connection("127.0.0.1", port))
        return plugs[-1]

    yield app, connect, lines
    for _, out in plugs:
        out.close()
    server.close()
    app.close()


async def status(reader: asyncio.StreamReader) -> int:
    """The status of the next answer, its body read and forgotten."""
    head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)).decode()
    length = next(line.split(":")[1] for line in head.splitlines() if "content-length" in line)
    await reader.readexactly(int(length))
    return int(head.split()[1])


@pytest.mark.parametrize("said", [b"POST /rea", HEAD, HEAD + b"x" * 100])
def test_who_stops_in_the_middle_is_told_and_let_go(shelf: Path, said: bytes) -> None:
    async def walk() -> None:
        async with opened(shelf, patience=SHORT) as (app, connect, _):
            reader, out = await connect()
            out.write(said)
            assert await status(reader) == 408
            assert await reader.read() == b""
            assert app.held.bytes == 0

    asyncio.run(walk())


def test_who_sends_drop_by_drop_but_goes_on_is_waited_for(shelf: Path) -> None:
    async def walk() -> None:
        async with opened(shelf, patience=SHORT) as (_, connect, _):
            reader, out = await connect()
            data = cell_png(side_px=16)
            out.write(HEAD.replace(b"900000", str(len(data)).encode()))
            step = len(data) // 8 + 1
            for start in range(0, len(data), step):
                await asyncio.sleep(0.08)
                out.write(data[start : start + step])
            assert await status(reader) == 200

    asyncio.run(walk())


def test_an_idle_connection_is_closed_without_a_word(shelf: Path) -> None:
    async def walk() -> None:
        async with opened(shelf, patience=SHORT) as (app, connect, _):
            reader, out = await connect()
            out.write(b"GET /healthz HTTP/1.1\r\n\r\n")
            assert await status(reader) == 200
            assert await asyncio.wait_for(reader.read(), 30) == b""
            await asyncio.sleep(0)
            assert app.connections == set()

    asyncio.run(walk())


def test_who_takes_no_answers_is_cut_off(shelf: Path) -> None:
    async def walk() -> None:
        async with opened(shelf, patience=SHORT) as (app, connect, _):
            reader, out = await connect()
            reader._transport.pause_reading()  # type: ignore[attr-defined]
            for _ in range(2000):
                out.write(b"GET /openapi.json HTTP/1.1\r\n\r\n")
            for _ in range(200):
                await asyncio.sleep(0.05)
                if not app.connections:
                    break
            assert app.connections == set()

    asyncio.run(walk())


def test_bodies_beyond_the_room_for_all_are_told_to_come_again(shelf: Path) -> None:
    async def walk() -> None:
        async with opened(shelf, max_body_mb=1) as (app, connect, _):
            slow = [await connect() for _ in range(4)]
            for _, out in slow:
                out.write(HEAD + bytes(899_999))
            while app.held.bytes < 4 * 899_999:
                await asyncio.sleep(0.01)
            reader, out = await connect()
            out.write(HEAD + bytes(900_000))
            assert await status(reader) == 503
            for _, other in slow:
                other.close()
            while app.held.bytes:
                await asyncio.sleep(0.01)
            out.write(HEAD + bytes(900_000))
            assert await status(reader) == 422

    asyncio.run(walk())


def test_one_connection_too_many_is_told_so(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def walk() -> None:
        monkeypatch.setattr(app_module, "CONNECTIONS", 2)
        async with opened(shelf) as (app, connect, _):
            await connect()
            await connect()
            while len(app.connections) < 2:
                await asyncio.sleep(0.01)
            reader, _ = await connect()
            assert await status(reader) == 503
            assert await reader.read() == b""

    asyncio.run(walk())


@pytest.mark.parametrize("reads", [True, False])
def test_a_failure_of_ours_is_answered_and_its_words_are_kept_back(
    shelf: Path, reads: bool
) -> None:
    def broken(asked: Asked, packs: WarmPacks) -> Answer:
        raise RuntimeError("the inside of Mrs Example")

    route = Route(method="GET", path="/x", handler=broken, reads=reads, summary="", tag="x")

    async def walk() -> None:
        async with opened(shelf, routes=(route,)) as (app, connect, lines):
            reader, out = await connect()
            for _ in range(2):
                out.write(b"GET /x HTTP/1.1\r\n\r\n")
                assert await status(reader) == 500
            assert app.pool.taken == 0
        failures = [json.loads(line) for line in lines if b'"failure"' in line]
        assert len(failures) == 2
        assert failures[0]["kind"] == "RuntimeError"
        assert any(where.startswith("test_app.py:") for where in failures[0]["where"])
        assert b"Example" not in b"".join(lines)

    asyncio.run(walk())


def test_no_answer_grows_a_header_out_of_what_a_client_sent(shelf: Path) -> None:
    def echo(asked: Asked, packs: WarmPacks) -> Answer:
        return Answer(body=b"", headers={"X-Said": asked.query["said"]})

    route = Route(method="GET", path="/x", handler=echo, reads=False, summary="", tag="x")

    async def walk() -> None:
        async with opened(shelf, routes=(route,)) as (_, connect, _):
            reader, out = await connect()
            out.write(b"GET /x?said=a%0d%0aX-Evil:%201 HTTP/1.1\r\n\r\n")
            head = await reader.readuntil(b"\r\n\r\n")
            assert b"X-Said: aX-Evil: 1\r\n" in head
            assert b"\r\nX-Evil" not in head

    asyncio.run(walk())


def test_an_answer_in_another_form_is_kept_for_what_is_refused_before(shelf: Path) -> None:
    def refuse(status: int, sentence: str) -> Answer:
        return Answer(status=status, body=json.dumps({"error": sentence}).encode())

    route = Route(
        method="POST",
        path="/x",
        handler=lambda asked, packs: Answer(),
        reads=True,
        refuse=refuse,
        summary="",
        tag="x",
    )

    async def walk() -> None:
        async with opened(shelf, routes=(route,), token="t") as (_, connect, _):
            reader, out = await connect()
            out.write(b"POST /x HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 401")
            assert b"WWW-Authenticate: Bearer" in head
            assert b'{"error": ' in await reader.readuntil(b"}")

    asyncio.run(walk())


def test_the_date_follows_a_clock_that_is_set_back(
    shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def walk() -> None:
        async with opened(shelf) as (app, _, _):
            for now, said in ((86_400.0, b"02 Jan 1970 00:00"), (3600.0, b"01 Jan 1970 01:00")):
                monkeypatch.setattr(app_module.time, "time", lambda now=now: now)
                assert said in app.date_line()

    asyncio.run(walk())

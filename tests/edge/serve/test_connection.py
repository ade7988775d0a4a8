"""HTTP itself, spoken byte by byte as good, slow and hostile clients do."""

from __future__ import annotations

import contextlib
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.images_for_tests import cell_png
from tests.serving_for_tests import Serving, serving

MB = 2**20


@pytest.fixture(scope="module")
def reader(shelf: Path) -> Iterator[Serving]:
    with serving("colour", shelf=shelf, options=["--max-body-mb", "2"]) as running:
        yield running


@contextlib.contextmanager
def connected(reader: Serving) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", reader.port), timeout=30) as plug:
        yield plug


def until_closed(plug: socket.socket) -> bytes:
    said = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := plug.recv(65536):
            said += piece
    return said


def answers(plug: socket.socket, count: int) -> list[int]:
    """The statuses of the next answers on the connection."""
    said, found = b"", []
    while len(found) < count:
        piece = plug.recv(65536)
        assert piece, said
        said += piece
        found = [int(each) for each in re.findall(rb"HTTP/1\.1 (\d{3}) [A-Z][^\r]*\r\ndate", said)]
    return found


def request(body: bytes, *, path: str = "/read/colour", extra: str = "") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n{extra}\r\n"
    return head.encode() + body


def test_requests_sent_ahead_are_answered_in_their_order(reader: Serving) -> None:
    with connected(reader) as plug:
        good, bad = request(cell_png()), request(b"nothing")
        plug.sendall(good + bad + request(b"x", path="/none") + good)
        assert answers(plug, 4) == [200, 422, 404, 200]


def test_a_thousand_requests_sent_ahead_are_all_answered(reader: Serving) -> None:
    ask = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    with connected(reader) as plug:
        plug.sendall(ask * 1000)
        assert answers(plug, 1000) == [200] * 1000


def test_a_body_may_come_in_chunks_and_byte_by_byte(reader: Serving) -> None:
    data = cell_png(side_px=16)
    head = b"POST /read/colour HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    with connected(reader) as plug:
        plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in head:
            plug.sendall(bytes([byte]))
        for start in range(0, len(data), 100):
            piece = data[start : start + 100]
            plug.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        plug.sendall(b"0\r\n\r\n")
        assert answers(plug, 1) == [200]


def test_a_client_that_offers_another_protocol_is_read_for_in_this_one(reader: Serving) -> None:
    h2c = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
    offer = request(cell_png(), extra=h2c)
    with connected(reader) as plug:
        plug.sendall(offer * 3 + request(cell_png()) + request(b"nothing", extra=h2c))
        assert answers(plug, 5) == [200] * 4 + [422]
    with connected(reader) as plug:
        for place in range(0, len(offer), 50):
            plug.sendall(offer[place : place + 50])
            time.sleep(0.001)
        assert answers(plug, 1) == [200]
    with connected(reader) as plug:
        plug.sendall(
            b"GET /healthz HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n" * 2000
        )
        assert answers(plug, 2000) == [200] * 2000
    with connected(reader) as plug:
        plug.sendall(b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n" + request(cell_png()))
        assert until_closed(plug).count(b"HTTP/1.1 404") == 1


def test_a_body_too_large_is_refused_before_it_came_and_the_connection_goes_on(
    reader: Serving,
) -> None:
    with httpx.Client(base_url=reader.url, timeout=60) as client:
        large = client.post("/read/colour", content=bytes(3 * MB))
        assert large.status_code == 413
        assert "larger than 2 MB" in large.json()["detail"]
        assert client.post("/read/colour", content=cell_png()).status_code == 200


def test_a_body_in_chunks_is_refused_once_it_is_too_large(reader: Serving) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(200):
            yield bytes(MB)

    answer = httpx.post(f"{reader.url}/read/colour", content=endless(), timeout=60)
    assert answer.status_code == 413


def test_who_asks_before_sending_is_told_no_at_once(reader: Serving) -> None:
    head = "POST /read/colour HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\nExpect: 100-continue\r\n"
    with connected(reader) as plug:
        plug.sendall(f"{head.format(10**9)}\r\n".encode())
        assert until_closed(plug).startswith(b"HTTP/1.1 413")
    data = cell_png()
    with connected(reader) as plug:
        plug.sendall(f"{head.format(len(data))}\r\n".encode())
        assert plug.recv(100).startswith(b"HTTP/1.1 100 Continue")
        plug.sendall(data)
        assert answers(plug, 1) == [200]


@pytest.mark.parametrize(
    "said",
    [
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"POST /read/colour HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /read/colour HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /read/colour HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\nbad header\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused_and_the_connection_closed(reader: Serving, said: bytes) -> None:
    with connected(reader) as plug:
        plug.sendall(said)
        assert until_closed(plug).startswith(b"HTTP/1.1 400")


def test_endless_headers_are_refused(reader: Serving) -> None:
    with connected(reader) as plug:
        plug.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        with contextlib.suppress(ConnectionError):
            for _ in range(300):
                plug.sendall(b"A: " + b"a" * 1000 + b"\r\n")
        assert b"431" in until_closed(plug)[:20]


def test_the_address_may_be_named_whole(reader: Serving) -> None:
    with connected(reader) as plug:
        plug.sendall(request(cell_png(), path="http://x:1/read/colour?a=b"))
        plug.sendall(b"GET http://x HTTP/1.1\r\nHost: x\r\n\r\n")
        assert answers(plug, 2) == [200, 200]


def test_strange_addresses_and_queries_are_no_failure(reader: Serving) -> None:
    for target in (b"/%ff%fe", b"/read/%00", b"/read/colour?%ff=%zz&&=", b"//", b"/read//x", b"*"):
        with connected(reader) as plug:
            plug.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: x\r\n\r\n")
            assert answers(plug, 1)[0] in (400, 404, 405), target


def test_an_old_client_and_one_that_says_close_see_the_connection_closed(reader: Serving) -> None:
    for head in (
        b"GET /healthz HTTP/1.0\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n",
    ):
        with connected(reader) as plug:
            plug.sendall(head)
            said = until_closed(plug)
        assert said.startswith(b"HTTP/1.1 200")
        assert b"connection: close" in said


def test_slow_clients_keep_nobody_from_reading(reader: Serving) -> None:
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(connected(reader)) for _ in range(50)]
        for number, plug in enumerate(slow):
            # Half of them stop in their headers, half in their bodies.
            plug.sendall(request(cell_png())[: 40 if number % 2 else 300])
        for _ in range(5):
            assert httpx.post(f"{reader.url}/read/colour", content=cell_png()).status_code == 200
        slow[0].sendall(request(cell_png())[300:])
        assert answers(slow[0], 1) == [200]


def test_a_client_that_goes_in_the_middle_leaves_nothing_behind(reader: Serving) -> None:
    for cut in (10, 100, 400):
        with connected(reader) as plug:
            plug.sendall(request(cell_png())[:cut])
    end = time.monotonic() + 20
    while "firstread_held_bytes 0.0" not in httpx.get(f"{reader.url}/metrics").text:
        assert time.monotonic() < end
        time.sleep(0.05)

"""A server on loopback that answers as it is told, for clients that must bear with any server."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Reply = Callable[[socket.socket], None]


@dataclass(kw_only=True, eq=False)
class Answering:
    """What came to the server, request by request."""

    url: str
    asked: list[bytes] = field(default_factory=list)


def says(
    status: str, body: bytes = b"", *, headers: dict[str, str] | None = None, cut: int = 0
) -> Reply:
    """An answer with that status and body, of which the last `cut` bytes are never sent."""
    given = {"Content-Type": "application/json", "Content-Length": str(len(body))} | (headers or {})
    head = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    whole = f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body

    def reply(connection: socket.socket) -> None:
        connection.sendall(whole[: len(whole) - cut])
        if cut:
            raise ConnectionAbortedError

    return reply


def hangs_up(connection: socket.socket) -> None:
    """The connection breaks before an answer."""
    raise ConnectionAbortedError


@contextmanager
def answering(*replies: Reply) -> Iterator[Answering]:
    """Give the replies in turn, the last one for ever; connections stay open between requests."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Answering(url=f"http://127.0.0.1:{listener.getsockname()[1]}")
        left = list(replies)
        lock = threading.Lock()
        open_ones: list[socket.socket] = []

        def serve(connection: socket.socket) -> None:
            with connection:
                try:
                    while request := _request(connection):
                        with lock:
                            server.asked.append(request)
                            reply = left.pop(0) if len(left) > 1 else left[0]
                        reply(connection)
                except OSError:
                    pass

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                open_ones.append(connection)
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(timeout=10)
            for connection in open_ones:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


def _request(connection: socket.socket) -> bytes:
    """One request, whole; empty where the client has gone."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return b""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    length = next(
        (int(each.split(b":")[1]) for each in lines if each[:15] == b"content-length:"), 0
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body

"""One connection of a client: bytes become requests, and answers become bytes, by httptools."""

from __future__ import annotations

import asyncio
import http
import time
from collections import deque
from typing import TYPE_CHECKING, Any, cast

import httptools

from firstread.edge.serve.limits import DRAINED_BYTES, HEAD_BYTES, PIPELINED, Patience
from firstread.edge.serve.problems import problem
from firstread.edge.serve.request import Request
from firstread.edge.serve.wire import Answer

if TYPE_CHECKING:
    from firstread.edge.serve.app import App
    from firstread.edge.serve.pool import Job

_STATUS_LINES = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode()
    for status in http.HTTPStatus
}
_LINGER_S = 2.0


class Connection(asyncio.Protocol):
    """Reads requests one after the other, and answers them in their order.

    Only the parser is a library's: uvicorn and granian were looked at, and have no limit on slow
    headers and bodies, and no word to the application about a client that left but by a task more
    for each request; the tenth decision tells what was measured.
    """

    def __init__(self, app: App, *, patience: Patience) -> None:
        self._app = app
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport = cast("asyncio.Transport", None)
        self._arriving: Request | None = None
        self._headed = False
        self._head_bytes = 0
        self._line: deque[Request] = deque()
        self._active: Request | None = None
        self._job: Job | None = None
        self._ending = False
        self._closed = False
        self._stuck = False
        self._deadline_s = 0.0
        self._timer: asyncio.TimerHandle | None = None

    # What the transport says

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        if not self._app.welcome(self):
            self._refuse(
                503, "This reader has as many connections as it can serve. Try again later."
            )
            return
        self._expect(self._patience.head_s)
        self._watch()

    def data_received(self, data: bytes) -> None:
        if self._ending:
            return
        before = self._arriving
        if before is None:
            self._expect(self._patience.head_s)
        try:
            rest = data
            while rest:
                rest = self._parsed(rest)
        except httptools.HttpParserError:
            self._refuse(
                400, "This is not HTTP/1.1 that this reader understands. Check the client."
            )
            return
        # A head that began in these bytes has other requests, or a body, before it.
        if self._arriving is not None and self._arriving is before and not self._headed:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self._refuse(431, "The headers of this request are too large. Send fewer.")

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio's signature
        self._ending = True
        if self._timer is not None:
            self._timer.cancel()
        if self._job is not None:
            self._job.drop()
        self._closed = True
        self._forget_all()
        self._app.farewell(self)

    def pause_writing(self) -> None:
        self._stuck = True
        self._expect(self._patience.take_s)

    def resume_writing(self) -> None:
        self._stuck = False
        self._expect(self._patience.idle_s)
        self._next()

    # What the parser says

    def on_message_begin(self) -> None:
        self._arriving = Request(at_s=time.perf_counter())
        self._headed = False
        self._head_bytes = 0

    def on_url(self, url: bytes) -> None:
        cast("Request", self._arriving).target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        headers = cast("Request", self._arriving).headers
        key, said = name.decode("latin-1").lower(), value.decode("latin-1").strip()
        headers[key] = f"{headers[key]}, {said}" if key in headers else said

    def on_headers_complete(self) -> None:
        request = cast("Request", self._arriving)
        self._headed = True
        request.method = self._parser.get_method().decode("latin-1")
        if self._is_offer(request):
            return
        # What follows a CONNECT is no request.
        request.keep_alive = request.method != "CONNECT" and self._parser.should_keep_alive()
        request.expects = request.headers.get("expect", "").lower() == "100-continue"
        self._app.judge(request)
        self._expect(self._patience.body_s)
        if request.early is not None and request.expects:
            request.keep_alive = False  # its body may follow or not: nobody can tell
        elif request.expects and self._is_next():
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._answer_early(request)

    def on_body(self, body: bytes) -> None:
        request = cast("Request", self._arriving)
        self._deadline_s = self._loop.time() + self._patience.body_s
        request.size += len(body)
        if request.early is None:
            self._app.keep(request, body)
            self._answer_early(request)
        elif request.size > DRAINED_BYTES:
            self._transport.abort()

    def on_message_complete(self) -> None:
        request = cast("Request", self._arriving)
        if self._is_offer(request):
            return
        self._arriving = None
        if request.answered or self._closed:
            self._app.forget(request)
            return
        self._line.append(request)
        if len(self._line) > PIPELINED:
            self._transport.pause_reading()
        self._next()

    # What the app says

    def reply(self, answer: Answer) -> None:
        """The answer to the request that is being worked on."""
        request, self._active, self._job = self._active, None, None
        if request is None or self._transport.is_closing():
            return
        self._write(request, answer)
        self._next()

    def end(self) -> None:
        """The process stops: finish what has been taken, take no more."""
        self._ending = True
        if self._active is None and not self._line:
            self._transport.close()

    # What follows

    def _parsed(self, data: bytes) -> bytes:
        """Let the parser have the bytes; those that it must have once more, after an offer.

        Java's HTTP client and `curl --http2` offer another protocol with their first request, its
        body behind it. The offer is declined by not taking it up (RFC 9110, 7.8); but httptools
        leaves the body out then, so it gets the same request without the offer.
        """
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as offered:
            request = self._arriving
            if request is None:
                return b""  # CONNECT, refused and closed
            head = [f"{request.method} ".encode(), request.target]
            head.append(f" HTTP/{self._parser.get_http_version()}\r\n".encode())
            del request.headers["upgrade"]
            head += [
                f"{key}: {said}\r\n".encode("latin-1") for key, said in request.headers.items()
            ]
            self._parser = httptools.HttpRequestParser(self)
            return b"".join((*head, b"\r\n", data[offered.args[0] :]))
        return b""

    def _is_offer(self, request: Request) -> bool:
        """Whether the parser stops behind the head of this request for another protocol."""
        return request.method != "CONNECT" and bool(self._parser.should_upgrade())

    def _next(self) -> None:
        while self._line and self._active is None and not self._stuck and not self._closed:
            if len(self._line) == PIPELINED:
                self._transport.resume_reading()
            request = self._line.popleft()
            begun = request.early or self._app.ask(request, self.reply)
            if isinstance(begun, Answer):
                self._app.note(request, begun)
                self._write(request, begun)
            else:
                self._active, self._job = request, begun
                # Nothing is expected of the client while it waits for us.
                self._expect(float("inf"))

    def _is_next(self) -> bool:
        return self._active is None and not self._line and not self._stuck

    def _answer_early(self, request: Request) -> None:
        """Say at once what no body will change, and throw away what still comes of it."""
        if request.early is not None and self._is_next():
            request.answered = True
            self._app.note(request, request.early)
            self._write(request, request.early)

    def _write(self, request: Request, answer: Answer) -> None:
        last = self._ending or self._app.is_stopping
        closing = not request.keep_alive or (last and not self._line)
        lines = [
            _STATUS_LINES.get(answer.status) or f"HTTP/1.1 {answer.status} \r\n".encode(),
            self._app.date_line(),
            f"content-type: {answer.media_type}\r\ncontent-length: {len(answer.body)}\r\n".encode(),
            b"cache-control: no-store\r\nx-content-type-options: nosniff\r\n",
        ]
        for name, value in answer.headers.items():
            lines.append(f"{name}: {_one_line(value)}\r\n".encode("latin-1", errors="replace"))
        lines.append(b"connection: close\r\n\r\n" if closing else b"\r\n")
        if request.method != "HEAD":
            lines.append(answer.body)
        self._transport.write(b"".join(lines))
        if closing:
            self._linger()
        elif not self._line:
            self._expect(self._patience.idle_s)

    def _refuse(self, status: int, sentence: str) -> None:
        """Answer what is no request, and close."""
        request = Request(at_s=time.perf_counter())
        request.keep_alive = False
        answer = problem(status, sentence)
        self._app.note(request, answer)
        self._write(request, answer)

    def _linger(self) -> None:
        """Close, but not before the client could take the answer: closing at once would reset the
        connection where bytes of its request are still on their way."""
        self._ending = self._closed = True
        self._forget_all()
        if self._transport.can_write_eof():
            self._transport.write_eof()
            self._loop.call_later(_LINGER_S, self._transport.close)
        else:
            self._transport.close()

    def _forget_all(self) -> None:
        """What has arrived behind the last answer is not worked on."""
        for request in (*self._line, self._arriving):
            if request is not None:
                self._app.forget(request)
        self._line.clear()

    def _expect(self, within_s: float) -> None:
        self._deadline_s = self._loop.time() + within_s

    def _watch(self) -> None:
        """Look whether the client has kept us waiting too long; one timer a connection."""
        left_s = self._deadline_s - self._loop.time()
        if left_s > 0:
            self._timer = self._loop.call_later(min(left_s, self._patience.body_s), self._watch)
        elif self._stuck:
            self._transport.abort()
        elif self._arriving is not None:
            self._refuse(408, "This request did not arrive whole in time. Send it again.")
        else:
            self._transport.close()


def _one_line(value: str) -> str:
    """No answer may grow a header out of what a client sent."""
    return "".join(sign for sign in value if sign.isprintable())


def bound(app: App, *, patience: Patience) -> Any:
    """What makes the connection for each client."""
    return lambda: Connection(app, patience=patience)

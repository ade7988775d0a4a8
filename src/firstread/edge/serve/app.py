"""What happens to a request between its arrival and its answer."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from email.utils import formatdate
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qsl, unquote

from firstread.domain.errors import FirstreadError
from firstread.edge.serve import health, pages
from firstread.edge.serve.limits import CONNECTIONS, Held
from firstread.edge.serve.logs import Log
from firstread.edge.serve.metrics import Counts
from firstread.edge.serve.pool import Job, ReadPool
from firstread.edge.serve.problems import problem, problem_of
from firstread.edge.serve.routing import Table
from firstread.edge.serve.settings import ServeSettings
from firstread.edge.serve.wire import Answer, Asked, Route

if TYPE_CHECKING:
    from firstread.edge.serve.request import Request
    from firstread.edge.serve.warm import WarmPacks

Reply = Callable[[Answer], None]
_RETRY_AFTER_S = "1"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Connected(Protocol):
    """A connection, as far as the app must know it."""

    def end(self) -> None:
        """The process stops: finish what has been taken, take no more."""


class App:
    """The routes, the pool and the packs behind all connections."""

    def __init__(
        self,
        protocols: Iterable[Route],
        *,
        packs: WarmPacks,
        settings: ServeSettings,
        log: Log,
    ) -> None:
        self.packs = packs
        self.settings = settings
        self.log = log
        self.pool = ReadPool(threads=settings.threads, queue=settings.queue)
        # Four of the largest, or what as many small ones take.
        self.held = Held(most_bytes=4 * settings.max_body_bytes)
        self.counts = Counts(packs=packs, pool=self.pool, held=self.held)
        routes = (*protocols, *health.ROUTES, *self.counts.routes())
        own = pages.routes(
            routes,
            guarded=settings.token is not None,
            scheme="https" if settings.tls_cert else "http",
        )
        self.table = Table((*routes, *own))
        self.connections: set[Connected] = set()
        self.is_stopping = False
        self._opener = ThreadPoolExecutor(max_workers=1, thread_name_prefix="open")
        self._loop = asyncio.get_running_loop()
        self._token = None if settings.token is None else settings.token.encode()
        self._date = (0.0, b"")
        self._idle_timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[Answer]] = set()

    # Connections

    def welcome(self, connection: Connected) -> bool:
        """Take the connection in, unless there are too many."""
        if len(self.connections) >= CONNECTIONS:
            return False
        self.connections.add(connection)
        return True

    def farewell(self, connection: Connected) -> None:
        self.connections.discard(connection)

    # Before the body

    def judge(self, request: Request) -> None:
        """Find the route; set `early` where the request is refused whatever its body."""
        raw, _, query = request.target.decode("latin-1").partition("?")
        if "://" in raw[:8]:  # the whole address, as to a proxy: RFC 9112, 3.2.2
            raw = "/" + raw.partition("://")[2].partition("/")[2]
        request.path, request.query = unquote(raw), query
        found = self.table.find(request.method, request.path)
        if isinstance(found, Answer):
            request.early = found
            return
        request.route, request.parts = found.route, found.parts
        if not found.route.open and not self._may(request):
            request.early = refusal(
                found.route,
                401,
                "This reader wants its token: send 'Authorization: Bearer TOKEN'.",
                **{"WWW-Authenticate": "Bearer"},
            )
            return
        told = request.headers.get("content-length", "")
        if told.isdigit() and int(told) > self.settings.max_body_bytes:
            self._too_large(request)

    def keep(self, request: Request, piece: bytes) -> None:
        """Keep a piece of the body, or refuse the request and let go of what was kept."""
        if request.size > self.settings.max_body_bytes:
            self.forget(request)
            self._too_large(request)
        elif self.held.take(len(piece)):
            request.chunks.append(piece)
        else:
            self.forget(request)
            request.early = self._busy(request)

    def forget(self, request: Request) -> None:
        """The body is needed no more."""
        self.held.give(sum(map(len, request.chunks)))
        request.chunks = []

    # The answer

    def ask(self, request: Request, reply: Reply) -> Answer | Job | None:
        """An answer at once, or `reply` is called later; the job may be dropped meanwhile."""
        route, body = request.route, request.body()
        asked = Asked(
            method=request.method,
            path=request.path,
            parts=request.parts,
            query=dict(parse_qsl(request.query, keep_blank_values=True)),
            headers=request.headers,
            body=body,
        )
        if not route.reads:
            self._answer_aside(request, asked, reply)
            return None
        if self.pool.is_full or self.is_stopping:
            self.held.give(len(body))
            return self._busy(request)
        job = Job(asked_at_s=time.perf_counter())
        self.pool.taken += 1
        start = partial(self._start, job, request, asked, reply)
        cold = self._cold_pack(request)
        if cold is None:
            start()
        else:
            # Not in the pool: its threads go on reading with the packs that are open.
            self._on_loop_after(self._opener.submit(self.packs.reader, cold), start)
        return job

    def note(self, request: Request, answer: Answer, job: Job | None = None) -> None:
        """Count and log one answer."""
        now = time.perf_counter()
        route = request.route.path
        self.counts.request(method=_known(request.method), route=route, status=answer.status)
        waited_ms = read_ms = None
        if job is not None:
            waited_s, took_s = job.begun_at_s - job.asked_at_s, now - job.begun_at_s
            self.counts.read(
                pack=answer.pack, samples=answer.reads, waited_s=waited_s, took_s=took_s
            )
            waited_ms, read_ms = round(waited_s * 1000, 2), round(took_s * 1000, 2)
        self.log.event(
            "request",
            method=_known(request.method),
            route=route,
            status=answer.status,
            ms=round((now - request.at_s) * 1000, 2),
            waited_ms=waited_ms,
            read_ms=read_ms,
            bytes=request.size,
            pack=answer.pack,
            samples=answer.reads or None,
        )

    def date_line(self) -> bytes:
        """The Date header, made once a second."""
        now = time.time()
        if abs(now - self._date[0]) >= 1.0:  # a clock may be set back
            self._date = (now, f"date: {formatdate(now, usegmt=True)}\r\n".encode())
        return self._date[1]

    def close(self) -> None:
        """Let the threads end."""
        self.pool.close()
        self._opener.shutdown(wait=False, cancel_futures=True)
        if self._idle_timer is not None:
            self._idle_timer.cancel()

    def open_soon(self, names: Iterable[str]) -> None:
        """Open these packs beside the first requests."""
        for name in names:
            self._on_loop_after(self._opener.submit(self.packs.reader, name), self._watch_idle)

    def _start(self, job: Job, request: Request, asked: Asked, reply: Reply) -> None:
        finish = partial(self._finish, job, request, len(asked.body), reply)
        if job.dropped:
            self._let_go(len(asked.body))
            self.counts.dropped()
            return
        future = self.pool.submit(partial(_answered, request.route, asked, self.packs), job)
        self._on_loop_after(future, partial(finish, future))

    def _finish(
        self, job: Job, request: Request, size: int, reply: Reply, future: Future[Answer]
    ) -> None:
        self._let_go(size)
        if future.cancelled():
            self.counts.dropped()
            return
        answer = self._answer_of(future, request)
        self.note(request, answer, job)
        reply(answer)
        if self._idle_timer is None:
            self._watch_idle()

    def _let_go(self, size: int) -> None:
        self.pool.taken -= 1
        self.held.give(size)

    def _answer_aside(self, request: Request, asked: Asked, reply: Reply) -> None:
        """Answer a route that reads nothing, on the loop itself."""
        task = self._loop.create_task(_aside(request.route, asked, self.packs))
        self._tasks.add(task)

        def done(task: asyncio.Task[Answer]) -> None:
            self._tasks.discard(task)
            self.held.give(len(asked.body))
            if not task.cancelled():
                answer = self._answer_of(task, request)
                self.note(request, answer)
                reply(answer)

        task.add_done_callback(done)

    def _answer_of(self, done: Future[Answer] | asyncio.Task[Answer], request: Request) -> Answer:
        error = done.exception()
        if error is None:
            return done.result()
        self.log.failure(error, route=request.route.path)
        return refusal(request.route, 500, "This reader failed; its log says where.")

    def _on_loop_after(self, future: Future[Any], then: Callable[[], None]) -> None:
        def tell(_: Future[Any]) -> None:
            with suppress(RuntimeError):  # the loop has ended, and with it who waited
                self._loop.call_soon_threadsafe(then)

        future.add_done_callback(tell)

    def _cold_pack(self, request: Request) -> str | None:
        """The pack that the request needs opened first, as far as its address tells."""
        for value in request.parts.values():
            if value in self.packs.names:
                return None if self.packs.is_warm(value) else value
        return None

    def _watch_idle(self) -> None:
        self._idle_timer = self._loop.call_later(self.settings.idle_s, self._unload)

    def _unload(self) -> None:
        future = self._opener.submit(self.packs.unload_idle)

        def again() -> None:
            left_s = future.result()
            self._idle_timer = (
                None if left_s is None else self._loop.call_later(left_s + 0.01, self._unload)
            )

        self._on_loop_after(future, again)

    def _may(self, request: Request) -> bool:
        if self._token is None:
            return True
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        # The same time for every wrong token, so that none can be found sign by sign.
        right = hmac.compare_digest(given.strip().encode("latin-1"), self._token)
        return right and kind.lower() == "bearer"

    def _too_large(self, request: Request) -> None:
        request.early = refusal(
            request.route,
            413,
            f"The request is larger than {self.settings.max_body_mb} MB. Send a smaller picture, "
            "or fewer samples at a time.",
        )

    def _busy(self, request: Request) -> Answer:
        return refusal(
            request.route,
            503,
            "This reader has as many requests as it can hold. Send this one again in a second.",
            **{"Retry-After": _RETRY_AFTER_S},
        )


def refusal(route: Route, status: int, sentence: str, **headers: str) -> Answer:
    """The refusal in the form that the route's clients expect."""
    answer = (route.refuse or problem)(status, sentence)
    return Answer(
        status=answer.status,
        body=answer.body,
        media_type=answer.media_type,
        headers={**answer.headers, **headers},
    )


def _answered(route: Route, asked: Asked, packs: WarmPacks) -> Answer:
    try:
        return route.handler(asked, packs)
    except FirstreadError as error:
        return problem_of(error)


async def _aside(route: Route, asked: Asked, packs: WarmPacks) -> Answer:
    return _answered(route, asked, packs)


def _known(method: str) -> str:
    """The method, for counts that no client may make grow without end."""
    return method if method in _METHODS else "other"

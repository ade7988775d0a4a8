"""Requests to one server, each of which ends by its deadline, whatever the server does.

httpx and requests bound each single receive, not the whole: a server that sends a byte now and
then holds them for ever. So this speaks to httpcore, on which httpx stands, and gives it a network
whose reads and writes share one deadline.
"""

from __future__ import annotations

import ssl
import threading
import time
import weakref
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpcore

from firstread.domain.errors import Unreachable

_CONNECTIONS = 32
_IDLE_S = 30.0
_SLICE_BYTES = 16_384
"""So much is written at once: a peer that takes bytes one by one meets the deadline between."""


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What the server answered."""

    status: int
    headers: Mapping[str, str]
    """By name in small letters."""
    body: bytes


class Line:
    """Connections to one server, kept open between requests; threads may share it."""

    def __init__(self, base: str, *, host: str, token: str = "") -> None:
        self._base = base
        self._host = host
        self._headers = [("Accept", "application/json, application/octet-stream")]
        if token:
            self._headers.append(("Authorization", f"Bearer {token}"))
        self._network = _Network()
        self._pool = httpcore.ConnectionPool(
            # The system's own certificates, so that a hospital's own authority counts as well.
            ssl_context=ssl.create_default_context() if base.startswith("https:") else None,
            max_connections=_CONNECTIONS,
            max_keepalive_connections=_CONNECTIONS,
            keepalive_expiry=_IDLE_S,
            network_backend=self._network,
        )
        # Who drops the last reader over this line need not know that it has connections.
        weakref.finalize(self, self._pool.close)

    def ask(
        self,
        method: str,
        path: str,
        *,
        timeout_s: float,
        max_bytes: int | None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Answered:
        """The whole answer, within `timeout_s` from now.

        Where `max_bytes` is None status and headers are all of it, whatever follows or does not.
        The request must do no harm when it arrives twice: where a kept connection turns out to be
        closed it is sent once more. Raises Unreachable.
        """
        self._network.until(time.monotonic() + timeout_s)
        request = (method, f"{self._base}{path}", [*self._headers, *(headers or {}).items()], body)
        for last in (False, True):
            try:
                return self._once(*request, timeout_s=timeout_s, max_bytes=max_bytes)
            except httpcore.TimeoutException:
                raise self._silent(timeout_s) from None
            except httpcore.ConnectError as error:
                raise Unreachable(f"{self._host} {_why(error)}.") from None
            except (httpcore.NetworkError, httpcore.RemoteProtocolError):
                if last:
                    raise Unreachable(f"{self._host} broke the connection off.") from None
            except (httpcore.ProtocolError, UnicodeError):
                raise Unreachable(f"{self._host} does not speak HTTP.") from None
        raise AssertionError("unreachable")

    def _once(
        self,
        method: str,
        url: str,
        headers: list[tuple[str, str]],
        body: bytes,
        *,
        timeout_s: float,
        max_bytes: int | None,
    ) -> Answered:
        asked = self._pool.stream(
            method, url, headers=headers, content=body, extensions={"timeout": {"pool": timeout_s}}
        )
        with asked as response:
            whole = b"" if max_bytes is None else self._body(response, max_bytes=max_bytes)
            if max_bytes is None:
                _pass_over(response)
            found = {
                name.decode("latin-1").lower(): value.decode("latin-1")
                for name, value in response.headers
            }
        return Answered(status=response.status, headers=found, body=whole)

    def _body(self, response: httpcore.Response, *, max_bytes: int) -> bytes:
        whole = bytearray()
        for piece in response.iter_stream():
            whole += piece
            if len(whole) > max_bytes:
                raise Unreachable(f"{self._host} answers with more than it should.")
        return bytes(whole)

    def _silent(self, timeout_s: float) -> Unreachable:
        return Unreachable(f"{self._host} did not answer within {timeout_s:g} s.")


class _Network(httpcore.NetworkBackend):
    """The system's network; what one thread does over it ends by that thread's deadline."""

    def __init__(self) -> None:
        self._mine = threading.local()
        self._tcp = httpcore.SyncBackend()

    def until(self, deadline_s: float) -> None:
        """The deadline of this thread's next request, by the monotonic clock."""
        self._mine.deadline_s = deadline_s

    def left_s(self) -> float:
        left_s: float = self._mine.deadline_s - time.monotonic()
        if left_s <= 0:
            raise httpcore.ReadTimeout
        return left_s

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002  the deadline stands for it
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        stream = self._tcp.connect_tcp(
            host,
            port,
            timeout=self.left_s(),
            local_address=local_address,
            socket_options=socket_options,
        )
        return _Stream(stream, network=self)


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, *, network: _Network) -> None:
        self._stream = stream
        self._network = network

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002  httpcore's
        return self._stream.read(max_bytes, timeout=self._network.left_s())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002  httpcore's
        for at in range(0, len(buffer), _SLICE_BYTES):
            piece = buffer[at : at + _SLICE_BYTES]
            self._stream.write(piece, timeout=self._network.left_s())

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002  httpcore's
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(
            ssl_context, server_hostname, timeout=self._network.left_s()
        )
        return _Stream(stream, network=self._network)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    def close(self) -> None:
        self._stream.close()


def _pass_over(response: httpcore.Response) -> None:
    """Read the little that mostly follows, so that the connection can be used again."""
    passed = 0
    with suppress(httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
        for piece in response.iter_stream():
            passed += len(piece)
            if passed > _SLICE_BYTES:
                return


def _why(error: BaseException) -> str:
    cause = error.__cause__ or error.__context__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"shows a certificate that is not trusted here ({cause.verify_message})"
    if isinstance(cause, ssl.SSLError):
        return "does not speak TLS as it should"
    return "cannot be reached"

"""Servers of the Open Inference Protocol on real sockets: a good one, and many bad ones."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firstread.packs import open_manifest
from firstread.runtime.session import Session

Tensors = dict[str, NDArray[Any]]


@dataclass(kw_only=True, eq=False)
class InferenceServer:
    """Runs the network of `pack`; a test changes how it behaves while it runs."""

    pack: Path
    binary: bool = True
    token: str = ""
    model: str = ""
    version: str = "1"
    alters: Callable[[Tensors], Tensors] = field(default=lambda outputs: outputs)
    """What it does to the outputs before they are sent."""
    answers: Callable[[BaseHTTPRequestHandler], bool] = field(default=lambda _handler: False)
    """Answers an infer request in its own way, and says that it did."""
    asked: int = 0
    seen: list[str] = field(default_factory=list)
    """The path and headers of each request, for what must not be in them."""
    url: str = ""

    def __post_init__(self) -> None:
        self.manifest = open_manifest(self.pack)
        self.session = Session(self.pack / "model.onnx", kind=self.manifest.kind)

    @property
    def host(self) -> str:
        return self.url.partition("://")[2]


@contextmanager
def serving(
    server: InferenceServer, *, port: int = 0, tls: ssl.SSLContext | None = None
) -> Iterator[InferenceServer]:
    """The server on a port of its own until the block ends; then nothing answers there."""
    http = _Http(("127.0.0.1", port), _handler(server))
    server.url = f"http{'s' if tls else ''}://127.0.0.1:{http.server_address[1]}"
    if tls is not None:
        http.socket = tls.wrap_socket(http.socket, server_side=True)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        http.hang_up()
        thread.join()


def hangs(handler: BaseHTTPRequestHandler) -> bool:
    """Takes the request and never answers."""
    with suppress(OSError):
        handler.connection.recv(1)  # until the client gives up
    return True


def drips(handler: BaseHTTPRequestHandler) -> bool:
    """Sends a byte of its headers now and then, for ever."""
    with suppress(OSError):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            handler.wfile.write(b"X")
            time.sleep(0.02)
    return True


def drips_body(handler: BaseHTTPRequestHandler) -> bool:
    """The same with the answer's body."""
    with suppress(OSError):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while True:
            handler.wfile.write(b" ")
            time.sleep(0.02)
    return True


def breaks_off(handler: BaseHTTPRequestHandler) -> bool:
    handler.close_connection = True
    return True


def says(status: int, body: bytes, **headers: str) -> Callable[[BaseHTTPRequestHandler], bool]:
    """Answers everything with that."""

    def answer(handler: BaseHTTPRequestHandler) -> bool:
        _send(handler, status, body, headers)
        return True

    return answer


def says_raw(data: bytes) -> Callable[[BaseHTTPRequestHandler], bool]:
    """Puts bytes on the line that may be no HTTP at all, and hangs up."""

    def answer(handler: BaseHTTPRequestHandler) -> bool:
        handler.wfile.write(data)
        handler.close_connection = True
        return True

    return answer


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, *given: Any) -> None:
        self._open: set[Any] = set()
        super().__init__(*given)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """What is open is cut, as when the process is killed."""
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(2)

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # a client that hung up is what many tests are about


def _handler(server: InferenceServer) -> type[BaseHTTPRequestHandler]:
    name = server.model or server.manifest.name

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            server.seen.append(f"{self.path} {dict(self.headers)}")
            if not _let_in(self):
                return
            extensions = ["binary_tensor_data"] if server.binary else []
            said = {"name": "for-tests", "version": "1", "extensions": extensions}
            _send(self, 200 if self.path == "/v2" else 404, json.dumps(said).encode(), {})

        def do_POST(self) -> None:
            server.asked += 1
            server.seen.append(f"{self.path} {dict(self.headers)}")
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if not _let_in(self) or server.answers(self):
                return
            if self.path != f"/v2/models/{name}/infer":
                _send(self, 404, b'{"error": "no such model"}', {})
                return
            outputs = server.alters(server.session.run(_batch(self, body)))
            _answer(self, outputs, binary=server.binary, version=server.version)

    def _let_in(handler: BaseHTTPRequestHandler) -> bool:
        if server.token and handler.headers["Authorization"] != f"Bearer {server.token}":
            _send(handler, 401, b"{}", {})
            return False
        return True

    return Handler


def _batch(handler: BaseHTTPRequestHandler, body: bytes) -> NDArray[Any]:
    length = int(handler.headers.get("Inference-Header-Content-Length") or len(body))
    tensor = json.loads(body[:length])["inputs"][0]
    dtype = np.dtype("u1" if tensor["datatype"] == "UINT8" else "<f4")
    if "data" in tensor:
        return np.array(tensor["data"], dtype=dtype).reshape(tensor["shape"])
    assert tensor["parameters"]["binary_data_size"] == len(body) - length
    return np.frombuffer(body[length:], dtype=dtype).reshape(tensor["shape"])


def _answer(
    handler: BaseHTTPRequestHandler, outputs: Tensors, *, binary: bool, version: str
) -> None:
    heads, raw = [], b""
    for name, values in outputs.items():
        head = {"name": name, "datatype": "FP32", "shape": list(values.shape)}
        if binary:
            piece = values.astype("<f4").tobytes()
            heads.append(head | {"parameters": {"binary_data_size": len(piece)}})
            raw += piece
        else:
            heads.append(head | {"data": values.ravel().tolist()})
    said = json.dumps({"model_name": "m", "model_version": version, "outputs": heads}).encode()
    length = {"Inference-Header-Content-Length": str(len(said))} if binary else {}
    _send(handler, 200, said + raw, length)


def _send(
    handler: BaseHTTPRequestHandler, status: int, body: bytes, headers: dict[str, str]
) -> None:
    handler.send_response(status)
    for key, value in {"Content-Length": str(len(body)), **headers}.items():
        handler.send_header(key, value)
    handler.end_headers()
    handler.wfile.write(body)

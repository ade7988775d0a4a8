"""The servers side by side: ours and each peer, how it is started, asked and stopped."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.serving.machine import MARK, processes

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
START_LIMIT_S = 300.0
STOP_LIMIT_S = 20.0


@dataclass(frozen=True, kw_only=True)
class Serving:
    """What is to be served, as each server is told: a pack's folder and what stands in it."""

    shelf: Path
    pack: str
    labels: tuple[str, ...]
    side_px: int

    @property
    def model(self) -> Path:
        return self.shelf / self.pack / "model.onnx"


@dataclass(frozen=True, kw_only=True)
class Server:
    """One way to serve a network, as a competent user would set it up."""

    name: str
    title: str
    command: Callable[[Serving, int], list[str]]
    """From what is served and the port."""
    path: str = "/read"
    form: str = "raw"
    """How the picture is sent: see `FORMS`."""
    answer: Callable[[Any], tuple[str, float]] = lambda told: (told["label"], told["probability"])
    more_env: Mapping[str, str] | None = None

    @property
    def environment(self) -> Path:
        """The virtual environment that it lives in."""
        ours = self.name == "firstread"
        return Path(sys.prefix) if ours else ROOT / ".peers" / self.name


def _raw(picture: bytes) -> bytes:
    return picture


def _in_json(picture: bytes) -> bytes:
    return json.dumps({"image": base64.b64encode(picture).decode()}).encode()


def _open_inference(picture: bytes) -> bytes:
    given = {
        "name": "image",
        "datatype": "BYTES",
        "shape": [1, 1],
        "parameters": {"content_type": "base64"},
        "data": [base64.b64encode(picture).decode()],
    }
    return json.dumps({"inputs": [given]}).encode()


FORMS: Mapping[str, tuple[str, Callable[[bytes], bytes]]] = {
    "raw": ("image/jpeg", _raw),
    "json": ("application/json", _in_json),
    "open inference": ("application/json", _open_inference),
}


def _of_open_inference(told: Any) -> tuple[str, float]:
    values = {each["name"]: each["data"][0] for each in told["outputs"]}
    return values["label"], values["probability"]


def _bin(name: str, program: str) -> str:
    return str(ROOT / ".peers" / name / "bin" / program)


def _firstread(serving: Serving, port: int) -> list[str]:
    program = str(Path(sys.executable).with_name("firstread"))
    return [program, "serve", "--pack", serving.pack, "--port", str(port)]


OURS = Server(name="firstread", title="firstread serve", command=_firstread, path="/read/{pack}")

PEERS: Mapping[str, Server] = {
    each.name: each
    for each in (
        Server(
            name="flask",
            title="Flask, gunicorn",
            command=lambda _, port: [
                *(_bin("flask", "gunicorn"), "--workers", "2", "--threads", "1"),
                *("--bind", f"127.0.0.1:{port}", "--log-level", "warning", "app:app"),
            ],
        ),
        Server(
            name="fastapi",
            title="FastAPI, uvicorn",
            command=lambda _, port: [
                *(_bin("fastapi", "uvicorn"), "--workers", "2", "--port", str(port)),
                *("--log-level", "warning", "--no-access-log", "app:app"),
            ],
        ),
        Server(
            name="litserve",
            title="LitServe",
            command=lambda *_: [_bin("litserve", "python"), "app.py"],
            form="json",
        ),
        Server(
            name="bentoml",
            title="BentoML",
            command=lambda _, port: [
                *(_bin("bentoml", "bentoml"), "serve", "service:Reader"),
                *("--host", "127.0.0.1", "--port", str(port)),
            ],
            more_env={"BENTOML_DO_NOT_TRACK": "true"},
        ),
        Server(
            name="mlserver",
            title="MLServer",
            command=lambda *_: [_bin("mlserver", "mlserver"), "start", "."],
            path="/v2/models/reader/infer",
            form="open inference",
            answer=_of_open_inference,
        ),
        Server(
            name="ray",
            title="Ray Serve",
            command=lambda *_: [_bin("ray", "python"), "start.py"],
            path="/",
            more_env={"RAY_USAGE_STATS_ENABLED": "0", "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1"},
        ),
        Server(
            name="tensorflow",
            title="Keras in Flask's own server",
            command=lambda *_: [_bin("tensorflow", "python"), "app.py"],
            more_env={"TF_CPP_MIN_LOG_LEVEL": "2", "TF_ENABLE_ONEDNN_OPTS": "1"},
        ),
    )
}


class ServerFailed(Exception):
    """A server that did not start, or did not answer every request."""


@dataclass(frozen=True, kw_only=True)
class Running:
    """A server that answers."""

    server: Server
    mark: str
    url: str
    start_s: float
    """From the start of its process to its first answer."""
    label: str
    probability: float


@contextlib.contextmanager
def running(server: Server, serving: Serving, *, picture: bytes, log: Path) -> Iterator[Running]:
    """Start `server`, ask until it answers, and end every process of it afterwards."""
    port, mark = _free_port(), uuid.uuid4().hex
    path = server.path.format(pack=serving.pack)
    with log.open("wb") as out:
        began = time.perf_counter()
        process = subprocess.Popen(
            server.command(serving, port),
            cwd=HERE if server is OURS else HERE / "peers" / server.name,
            env=_environment(server, serving, port=port, mark=mark),
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        told = _first_answer(server, process, port=port, path=path, picture=picture, log=log)
        start_s = time.perf_counter() - began
        label, probability = server.answer(told)
        yield Running(
            server=server,
            mark=mark,
            url=f"http://127.0.0.1:{port}{path}",
            start_s=start_s,
            label=label,
            probability=probability,
        )
    finally:
        _stop(process, mark=mark)


def _environment(server: Server, serving: Serving, *, port: int, mark: str) -> dict[str, str]:
    """A plain environment, so that nothing of this project's reaches a peer."""
    plain = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return plain | {
        MARK: mark,
        "ORT_DISABLE_TELEMETRY": "1",  # as in ours: no peer shall be slowed by reports to its maker
        "FIRSTREAD_PACKS": str(serving.shelf),
        "MODEL": str(serving.model),
        "WEIGHTS": str(serving.shelf / f"{serving.pack}.npz"),
        "LABELS": ",".join(serving.labels),
        "SIDE": str(serving.side_px),
        "PORT": str(port),
        "MLSERVER_HTTP_PORT": str(port),
        "MLSERVER_GRPC_PORT": str(_free_port()),
        **(server.more_env or {}),
    }


def _first_answer(
    server: Server,
    process: subprocess.Popen[bytes],
    *,
    port: int,
    path: str,
    picture: bytes,
    log: Path,
) -> Any:
    content_type, wrapped = FORMS[server.form]
    body = wrapped(picture)
    began = time.perf_counter()
    while time.perf_counter() - began < START_LIMIT_S and process.poll() is None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            try:
                connection.request("POST", path, body, {"Content-Type": content_type})
                answer = connection.getresponse()
                told = answer.read()
            finally:
                connection.close()
            if answer.status == 200:
                return json.loads(told)
        # Often at first, for a quick start is timed by this; seldom later, for asking is work too.
        time.sleep(0.005 if time.perf_counter() - began < 3 else 0.05)
    raise ServerFailed(f"{server.title} did not answer. It wrote:\n{log.read_text()[-2000:]}")


def _stop(process: subprocess.Popen[bytes], *, mark: str) -> None:
    process.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=STOP_LIMIT_S)
    for pid in processes(mark):  # such as Ray's, which outlive the process that started them
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def _free_port() -> int:
    with socket.socket() as each:
        each.bind(("127.0.0.1", 0))
        return int(each.getsockname()[1])

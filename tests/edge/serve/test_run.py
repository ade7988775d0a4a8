"""`firstread serve` as an operator runs it: it starts, guards, ends, or says why it does not."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from tests.images_for_tests import cell_png, save
from tests.packs_for_tests import make_pack
from tests.serving_for_tests import Serving, environment, serving


@pytest.fixture(scope="module")
def slow_picture() -> bytes:
    """A small file that takes long to unpack."""
    grains = np.random.default_rng(0).integers(0, 2, (700, 700, 3), dtype=np.uint8) * 8 + 180
    large = Image.fromarray(grains).resize((7000, 7000), Image.Resampling.NEAREST)
    return save(large, "PNG", compress_level=1)


def run(shelf: Path | None, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "firstread", "serve", *words],
        env=environment(shelf) | env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def metric(reader: Serving, name: str) -> float:
    lines = httpx.get(f"{reader.url}/metrics").text.splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))


def wait_for(reader: Serving, name: str, at_least: float) -> None:
    end = time.monotonic() + 30
    while metric(reader, name) < at_least:
        assert time.monotonic() < end, name
        time.sleep(0.02)


def requests_seen(reader: Serving) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in reader.lines]
    return [line for line in lines if line["event"] == "request"]


@pytest.mark.parametrize("option", ["--idle-s", "--grace-s"])
@pytest.mark.parametrize("value", ["nan", "inf"])
def test_a_time_without_an_end_is_refused(shelf: Path, option: str, value: str) -> None:
    done = run(shelf, option, value)
    assert done.returncode == 2
    assert "finite number" in done.stderr


def test_what_was_taken_is_finished_and_nothing_more_is_taken(
    shelf: Path, slow_picture: bytes
) -> None:
    options = ["--threads", "1", "--grace-s", "300"]
    with (
        serving("colour", shelf=shelf, options=options) as reader,
        ThreadPoolExecutor(4) as clients,
    ):
        url = f"{reader.url}/read/colour"
        sent = [
            clients.submit(httpx.post, url, content=slow_picture, timeout=300) for _ in range(4)
        ]
        wait_for(reader, "firstread_queue", 3)
        code = reader.stop(within_s=300)
        assert [each.result().status_code for each in sent] == [200] * 4
        assert code == 0
        with pytest.raises(httpx.ConnectError):
            httpx.get(reader.url)


def test_a_second_signal_ends_it_at_once(shelf: Path, slow_picture: bytes) -> None:
    with (
        serving("colour", shelf=shelf, options=["--threads", "1"]) as reader,
        ThreadPoolExecutor(8) as clients,
    ):
        url = f"{reader.url}/read/colour"
        sent = [
            clients.submit(httpx.post, url, content=slow_picture, timeout=300) for _ in range(8)
        ]
        wait_for(reader, "firstread_queue", 7)
        reader.process.send_signal(signal.SIGTERM)
        while not any('"stopping"' in line for line in reader.lines):
            time.sleep(0.01)
        reader.process.send_signal(signal.SIGTERM)
        assert reader.process.wait(timeout=30) == 128 + signal.SIGTERM
        assert any(each.exception() for each in sent)


def test_what_is_not_finished_in_time_is_said(shelf: Path, slow_picture: bytes) -> None:
    options = ["--threads", "1", "--grace-s", "0"]
    with (
        serving("colour", shelf=shelf, options=options) as reader,
        ThreadPoolExecutor(4) as clients,
    ):
        url = f"{reader.url}/read/colour"
        sent = [
            clients.submit(httpx.post, url, content=slow_picture, timeout=300) for _ in range(4)
        ]
        wait_for(reader, "firstread_queue", 3)
        assert reader.stop() == 1
        assert any(each.exception() for each in sent)


def test_past_the_queue_who_asks_is_told_to_come_again(shelf: Path, slow_picture: bytes) -> None:
    options = ["--threads", "1", "--queue", "1"]
    with (
        serving("colour", shelf=shelf, options=options) as reader,
        ThreadPoolExecutor(6) as clients,
    ):
        url = f"{reader.url}/read/colour"
        sent = [
            clients.submit(httpx.post, url, content=slow_picture, timeout=300) for _ in range(6)
        ]
        wait_for(reader, "firstread_queue", 1)
        assert httpx.get(f"{reader.url}/healthz").status_code == 200
        got = [each.result() for each in sent]
        busy = [each for each in got if each.status_code == 503]
        assert len(busy) + sum(each.status_code == 200 for each in got) == 6
        assert len(busy) >= 1
        assert busy[0].headers["Retry-After"] == "1"
        assert busy[0].json()["detail"].endswith("Send this one again in a second.")
        assert httpx.post(url, content=cell_png()).status_code == 200


def test_who_leaves_while_waiting_is_not_read_for(shelf: Path, slow_picture: bytes) -> None:
    with (
        serving("colour", shelf=shelf, options=["--threads", "1"]) as reader,
        ThreadPoolExecutor(1) as client,
    ):
        url = f"{reader.url}/read/colour"
        first = client.submit(httpx.post, url, content=slow_picture, timeout=300)
        wait_for(reader, "firstread_held_bytes", 1)
        data = cell_png()
        head = f"POST /read/colour HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", reader.port)) as plug:
            plug.sendall(head.encode() + data)
            wait_for(reader, "firstread_queue", 1)
        assert first.result().status_code == 200
        wait_for(reader, "firstread_dropped_total", 1)
        assert metric(reader, "firstread_reads_total") == 1


def test_a_token_guards_all_but_what_a_load_balancer_and_a_person_look_at(
    shelf: Path, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("secret-1\n")
    with serving("colour", shelf=shelf, options=["--token-file", str(file)]) as reader:
        for path in ("/healthz", "/healthz/ready", "/", "/docs", "/openapi.json"):
            assert httpx.get(f"{reader.url}{path}").status_code == 200, path
        wrong = ("", "Bearer", "Bearer secret", "Bearer secret-11", "Basic secret-1", "Bearer é")
        for path in ("/packs", "/metrics"):
            for given in wrong:
                headers = {"Authorization": given.encode()}
                answer = httpx.get(f"{reader.url}{path}", headers=headers)
                assert answer.status_code == 401, (path, given)
                assert answer.headers["WWW-Authenticate"] == "Bearer"
        url, right = f"{reader.url}/read/colour", {"Authorization": "Bearer secret-1"}
        assert httpx.post(url, content=cell_png()).status_code == 401
        assert httpx.post(url, content=cell_png(), headers=right).status_code == 200
        assert "secret" not in "".join(reader.lines)


def test_it_speaks_tls(shelf: Path, tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    words = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    out = ["-keyout", str(key), "-out", str(cert)]
    subprocess.run([*words.split(), *names, *out], check=True, capture_output=True)
    options = ["--tls-cert", str(cert), "--tls-key", str(key), "--max-body-mb", "1"]
    with serving("colour", shelf=shelf, options=options) as reader:
        assert reader.url.startswith("https://")
        trusted = ssl.create_default_context(cafile=str(cert))
        with httpx.Client(verify=trusted, base_url=reader.url, timeout=60) as client:
            assert client.post("/read/colour", content=cell_png()).json()["label"] == "red"
            assert client.post("/read/colour", content=bytes(3 << 20)).status_code == 413
        assert reader.stop() == 0
    swapped = run(shelf, "--port", "0", "--tls-cert", str(key), "--tls-key", str(cert))
    assert swapped.returncode == 2
    assert "no certificate and its key" in swapped.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--pack", "nowhere"], "There is no pack 'nowhere'"),
        (["--host", "0.0.0.0"], "Give it a token"),
        (["--host", "no-such-machine.invalid", "--open-to-all"], "cannot listen on no-such"),
        (["--token", "two words"], "The token holds a space"),
        (["--token-file", "/nowhere/at/all"], "holds no token"),
        (["--tls-cert", "x"], "Give both --tls-cert and --tls-key"),
    ],
)
def test_what_keeps_it_from_starting_is_one_sentence(
    shelf: Path, words: list[str], sentence: str
) -> None:
    done = run(shelf, "--port", "0", *words)
    assert done.returncode == 2, done.stderr
    assert sentence in done.stderr
    assert done.stderr.startswith("firstread: ")
    assert done.stderr.count("\n") == 1


def test_a_taken_port_is_said_in_a_sentence(shelf: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run(shelf, "--port", str(taken.getsockname()[1]))
    assert done.returncode == 2
    assert "cannot listen on 127.0.0.1" in done.stderr
    assert "Address already in use" in done.stderr


def test_two_packs_of_one_name_are_refused(tmp_path: Path) -> None:
    one, two = make_pack(tmp_path / "one"), make_pack(tmp_path / "two")
    done = run(None, "--port", "0", "--pack", str(one), "--pack", str(two))
    assert done.returncode == 2
    assert "Two of the packs are called 'colour'" in done.stderr


def test_every_option_is_also_a_variable(shelf: Path) -> None:
    given = {
        "FIRSTREAD_SERVE_PACK": "sizes colour",
        "FIRSTREAD_SERVE_TOKEN": "from-outside",
        "FIRSTREAD_SERVE_LOG": "text",
        "FIRSTREAD_SERVE_MAX_BODY_MB": "1",
    }
    with serving(shelf=shelf, env=given) as reader:
        headers = {"Authorization": "Bearer from-outside"}
        packs = httpx.get(f"{reader.url}/packs", headers=headers).json()
        assert [each["name"] for each in packs] == ["sizes", "colour"]
        url = f"{reader.url}/read/colour"
        assert httpx.post(url, content=bytes(2 << 20), headers=headers).status_code == 413
    assert any(
        " request method=POST route=/read/{pack} status=413" in line for line in reader.lines
    )


def test_without_a_name_every_pack_on_the_shelves_is_read_with(shelf: Path) -> None:
    with serving(shelf=shelf) as reader:
        names = [each["name"] for each in httpx.get(f"{reader.url}/packs").json()]
        assert {"colour", "sizes", "blood-cell", "marrow-cell", "breast-cytology"} <= set(names)
        assert not any('"pack_opened"' in line for line in reader.lines)


def test_log_lines_say_nothing_of_samples_or_who_sent_them(shelf: Path) -> None:
    with serving("colour", shelf=shelf) as reader:
        files = {"file": ("Mrs-Example-1950.png", cell_png("red"))}
        httpx.post(f"{reader.url}/read/colour?label=red&patient=Example", files=files)
        httpx.post(f"{reader.url}/read/Mrs-Example", content=cell_png())
        httpx.get(f"{reader.url}/Mrs-Example/1950?name=Example")
        httpx.request("EXAMPLE", f"{reader.url}/packs")
        reader.stop()
    seen = requests_seen(reader)
    assert [each["status"] for each in seen] == [200, 404, 404, 400]
    assert seen[0]["route"] == "/read/{pack}"
    said = "\n".join(reader.lines)
    assert "xample" not in said.lower()
    assert "red" not in said
    assert {"time", "event", "method", "route", "status", "ms", "bytes"} <= set(seen[0])


def test_django_and_torch_are_not_loaded(shelf: Path) -> None:
    code = (
        "import sys, threading, os, signal, time, urllib.request, json\n"
        "from firstread.cli.main import main\n"
        "said = []\n"
        "import firstread.cli.serve as command\n"
        "def ask():\n"
        "    while not said: time.sleep(0.01)\n"
        "    url = said[0].split()[4]\n"
        "    data = open(sys.argv.pop(), 'rb').read()\n"
        "    urllib.request.urlopen(urllib.request.Request(url + '/read/colour', data=data))\n"
        "    urllib.request.urlopen(url + '/docs'); urllib.request.urlopen(url + '/metrics')\n"
        "    print(*sorted({name.partition('.')[0] for name in sys.modules}), flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "command._say = said.append\n"
        "picture = sys.argv.pop()\n"
        "sys.argv = ['firstread', 'serve', '--pack', 'colour', '--port', '0', picture]\n"
        "threading.Thread(target=ask, daemon=True).start()\n"
        "main(args=sys.argv[1:-1])\n"
    )
    picture = shelf.parent / "one-cell.png"
    picture.write_bytes(cell_png())
    done = subprocess.run(
        [sys.executable, "-c", code, str(picture)],
        env=environment(shelf),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.split())
    assert {"onnxruntime", "prometheus_client"} <= loaded
    unwanted = {
        "django",
        "torch",
        "onnx",
        "httpx",
        "scipy",
        "ninja",
        "rich",
        "uvicorn",
        "starlette",
    }
    assert not loaded & unwanted


def test_many_clients_at_once_are_all_answered(shelf: Path) -> None:
    data = {colour: cell_png(colour) for colour in ("red", "green", "blue")}
    with serving("colour", "sizes", shelf=shelf) as reader:
        wrong: list[str] = []

        def client(seed: int) -> None:
            with httpx.Client(base_url=reader.url, timeout=60) as http:
                for number in range(20):
                    colour = ("red", "green", "blue")[(seed + number) % 3]
                    answer = http.post("/read/colour", content=data[colour])
                    if answer.status_code != 200 or answer.json()["label"] != colour:
                        wrong.append(answer.text)

        threads = [threading.Thread(target=client, args=(seed,)) for seed in range(12)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert wrong == []
        assert metric(reader, "firstread_reads_total") == 240


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_nothing_is_done_while_nobody_asks(shelf: Path) -> None:
    with serving("colour", shelf=shelf) as reader:
        assert httpx.post(f"{reader.url}/read/colour", content=cell_png()).status_code == 200

        def ticks() -> int:
            fields = Path(f"/proc/{reader.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
            return int(fields[11]) + int(fields[12])

        time.sleep(0.5)
        before = ticks()
        time.sleep(2)
        assert ticks() - before <= 0.02 * os.sysconf("SC_CLK_TCK")


def test_every_option_stands_in_the_documentation() -> None:
    import click

    from firstread.cli.serve import serve

    page = (Path(__file__).resolve().parents[3] / "docs" / "reader.md").read_text()
    options = [each for each in serve.params if isinstance(each, click.Option)]
    named = [word for option in options for word in option.opts]
    assert len(named) > 12
    assert [word for word in named if f"`{word}`" not in page] == []


def test_a_start_that_fails_while_packs_are_being_opened_ends_with_a_sentence() -> None:
    done = run(None, "--pack", "blood-cell", "--pack", "marrow-cell", "--default-pack", "x")
    assert done.returncode == 2
    assert done.stderr.splitlines()[0].startswith("firstread: The default pack 'x' is none of")

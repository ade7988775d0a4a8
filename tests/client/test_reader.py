"""The reader's client gets answers from a real reader, and bears with any other server."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from firstread.client import ReaderClient
from firstread.domain.errors import (
    BadConfiguration,
    BadMeasurement,
    FirstreadError,
    NotAllowed,
    UnknownPack,
    Unreachable,
    UnreadableSample,
)
from firstread.runtime import open_reader
from tests.answering_for_tests import Answering, answering, hangs_up, says
from tests.images_for_tests import cell_png
from tests.packs_for_tests import make_pack
from tests.serving_for_tests import Serving, serving

ANSWER = says("200 OK", json.dumps({"label": "red", "findings": []}).encode())


@pytest.fixture(scope="module")
def running(shelf: Path) -> Iterator[Serving]:
    with serving("colour", "sizes", shelf=shelf) as one:
        yield one


def _client(server: Answering | str, **more: float) -> ReaderClient:
    url = server if isinstance(server, str) else server.url
    return ReaderClient(url, **({"pause_s": 0.01, "timeout_s": 20} | more))  # type: ignore[arg-type]


def _read(server: Answering, **more: float) -> object:
    with _client(server, **more) as client:
        return client.read(b"x", pack="colour")["label"]


def test_pictures_files_and_rows_are_read_as_on_this_machine(
    running: Serving, shelf: Path, tmp_path: Path
) -> None:
    (tmp_path / "cell.png").write_bytes(cell_png("red"))
    here = open_reader(shelf / "colour").read(cell_png("red")).read.as_answer()
    with ReaderClient(running.url) as client:
        for sample in (cell_png("red"), tmp_path / "cell.png"):
            assert client.read(sample, pack="colour") | {"ms": 0} == json.loads(
                json.dumps(here | {"ms": 0})
            )
        row = {"size": 9, "shape": 9, "nuclei": None}
        assert client.read(row, pack="sizes")["label"] == "malignant"


def test_many_samples_are_answered_in_their_order_with_errors_in_place(running: Serving) -> None:
    samples = [cell_png("red"), b"no picture", cell_png("blue"), cell_png("green")]
    with ReaderClient(running.url) as client:
        red, broken, blue, green = client.read_many(samples, pack="colour", concurrency=3)
    assert isinstance(broken, UnreadableSample)
    labels = [each["label"] for each in (red, blue, green) if isinstance(each, dict)]
    assert labels == ["red", "blue", "green"]


def test_the_readers_refusals_are_the_same_errors_here(running: Serving) -> None:
    with ReaderClient(running.url) as client:
        with pytest.raises(UnreadableSample, match="text, not a picture"):
            client.read(b"this is text", pack="colour")
        with pytest.raises(BadMeasurement, match="between 1 and 10") as refused:
            client.read({"size": 99, "shape": 1}, pack="sizes")
        assert refused.value.field == "size"
        with pytest.raises(UnknownPack, match="colour, sizes"):
            client.read(cell_png(), pack="nothing")
        with pytest.raises(BadConfiguration, match="colour, sizes"):
            client.read(cell_png())


def test_what_a_pack_is_can_be_asked(running: Serving, shelf: Path) -> None:
    with ReaderClient(running.url) as client:
        pack = client.pack("sizes")
        assert [each["name"] for each in client.packs()] == ["colour", "sizes"]
    assert (pack.version, pack.kind) == ("1.0.0", "measurements")
    assert pack.sha256 == open_reader(shelf / "sizes").pack_sha256
    assert [each.code for each in pack.measurements] == ["size", "shape", "nuclei"]
    assert [each.code for each in pack.labels if each.positive] == ["malignant"]


def test_a_token_is_sent_and_a_wrong_one_is_said(shelf: Path) -> None:
    with serving("colour", shelf=shelf, options=["--token", "geheim"]) as guarded:
        with ReaderClient(guarded.url, token="geheim") as client:
            assert client.read(cell_png("red"))["label"] == "red"
        with ReaderClient(guarded.url) as client, pytest.raises(NotAllowed):
            client.read(cell_png(), pack="colour")


def test_a_certificate_nobody_vouches_for_is_refused_and_a_known_one_is_taken(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    words = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext"
    subprocess.run(
        ["openssl", *words.split(), "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out",
         certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    options = ["--tls-cert", str(certificate), "--tls-key", str(key)]
    with serving("colour", shelf=shelf, options=options) as safe:
        with ReaderClient(safe.url) as client, pytest.raises(BadConfiguration, match="not trusted"):
            client.read(cell_png())
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        with ReaderClient(safe.url) as client:
            assert client.read(cell_png("red"))["label"] == "red"


def test_a_busy_reader_is_asked_again_after_the_time_that_it_names() -> None:
    busy = says("503 Service Unavailable", b'{"detail": "Busy."}', headers={"Retry-After": "0"})
    with answering(*[busy] * 12, ANSWER) as server:
        assert _read(server, tries=2) == "red"
        assert len(server.asked) == 13


def test_a_reader_that_stays_busy_ends_the_patience() -> None:
    busy = says("503 Service Unavailable", b'{"detail": "Too many."}', headers={"Retry-After": "1"})
    with answering(busy) as server, pytest.raises(Unreachable, match="Too many"):
        _read(server, patience_s=0.1)


def test_a_connection_that_breaks_is_tried_again() -> None:
    cut = says("200 OK", b'{"label": "red", "findings": []}', cut=9)
    with answering(hangs_up, cut, says("502 Bad Gateway", b"<html>"), ANSWER) as server:
        assert _read(server) == "red"
    with answering(hangs_up) as server, pytest.raises(Unreachable, match="does not answer"):
        _read(server, tries=3)
    assert len(server.asked) == 3


def test_connections_stay_open_and_one_that_was_closed_meanwhile_costs_no_try() -> None:
    def once(connection: socket.socket) -> None:
        ANSWER(connection)
        raise ConnectionAbortedError

    with answering(ANSWER, once, ANSWER) as server, _client(server, tries=1) as client:
        for _ in range(4):
            assert client.read(b"x", pack="colour")["label"] == "red"


def test_no_server_at_all_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with _client(f"http://127.0.0.1:{port}") as client, pytest.raises(Unreachable) as refused:
        client.packs()
    assert f"127.0.0.1:{port} does not answer (Connection refused)" in str(refused.value)


@pytest.mark.parametrize(
    ("reply", "kind", "said"),
    [
        (says("200 OK", b"<html>hello</html>"), Unreachable, "as a Firstread reader does"),
        (says("200 OK", b'{"predictions": []}'), Unreachable, "as a Firstread reader does"),
        (says("404 Not Found", b"<html>"), Unreachable, r"status 404"),
        (says("200 OK", b"[" * 100_000), Unreachable, "as a Firstread reader does"),
        (says("307 Temporary Redirect", headers={"Location": "https://b/"}), BadConfiguration,
         "sends on to https://b/"),
        (says("403 Forbidden", b"no"), NotAllowed, "status 403"),
        (says("413 Content Too Large", b'{"detail": "Too large."}'), FirstreadError, "Too large"),
        (says("500 Internal Server Error", b'{"detail": "Oh."}'), FirstreadError, "Oh"),
    ],
)  # fmt: skip
def test_other_servers_get_a_sentence(reply: object, kind: type[FirstreadError], said: str) -> None:
    with answering(reply) as server, pytest.raises(kind, match=said):  # type: ignore[arg-type]
        _read(server)


def test_a_body_that_is_too_large_gets_the_readers_sentence(shelf: Path) -> None:
    with serving("colour", shelf=shelf, options=["--max-body-mb", "1"]) as small:
        with ReaderClient(small.url) as client, pytest.raises(FirstreadError) as refused:
            client.read(bytes(30 << 20), pack="colour")
        assert not isinstance(refused.value, Unreachable)


def test_who_gives_up_waits_no_longer() -> None:
    busy = says("503 Service Unavailable", b'{"detail": "No."}', headers={"Retry-After": "30"})
    with answering(busy) as server, _client(server, patience_s=600) as client:
        began = threading.Event()

        def give_up() -> None:
            while not server.asked:
                time.sleep(0.01)
            began.set()
            client.give_up()

        thread = threading.Thread(target=give_up)
        thread.start()
        with pytest.raises(Unreachable, match="No"):
            client.read(b"x", pack="colour")
        thread.join()
        assert began.is_set()


@pytest.mark.parametrize(
    "url",
    ["127.0.0.1:8080", "ftp://x", "http://", "http://x:port", "http://u:p@x", "http://x/?a=1",
     "http://x y", "http://x\n", "http://[::1"],
)  # fmt: skip
def test_an_address_or_token_that_can_be_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(BadConfiguration, match="must look like http"):
        ReaderClient(url)
    with pytest.raises(BadConfiguration, match="token"):
        ReaderClient("http://127.0.0.1", token="two words")


def test_the_example_of_the_page_runs(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "reader-client.md").read_text("utf-8")
    code = page.split("```python\n")[1].split("```")[0]
    (tmp_path / "cells").mkdir()
    for name in ("cell.png", "cells/a.png", "cells/b.png"):
        (tmp_path / name).write_bytes(cell_png("red"))
    (tmp_path / "cells" / "c.txt").write_text("This is no picture.")
    monkeypatch.chdir(tmp_path)
    make_pack(tmp_path / "packs", name="blood-cell")
    with serving("blood-cell", shelf=tmp_path / "packs") as server:
        exec(compile(code.replace("http://127.0.0.1:8080", server.url), "page", "exec"), {})
    said = capsys.readouterr().out
    assert "cells/b.png red" in said
    assert "not a picture" in said

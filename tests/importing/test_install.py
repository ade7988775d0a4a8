"""Packs and models are fetched from servers that break off, lie, redirect, and know no ranges."""

from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from firstread.connect.web import download as fetching
from firstread.domain.errors import (
    BadConfiguration,
    DownloadRefused,
    ModelRefused,
    PackRefused,
    Unreachable,
)
from firstread.importing.assemble import Wanted
from firstread.importing.install import install
from firstread.importing.recipe import Said
from firstread.importing.run import Asked
from firstread.packs.packed import pack_into
from firstread.runtime import open_reader
from tests.importing.models_for_tests import LABELS, pooled_linear
from tests.packs_for_tests import make_pack

Answer = Callable[["Server", BaseHTTPRequestHandler], None]


class Server:
    """One file, served in the way that a test asks for; `asked` are the ranges it was asked for."""

    def __init__(self, data: bytes, answer: Answer) -> None:
        self.data = data
        self.asked: list[str] = []
        mine = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                mine.asked.append(self.headers.get("Range", ""))
                answer(mine, self)

            def log_message(self, *_: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/model.zip"


def whole(server: Server, request: BaseHTTPRequestHandler, *, most: int | None = None) -> None:
    """Answers ranges as servers do; sends at most `most` bytes, then breaks off."""
    said = request.headers.get("Range", "")
    begin = int(said.removeprefix("bytes=").rstrip("-")) if said else 0
    if begin >= len(server.data):
        request.send_response(416)
        request.end_headers()
        return
    body = server.data[begin:]
    request.send_response(206 if said else 200)
    if said:
        last = len(server.data) - 1
        request.send_header("Content-Range", f"bytes {begin}-{last}/{len(server.data)}")
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body[:most])


def breaks_off(server: Server, request: BaseHTTPRequestHandler) -> None:
    whole(server, request, most=len(server.data) // 3 + 1)


def knows_no_ranges(server: Server, request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Length", str(len(server.data)))
    request.end_headers()
    most = len(server.data) // 2 if len(server.asked) == 1 else None
    request.wfile.write(server.data[:most])


def redirects(server: Server, request: BaseHTTPRequestHandler) -> None:
    if request.path == "/elsewhere":
        whole(server, request)
        return
    request.send_response(302)
    request.send_header("Location", "/elsewhere")
    request.end_headers()


def is_gone(_server: Server, request: BaseHTTPRequestHandler) -> None:
    request.send_response(404)
    request.end_headers()


def is_busy(_server: Server, request: BaseHTTPRequestHandler) -> None:
    request.send_response(503)
    request.end_headers()


@contextmanager
def serving(data: bytes, answer: Answer = whole) -> Iterator[Server]:
    server = Server(data, answer)
    thread = threading.Thread(target=server.http.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.http.shutdown()
        server.http.server_close()
        thread.join()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "PAUSE_S", 0.01)


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("made")
    return pack_into(make_pack(folder), folder / "pack.zip").read_bytes()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def installed(url: str, out: Path, *, of: bytes, **said: Any):
    recipe = said.pop("recipe", None)
    asked = Asked(said=Said(**said), recipe=recipe)
    return install(url, sha256=sha256(of), asked=asked, wanted=Wanted(out=out))


def gives_another_part(server: Server, request: BaseHTTPRequestHandler) -> None:
    """Breaks off once, and to what is asked for then it says that part and gives the beginning."""
    data, first = server.data, len(server.asked) == 1
    begin = int((request.headers.get("Range") or "bytes=0-").removeprefix("bytes=").rstrip("-"))
    request.send_response(206 if begin else 200)
    request.send_header("Content-Length", str(len(data) - begin))
    request.send_header("Content-Range", f"bytes {begin}-{len(data) - 1}/{len(data)}")
    request.end_headers()
    request.wfile.write(data[: len(data) // 3 if first else len(data) - begin])


@pytest.mark.parametrize(
    "answer", [whole, breaks_off, knows_no_ranges, redirects, gives_another_part]
)
def test_a_pack_arrives_whole_from_any_server(tmp_path, packed, answer):
    with serving(packed, answer) as server:
        made = installed(server.url, tmp_path, of=packed)
    reader = open_reader(made.folder)
    assert made.folder == tmp_path / reader.manifest.name
    assert [path.name for path in tmp_path.iterdir()] == [made.folder.name]
    if answer is breaks_off:
        third = len(packed) // 3 + 1
        assert server.asked[:2] == ["", f"bytes={third}-"]


def test_what_broke_off_is_gone_on_with_by_the_next_run(tmp_path, packed):
    part = tmp_path / ".downloads" / f"{sha256(packed)}.part"
    part.parent.mkdir()
    part.write_bytes(packed[:1000])
    with serving(packed) as server:
        installed(server.url, tmp_path, of=packed)
    assert server.asked == ["bytes=1000-"]


def test_a_part_of_another_file_is_thrown_away_once(tmp_path, packed):
    part = tmp_path / ".downloads" / f"{sha256(packed)}.part"
    part.parent.mkdir()
    part.write_bytes(b"x" * 1000)
    with serving(packed) as server:
        installed(server.url, tmp_path, of=packed)
    assert server.asked == ["bytes=1000-", ""]


def test_other_bytes_are_refused_before_anything_is_opened(tmp_path, packed):
    other = packed[:-1] + bytes([packed[-1] ^ 1])
    with serving(other) as server, pytest.raises(DownloadRefused, match="Nothing of it was opened"):
        installed(server.url, tmp_path, of=packed)
    assert not list(tmp_path.glob("[!.]*"))
    assert not list(tmp_path.iterdir())


def test_a_server_that_says_no_or_nothing_gets_a_sentence(tmp_path, packed, monkeypatch):
    with serving(packed, is_gone) as server, pytest.raises(DownloadRefused, match="404"):
        installed(server.url, tmp_path, of=packed)
    with serving(packed, is_busy) as server, pytest.raises(Unreachable, match="503"):
        installed(server.url, tmp_path, of=packed)
    assert len(server.asked) == fetching.TRIES
    with pytest.raises(Unreachable, match="does not send the file"):
        installed(server.url, tmp_path, of=packed)
    monkeypatch.setattr(fetching, "MOST_BYTES", 1000)
    with serving(packed) as server, pytest.raises(DownloadRefused, match="larger than"):
        installed(server.url, tmp_path, of=packed)
    assert not list(tmp_path.iterdir())


def test_a_pack_that_is_refused_leaves_nothing_behind(tmp_path):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        file.writestr("pack.toml", "")
        file.writestr("../../out.txt", "out")
    data = made.getvalue()
    with serving(data) as server, pytest.raises(PackRefused, match="leads out of"):
        installed(server.url, tmp_path / "shelf" / "inner", of=data)
    assert not list(tmp_path.rglob("*.txt"))
    assert not list((tmp_path / "shelf" / "inner").iterdir())


def test_a_damaged_pack_on_the_shelf_is_put_right_by_installing_it_again(tmp_path, packed):
    with serving(packed) as server:
        place = installed(server.url, tmp_path, of=packed).folder
        (place / "card.md").write_text("somebody wrote here")
        with pytest.raises(BadConfiguration, match="--replace"):
            installed(server.url, tmp_path, of=packed)
        asked, wanted = Asked(said=Said()), Wanted(out=tmp_path, replace=True)
        install(server.url, sha256=sha256(packed), asked=asked, wanted=wanted)
    assert open_reader(place)
    assert [path.name for path in tmp_path.iterdir()] == [place.name]


def test_an_address_that_is_none_gets_a_sentence(tmp_path):
    with pytest.raises(BadConfiguration, match="no web address"):
        installed("http://[::1/pack.zip", tmp_path, of=b"x")


def test_an_address_without_a_hash_is_not_asked(tmp_path, packed):
    with serving(packed) as server, pytest.raises(BadConfiguration, match="--sha256 HASH"):
        install(server.url, sha256=None, asked=Asked(said=Said()), wanted=Wanted(out=tmp_path))
    assert server.asked == []
    with pytest.raises(BadConfiguration, match="64 hexadecimal digits"):
        install("x.zip", sha256="abc", asked=Asked(said=Said()), wanted=Wanted(out=tmp_path))


def test_a_local_file_needs_no_hash_and_is_held_to_one_that_is_given(tmp_path, packed):
    file = tmp_path / "pack.zip"
    file.write_bytes(packed)
    made = install(
        str(file), sha256=None, asked=Asked(said=Said()), wanted=Wanted(out=tmp_path / "a")
    )
    again = install(
        file.as_uri(),
        sha256=sha256(packed),
        asked=Asked(said=Said()),
        wanted=Wanted(out=tmp_path / "a"),
    )
    assert made.folder == again.folder
    with pytest.raises(DownloadRefused, match=r"pack.zip is not what was asked for"):
        install(
            str(file), sha256="0" * 64, asked=Asked(said=Said()), wanted=Wanted(out=tmp_path / "b")
        )


@pytest.mark.parametrize("said", [{"check": "other"}, {"labels": "a,b"}, {"recipe": "objects"}])
def test_a_pack_is_taken_as_it_is_sealed(tmp_path, packed, said):
    with serving(packed) as server, pytest.raises(BadConfiguration, match="is a pack already"):
        installed(server.url, tmp_path, of=packed, **said)
    assert not list(tmp_path.glob("[!.]*"))


def test_a_public_model_becomes_a_pack_by_its_recipe(tmp_path):
    model = pooled_linear()
    recipe = tmp_path / "things.toml"
    recipe.write_text(
        'kind = "import"\nname = "things"\nlabels = ["a", "b", "c"]\n'
        f'[model]\nfile_sha256 = "{sha256(model)}"\n[pack]\ncheck = "things"\n'
        '[pixels]\nscale = "1/255"\n'
    )
    with serving(model) as server:
        made = installed(server.url, tmp_path / "packs", of=model, recipe=str(recipe))
    manifest = open_reader(made.folder).manifest
    assert (manifest.name, manifest.provenance.model_file) == ("things", "model.zip")
    recipe.write_text(recipe.read_text().replace(sha256(model), "0" * 64))
    with serving(model) as server, pytest.raises(ModelRefused, match="is for another file"):
        installed(server.url, tmp_path / "other", of=model, recipe=str(recipe))
    with serving(model) as server, pytest.raises(BadConfiguration, match="what the model is for"):
        installed(server.url, tmp_path / "other", of=model, labels=LABELS)


def test_a_pack_that_is_sealed_wrongly_is_not_put_on_the_shelf(tmp_path):
    folder = make_pack(tmp_path / "made")
    file = pack_into(folder, tmp_path / "pack.zip")
    with zipfile.ZipFile(file, "a") as opened:
        opened.writestr(f"{folder.name}/more.py", "print('never')")
    with pytest.raises(PackRefused, match=r"more.py is not listed"):
        install(str(file), sha256=None, asked=Asked(said=Said()), wanted=Wanted(out=tmp_path / "a"))
    assert not list((tmp_path / "a").iterdir())

"""Folders, zips and lists of addresses: every sample is listed, and hostile ones do no harm."""

from __future__ import annotations

import os
import shutil
import socket
import struct
import tempfile
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from threading import Thread

import pytest

from firstread.domain.errors import UnreadableSample
from firstread.edge.screen import local, sample
from firstread.edge.screen.folder import Folder
from tests.images_for_tests import bomb_png, cell_png


@pytest.fixture
def nobody():
    """A folder, and until the end somebody who may not read everything, as root may."""
    who, root = os.geteuid(), 0
    folder = Path(tempfile.mkdtemp(prefix="firstread-closed-"))
    if who == root:
        os.chown(folder, 65534, -1)
        os.seteuid(65534)
    yield folder
    os.seteuid(who)
    (folder / "closed").chmod(0o700)
    shutil.rmtree(folder)


def _by_path(rows):
    return {row["path"]: row for row in rows()}


def test_links_pipes_and_what_has_gone_do_not_hold_it_up(screen, rows, tmp_path):
    folder = tmp_path / "samples"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "whole.png").write_bytes(cell_png())
    (folder / "linked.png").symlink_to(folder / "deep" / "whole.png")
    (folder / "round").symlink_to(folder)
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "gone.png").symlink_to(folder / "never.png")
    (folder / "empty.png").write_bytes(b"")
    os.mkfifo(folder / "pipe.png")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / "sock"))
        assert screen(folder).exit_code == 1
    found = _by_path(rows)
    read = sorted(path for path, row in found.items() if row["error"] is None)
    assert read == ["deep/whole.png", "linked.png"]
    assert "link to a folder" in found["round"]["error"]
    assert "cannot be opened" in found["loop"]["error"]
    assert "no such file" in found["gone.png"]["error"]
    assert "a pipe, a socket or a device" in found["pipe.png"]["error"]
    assert "a pipe, a socket or a device" in found["sock"]["error"]


def test_what_we_may_not_read_says_so(nobody):
    (nobody / "closed").mkdir(mode=0)
    (nobody / "closed.png").write_bytes(cell_png())
    (nobody / "closed.png").chmod(0)
    folder = Folder(nobody, results=nobody / "results.parquet")
    listed = {each.address: each for each in folder.listing()}
    assert "cannot be listed (Permission denied)" in listed["closed/"].error
    with pytest.raises(UnreadableSample, match="Permission denied"):
        folder.fetch(listed["closed.png"], room=lambda _: None)


def test_odd_names_are_kept_apart_and_move_no_cursor(screen, rows, tmp_path):
    folder = os.fsencode(tmp_path / "odd")
    os.mkdir(folder)  # noqa: PTH102  pathlib makes no name that is not UTF-8
    names = [b"\xff\xfe.png", b"\\xff\\xfe.png", b"new\nline.png", b"\x1b[2Jred.png"]
    for name in names:
        with open(folder + b"/" + name, "wb") as file:  # noqa: PTH123
            file.write(b"no picture")
    result = screen(tmp_path / "odd")
    assert "\x1b" not in result.stdout
    assert len(result.stdout.splitlines()) == len(names) + 2
    assert len(rows()) == len(names)


def test_a_large_sample_is_read_alone_and_a_larger_one_refused(screen, rows, tmp_path, monkeypatch):
    folder = tmp_path / "samples"
    folder.mkdir()
    for seed in range(12):
        (folder / f"{seed}.png").write_bytes(cell_png(seed=seed))
    largest = max(path.stat().st_size for path in folder.iterdir())
    monkeypatch.setattr(local, "LARGE_BYTES", 1000)
    monkeypatch.setattr("firstread.edge.screen.folder.MAX_BYTES", largest - 1)
    screen(folder)
    errors = [row["error"] for row in rows() if row["error"]]
    assert errors
    assert set(errors) == {sample.TOO_LARGE}


def test_a_bomb_is_a_row_like_any_other(screen, rows, tmp_path):
    folder = tmp_path / "samples"
    folder.mkdir()
    (folder / "bomb.png").write_bytes(bomb_png())
    (folder / "whole.png").write_bytes(cell_png())
    assert screen(folder).exit_code == 1
    assert "at most 100 million are opened" in _by_path(rows)["bomb.png"]["error"]


def test_a_zip_is_read_without_unpacking_it(screen, rows, tmp_path):
    place = tmp_path / "samples.zip"
    with zipfile.ZipFile(place, "w") as archive:
        archive.writestr("deep/a.png", cell_png("red"))
        archive.writestr("deep/", b"")
        archive.writestr("../../b.png", cell_png("blue"), zipfile.ZIP_DEFLATED)
        archive.writestr("__MACOSX/deep/._a.png", b"a system's own")
        archive.writestr(".hidden", b"hidden")
    assert screen(place).exit_code == 0
    assert {path: row["label"] for path, row in _by_path(rows).items()} == {
        "deep/a.png": "red",
        "../../b.png": "blue",
    }
    assert not (tmp_path.parent.parent / "b.png").exists()


def test_two_entries_of_one_name_are_two_samples(screen, rows, tmp_path):
    place = tmp_path / "samples.zip"
    with zipfile.ZipFile(place, "w") as archive:
        archive.writestr("a.png", cell_png("red"))
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a.png", cell_png("blue"))
    screen(place)
    assert {p: r["label"] for p, r in _by_path(rows).items()} == {"a.png": "red", "a.png#2": "blue"}


def test_damaged_locked_and_huge_entries_say_why(screen, rows, tmp_path, monkeypatch):
    monkeypatch.setattr("firstread.edge.screen.zipped.MAX_BYTES", 1_000_000)
    whole = BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("damaged.png", cell_png(seed=1))
        archive.writestr("locked.png", cell_png(seed=2))
        archive.writestr("odd.png", cell_png(seed=3))
        archive.writestr("bomb.png", bytes(2_000_000), zipfile.ZIP_DEFLATED)
        archive.writestr("whole.png", cell_png(seed=4))
    data = bytearray(whole.getvalue())
    damaged = data.index(cell_png(seed=1)) + 300
    data[damaged] ^= 0xFF
    for name, offset, value in ((b"locked.png", 8, 1), (b"odd.png", 10, 99)):
        entry = data.rindex(name) - 46
        struct.pack_into("<H", data, entry + offset, value)
        if offset == 8:  # the flag stands beside the sample, too
            struct.pack_into("<H", data, data.index(name) - 30 + 6, value)
    place = tmp_path / "samples.zip"
    place.write_bytes(data)
    assert screen(place).exit_code == 1
    found = _by_path(rows)
    assert "is damaged" in found["damaged.png"]["error"]
    assert "is encrypted" in found["locked.png"]["error"]
    assert "packed in a way" in found["odd.png"]["error"]
    assert "larger than" in found["bomb.png"]["error"]
    assert found["whole.png"]["error"] is None


def test_a_cut_off_zip_is_said_to_be_no_archive(screen, tmp_path):
    whole = BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("a.png", cell_png())
    (tmp_path / "cut.zip").write_bytes(whole.getvalue()[:-30])
    result = screen(tmp_path / "cut.zip")
    assert result.exit_code == 2
    assert "is no archive" in result.stderr or "no zip file" in result.stderr


@pytest.fixture
def web():
    """A server on loopback that gives pictures, and a few other things."""
    asked: list[str] = []

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            times = asked.count(self.path)
            if self.path.startswith("/busy") and times < 3:
                self.send_response(503)
                self.send_header("Retry-After", "0")
            elif self.path.startswith("/moved"):
                self.send_response(302)
                self.send_header("Location", "/red.png")
            elif self.path.startswith("/round"):
                self.send_response(302)
                self.send_header("Location", "/round")
            elif self.path.startswith("/missing"):
                self.send_response(404)
            elif self.path.startswith("/down"):
                self.send_response(500)
            else:
                data = cell_png("red")
                self.send_response(200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
                return
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Tests are quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    serving = Thread(target=server.serve_forever)
    serving.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    serving.join()
    server.server_close()


@pytest.fixture
def quick(monkeypatch):
    """A pause between tries that a test can wait for."""
    monkeypatch.setattr("firstread.connect.web.fetch.PAUSE_S", 0.01)


def test_a_list_holds_addresses_of_any_kind(screen, rows, tmp_path, web, quick):
    url, _ = web
    (tmp_path / "near").mkdir()
    (tmp_path / "near" / "green cell.png").write_bytes(cell_png("green"))
    (tmp_path / "far.png").write_bytes(cell_png("blue"))
    lines = [
        "sep=;",
        "accession;Path",
        "1;near/green cell.png",
        f"2;{tmp_path / 'far.png'}",
        f"3;{(tmp_path / 'far.png').as_uri()}",
        f"4;{url}/red.png?token=abc",
        f"5;{url}/busy.png",
        f"6;{url}/moved.png",
        f"7;{url}/missing.png",
        f"8;{url}/round",
        "9;http://",
        "10;gopher://example.org/a.png",
        "11;near",
        "12;absent.png",
        "13;",
        "",
    ]
    table = tmp_path / "list.csv"
    table.write_text("\ufeff" + "\n".join(lines), encoding="utf-8")
    assert screen(table).exit_code == 1
    found = _by_path(rows)
    assert len(found) == 12
    labels = {path.rpartition("/")[2]: row["label"] for path, row in found.items()}
    assert labels["green cell.png"] == "green"
    assert labels["far.png"] == "blue"
    assert labels["red.png?token=abc"] == labels["busy.png"] == labels["moved.png"] == "red"
    assert "404" in found[f"{url}/missing.png"]["error"]
    assert "no web address" in found[f"{url}/round"]["error"]
    assert "no web address" in found["http://"]["error"]
    assert "gopher:// are not known here" in found["gopher://example.org/a.png"]["error"]
    assert "folder" in found["near"]["error"]
    assert "no such file" in found["absent.png"]["error"]


def test_an_address_that_stands_twice_is_fetched_once(screen, rows, tmp_path, web):
    url, asked = web
    table = tmp_path / "list.txt"
    table.write_text(f"{url}/a.png\n" * 30 + f"{url}/b.png\n" + f"{url}/a.png\n")
    assert screen(table).exit_code == 0
    assert sorted(_by_path(rows)) == [f"{url}/a.png", f"{url}/b.png"]
    assert sorted(asked) == ["/a.png", "/b.png"]


def test_what_could_not_be_fetched_is_tried_again_by_the_next_start(
    screen, rows, out, tmp_path, web, quick
):
    url, asked = web
    (tmp_path / "here.png").write_bytes(cell_png("blue"))
    table = tmp_path / "list.csv"
    table.write_text(f"path\nhere.png\n{url}/down.png\n")
    first = screen(table)
    assert first.exit_code == 1
    assert "1 could not be fetched just now; the same command tries them again" in first.stdout
    assert "500" in _by_path(rows)[f"{url}/down.png"]["error"]
    ms = _by_path(rows)["here.png"]["ms"]
    tries = len(asked)
    second = screen(table)
    assert "2 samples: 1 read" in second.stdout
    assert len(asked) > tries
    assert _by_path(rows)["here.png"]["ms"] == ms


def test_when_nothing_can_be_fetched_it_stops_instead_of_giving_up_on_each(
    screen, out, tmp_path, web, quick
):
    url, _ = web
    table = tmp_path / "list.csv"
    table.write_text("path\n" + "".join(f"{url}/down{n}.png\n" for n in range(200)))
    result = screen(table)
    assert result.exit_code == 1
    assert "The last 50 samples could not be fetched" in result.stderr
    assert "goes on where it stopped" in result.stderr
    assert not out.exists()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"accession,comment\n1,x\n", "has no column of addresses"),
        (b"path\n\xff\xfe\n", "not a CSV file in UTF-8"),
        (b"path\n" + b"x" * 200_000 + b"\n", "not a CSV file in UTF-8"),
        (b"path\n", "There are no samples"),
        (b"", "There are no samples"),
    ],
    ids=["no column", "not text", "endless line", "no line", "empty"],
)
def test_a_list_that_is_none_says_so(screen, tmp_path: Path, content, sentence):
    (tmp_path / "list.csv").write_bytes(content)
    result = screen(tmp_path / "list.csv")
    assert result.exit_code == 2
    assert sentence in result.stderr

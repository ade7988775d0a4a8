"""`firstread client` prints what `firstread classify` prints, and outlives bad servers."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from firstread.cli.main import main
from firstread.packs import find_pack
from tests.answering_for_tests import answering, says
from tests.images_for_tests import blurred_png, cell_png, every_form, not_pictures
from tests.images_for_tests import cell as draw
from tests.packs_for_tests import make_pack
from tests.serving_for_tests import Serving, environment, serving

COUNT = 200
SIZES = {"name": "colour", "version": "1.0.0", "kind": "image"}


@pytest.fixture(scope="module")
def running(shelf: Path) -> Iterator[Serving]:
    with serving("colour", "sizes", shelf=shelf) as one:
        yield one


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    """Labelled cells of every form, blurred ones, and what is no picture."""
    folder = tmp_path / "samples"
    for colour in ("red", "green", "blue"):
        (folder / colour).mkdir(parents=True)
        for name, data in every_form(draw(colour, seed=7)).items():
            (folder / colour / name.replace(" ", "_")).write_bytes(data)
        (folder / colour / "blurred.png").write_bytes(blurred_png(colour))
    for name, data in not_pictures().items():
        (folder / "red" / name.replace(" ", "_")).write_bytes(data)
    (folder / "green" / "really red.png").write_bytes(cell_png("red", seed=8))
    (folder / "unlabelled.png").write_bytes(cell_png("red", seed=9))
    (folder / "new\nline.png").write_bytes(cell_png("blue", seed=9))
    return folder


def _client(*words: str | Path, server: Serving | str) -> Result:
    url = server if isinstance(server, str) else server.url
    return CliRunner().invoke(main, ["client", *map(str, words), "--server", url])


def _classify(*words: str | Path) -> Result:
    return CliRunner().invoke(main, ["classify", *map(str, words)])


def _without_ms(text: str) -> str:
    return re.sub(r'"ms": [0-9.e-]+', '"ms": 0', text)


@pytest.mark.parametrize("form", [(), ("--json",), ("--positive", "green,red")])
def test_client_and_classify_print_the_same_of_labelled_pictures(
    running: Serving, samples: Path, form: tuple[str, ...]
) -> None:
    there = _client(samples, "--pack", "colour", *form, server=running)
    here = _classify(samples, "--pack", "colour", *form)
    assert _without_ms(there.stdout) == _without_ms(here.stdout)
    assert (there.exit_code, there.stderr) == (here.exit_code, here.stderr) == (1, "")
    assert "true positive" in there.stdout


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_client_and_classify_print_the_same_of_measurements(
    running: Serving, tmp_path: Path, form: tuple[str, ...]
) -> None:
    folder = tmp_path / "rows"
    folder.mkdir()
    (folder / "a.csv").write_text("size;shape;nuclei;class\n9,5;9;?;4\n1;1;1;2\n1;11;1;2\n;1;1;2\n")
    (folder / "b.json").write_text('[{"size": 1, "shape": "2"}, {"size": true}, {"odd": [1]}]')
    (folder / "c.json").write_text('{"size": 1, "shape": 1, "label": "benign"}')
    (folder / "d.png").write_bytes(cell_png())
    there = _client(folder, "--pack", "sizes", *form, server=running)
    here = _classify(folder, "--pack", "sizes", *form)
    assert _without_ms(there.stdout) == _without_ms(here.stdout)
    assert len(there.stdout.splitlines()) > 9


def test_the_shipped_pack_reads_phantoms_alike_here_and_there(tmp_path: Path) -> None:
    made = CliRunner().invoke(
        main, ["phantom", "blood-smear", "--count", "16", "--out", str(tmp_path / "cells")]
    )
    assert made.exit_code == 0, made.output
    pack = str(find_pack(str(Path(__file__).parents[2] / "packs" / "blood-cell")))
    words = (tmp_path / "cells", "--labels", "names", "--json")
    with serving(pack) as server:
        there = _client(*words, server=server)
    here = _classify(*words, "--pack", pack)
    assert _without_ms(there.stdout) == _without_ms(here.stdout)
    figures = json.loads(here.stdout.splitlines()[-1])["summary"]
    assert (figures["n"], figures["true_positives"]) == (16, 4)


def test_the_only_pack_need_not_be_named_and_one_of_several_must(
    running: Serving, samples: Path, shelf: Path
) -> None:
    refused = _client(samples, server=running)
    assert refused.exit_code == 2
    assert "has the packs colour, sizes. Name the one that shall read." in refused.stderr
    with serving("colour", shelf=shelf) as server:
        assert "true positive" in _client(samples, server=server).stdout


def test_an_unknown_pack_a_wrong_token_and_no_server_are_one_sentence_each(
    running: Serving, samples: Path, shelf: Path, tmp_path: Path
) -> None:
    unknown = _client(samples, "--pack", "nothing", server=running)
    assert (unknown.exit_code, unknown.stdout) == (2, "")
    assert "no pack 'nothing'" in unknown.stderr
    (tmp_path / "token").write_text("geheim\n")
    with serving("colour", shelf=shelf, options=["--token", "geheim"]) as guarded:
        wrong = _client(samples, server=guarded)
        right = _client(samples, "--token-file", tmp_path / "token", server=guarded)
    assert (wrong.exit_code, wrong.stdout) == (1, "")
    assert "true positive" in right.stdout
    down = _client(samples, server=guarded)
    assert (down.exit_code, down.stdout) == (1, "")
    assert len(down.stderr.splitlines()) == 1
    assert "does not answer (Connection refused). Check its address" in down.stderr


def test_the_servers_own_limit_is_said_of_the_sample_and_the_others_are_read(
    samples: Path, shelf: Path
) -> None:
    (samples / "a_large.png").write_bytes(bytes(3 << 20))
    with serving("colour", shelf=shelf, options=["--max-body-mb", "1"]) as small:
        result = _client(samples, "--json", server=small)
    answers = [json.loads(line) for line in result.stdout.splitlines()][:-1]
    assert "error" in answers[0]
    assert sum("label" in each for each in answers) > 50


def test_a_server_with_a_short_queue_answers_every_sample_in_the_end(
    samples: Path, shelf: Path
) -> None:
    options = ["--queue", "1", "--threads", "1"]
    with serving("colour", shelf=shelf, options=options) as narrow:
        result = _client(samples, "--concurrency", "32", server=narrow)
    assert result.stdout == _classify(samples, "--pack", "colour").stdout


def test_another_pack_in_the_middle_of_a_run_ends_it(samples: Path) -> None:
    def answer(**changed: Any) -> bytes:
        labels = [{"code": "red", "title": "Red", "positive": True}]
        return json.dumps(
            {"pack": SIZES, "pack_sha256": "00", "labels": labels, "measurements": []}
            | {"label": "red", "findings": [], "alarms": [], "unfit": None, "finding_set": []}
            | {"probability": 1.0, "familiarity": None, "version": "1.0.0"} | changed
        ).encode()  # fmt: skip

    whole, other = says("200 OK", answer()), says("200 OK", answer(version="1.1.0"))
    with answering(whole, whole, other) as server:
        result = _client(samples, "--pack", "colour", server=server.url)
    assert result.exit_code == 2
    assert "reads with colour 1.1.0 now, and began with 1.0.0" in result.stderr


def _large_run(tmp_path: Path, url: str) -> tuple[list[str], Path]:
    many, out = tmp_path / "many", tmp_path / "answers.jsonl"
    many.mkdir()
    large = cell_png("red", side_px=400)
    for number in range(COUNT):
        (many / f"{number:04}_1.png").write_bytes(large)
    words = ["client", str(many), "--server", url, "--pack", "colour", "--json", "--out", str(out)]
    return words, out


def _started(words: list[str], out: Path) -> subprocess.Popen[str]:
    """The command, when it has kept a few answers."""
    run = subprocess.Popen(
        [sys.executable, "-m", "firstread", *words],
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not (out.exists() and out.stat().st_size > 2000) and run.poll() is None:
        time.sleep(0.001)
    return run


def _is_whole(result: Result, out: Path) -> bool:
    paths = [json.loads(line)["path"] for line in out.read_text().splitlines()]
    assert paths == sorted(set(paths))
    figures = json.loads(result.stdout.splitlines()[-1])["summary"]
    return len(paths) == COUNT == figures["true_positives"]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_stopped_goes_on_where_it_was(
    running: Serving, tmp_path: Path, how: signal.Signals
) -> None:
    words, out = _large_run(tmp_path, running.url)
    run = _started(words, out)
    run.send_signal(how)
    _, said = run.communicate()
    before = out.read_bytes()
    assert 0 < before.count(b"\n") < COUNT, said
    assert run.returncode == (130 if how == signal.SIGINT else -signal.SIGKILL)
    result = CliRunner().invoke(main, words)
    assert out.read_bytes().startswith(before[: before.rindex(b"\n") + 1])
    assert _is_whole(result, out)


def test_a_server_that_starts_again_in_the_middle_is_waited_for(
    shelf: Path, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    with serving("colour", shelf=shelf, options=["--port", port]) as first:
        words, out = _large_run(tmp_path, first.url)
        run = _started(words, out)
        first.process.kill()
        first.process.wait()
    with serving("colour", shelf=shelf, options=["--port", port]):
        _, said = run.communicate(timeout=120)
        assert run.returncode == 0, said
        assert _is_whole(CliRunner().invoke(main, words), out)


def test_a_server_that_never_comes_back_ends_the_run_with_what_was_read(
    shelf: Path, tmp_path: Path
) -> None:
    with serving("colour", shelf=shelf) as server:
        words, out = _large_run(tmp_path, server.url)
        run = _started(words, out)
        server.process.kill()
        server.process.wait()
        _, said = run.communicate(timeout=120)
    assert run.returncode == 1
    read = out.read_bytes().count(b"\n")
    assert f"{read} of {COUNT} were read. Run the same command again to go on." in said


def test_ctrl_c_does_not_wait_for_a_server_that_is_silent(tmp_path: Path) -> None:
    whole = json.dumps(
        {"pack": SIZES, "pack_sha256": "00", "labels": [], "measurements": []}
    ).encode()
    busy = says("503 Service Unavailable", b"{}", headers={"Retry-After": "30"})
    with answering(says("200 OK", whole), busy) as server:
        words, _ = _large_run(tmp_path, server.url)
        run = subprocess.Popen(
            [sys.executable, "-m", "firstread", *words], stderr=subprocess.PIPE, text=True
        )
        while len(server.asked) < 3 and run.poll() is None:
            time.sleep(0.01)
        run.send_signal(signal.SIGINT)
        _, said = run.communicate(timeout=20)
    assert run.returncode == 130
    assert f"Stopped. 0 of {COUNT} were read." in said


def test_a_new_pack_on_the_server_does_not_go_on_with_an_old_file(
    samples: Path, tmp_path: Path
) -> None:
    out = tmp_path / "answers.jsonl"
    for version, gain in (("1.0.0", 8.0), ("1.0.1", 2.0)):
        make_pack(tmp_path / version, version=version, gain=gain)
        with serving("colour", shelf=tmp_path / version) as server:
            result = _client(samples, "--out", out, server=server)
    assert result.exit_code == 2
    assert "holds answers of colour 1.0.0 with other contents than colour 1.0.1" in result.stderr


def test_the_lean_install_is_enough() -> None:
    code = (
        "import sys; sys.modules.update(httpx=None, django=None, torch=None)\n"
        "import firstread.cli.client, firstread.client.reader, firstread.cli.reading\n"
        "from firstread.client import ReaderClient"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

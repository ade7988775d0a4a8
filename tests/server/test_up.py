"""`firstread up` and its kin as an operator runs them: real processes, real ports."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.images_for_tests import cell_png
from tests.smtp_for_tests import free_port

PREPARE = "from firstread.server.start import *; open_django(); open_database()"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory, shelf: Path) -> Path:
    """A home folder with an empty database: bringing one up takes longer than what is tested."""
    home = tmp_path_factory.mktemp("home")
    (home / "firstread.toml").write_text(
        '[checks.leukaemia]\npack = "colour"\n[checks.breast-cytology]\npack = "sizes"\n'
    )
    given = {"FIRSTREAD_HOME": str(home), "FIRSTREAD_PACKS": str(shelf)}
    subprocess.run([sys.executable, "-c", PREPARE], env=_outside() | given, check=True, timeout=120)
    return home


@pytest.fixture
def env(tmp_path: Path, prepared: Path, shelf: Path) -> dict[str, str]:
    home = tmp_path / "home"
    shutil.copytree(prepared, home)
    return _outside() | {
        "FIRSTREAD_HOME": str(home),
        "FIRSTREAD_PACKS": str(shelf),
        "FIRSTREAD_PORT": str(free_port()),
        "FIRSTREAD_INBOX_FOLDER": str(tmp_path / "inbox"),
    }


def _outside() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("FIRSTREAD_")}


def _start(env: dict[str, str], *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "firstread", *words],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _run(
    env: dict[str, str], *words: str, given: str | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "firstread", *words],
        env=env,
        input=given if given is not None else "",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _answers(port: str) -> httpx.Response:
    end = time.monotonic() + 60
    while True:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/sign-in")
        except httpx.TransportError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def _wait_for_read(env: dict[str, str]) -> str:
    """The id of the one case, once it has been read."""
    import sqlite3

    end = time.monotonic() + 60
    while time.monotonic() < end:
        with sqlite3.connect(Path(env["FIRSTREAD_HOME"]) / "firstread.sqlite3") as database:
            rows = database.execute("SELECT id FROM clinic_case WHERE state = 'read'").fetchall()
        database.close()
        if rows:
            return str(rows[0][0])
        time.sleep(0.1)
    raise AssertionError("the file in the folder was never read")


def test_up_takes_a_file_reads_it_and_ends_cleanly(env: dict[str, str], tmp_path: Path) -> None:
    from tests.packs_for_tests import make_pack

    up = _start(env, "up")
    try:
        page = _answers(env["FIRSTREAD_PORT"])
        inbox = Path(env["FIRSTREAD_INBOX_FOLDER"]) / "leukaemia"
        inbox.mkdir(parents=True, exist_ok=True)
        (inbox / "865102_lab_2_Apr_21.png").write_bytes(cell_png())
        case = _wait_for_read(env)
    finally:
        up.send_signal(signal.SIGTERM)
        said, _ = up.communicate(timeout=60)
    assert up.returncode == 0, said
    assert page.status_code == 200
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert page.headers["X-Frame-Options"] == "DENY"
    assert "firstread-demo" not in page.text
    assert "865102" not in said
    assert "red" not in said.replace("Shared", "")

    again = _run(env, "replay", case, "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["same"] is True
    make_pack(tmp_path / "other", gain=5.0)
    other = _run(env | {"FIRSTREAD_PACKS": str(tmp_path / "other")}, "replay", case)
    assert other.returncode == 1
    assert "the pack's hash was" in other.stdout
    assert "the numbers differ" in other.stdout
    verified = _run(env, "audit", "verify", "--json")
    assert json.loads(verified.stdout)["whole"] is True


def test_a_taken_port_is_said_in_a_sentence(env: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", int(env["FIRSTREAD_PORT"]))):
        done = _run(env, "up")
    assert done.returncode == 2
    assert "cannot listen on 127.0.0.1" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["up", "doctor"])
def test_a_wrong_setting_is_said_in_a_sentence(env: dict[str, str], command: str) -> None:
    done = _run(env | {"FIRSTREAD_MAIL_BACKEND": "pigeon"}, *command.split())
    assert done.returncode == 2
    assert "'mail.backend'" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_demo_refuses_every_address_but_loopback(env: dict[str, str], tmp_path: Path) -> None:
    done = _run(env, "demo", "--host", "0.0.0.0", "--data", str(tmp_path / "demo"))
    assert done.returncode == 2
    assert "127.0.0.1 only" in done.stderr


def test_the_first_operator_is_added_by_a_command(env: dict[str, str]) -> None:
    weak = _run(env, "person", "olga", given="1234\n")
    assert (weak.returncode, "too short" in weak.stderr) == (1, True)
    done = _run(env, "person", "olga", "--email", "olga@example.org", given="a long passphrase\n")
    assert done.returncode == 0, done.stderr
    looked = _run(env, "doctor", "--json")
    parts = {each["part"]: each for each in map(json.loads, looked.stdout.splitlines())}
    assert parts["check leukaemia"]["trouble"] is False
    assert parts["store"]["trouble"] is False
    assert "Nobody reads" in parts["people"]["says"]
    assert looked.returncode == 1


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("FIRSTREAD_DATABASE_URL", "sqlite:////nowhere/at/all.sqlite3", "database does not open"),
        ("FIRSTREAD_DATABASE_URL", "postgresql://u:s3cret@127.0.0.1:1/x", "does not open"),
        ("FIRSTREAD_INBOX_DEFAULT_CHECK", "sputum", "'inbox.default_check' names a check"),
        ("FIRSTREAD_HOST", "no-such-machine.invalid", "cannot listen on no-such-machine.invalid"),
    ],
)
def test_what_keeps_it_from_starting_is_one_sentence(
    env: dict[str, str], name: str, value: str, sentence: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "firstread", "up"],
        env=env | {name: value},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert sentence in done.stderr
    said = [line for line in done.stderr.splitlines() if "is waited for" not in line]
    assert len(said) == 1
    assert said[0].startswith("firstread: ")
    assert "s3cret" not in done.stderr


@pytest.mark.parametrize("words", [["audit", "verify"], ["replay", "no-case"]])
@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("sqlite:///{}/mistyped.sqlite3", "no database of this version here"),
        ("sqlite:///{}/garbage.sqlite3", "database does not open: file is not a database"),
    ],
)
def test_looking_makes_no_database(
    env: dict[str, str], tmp_path: Path, words: list[str], url: str, sentence: str
) -> None:
    (tmp_path / "garbage.sqlite3").write_text("nothing that a database wrote")
    done = subprocess.run(
        [sys.executable, "-m", "firstread", *words],
        env=env | {"FIRSTREAD_DATABASE_URL": url.format(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1

"""`firstread up` and its kin as an operator runs them: real processes, real ports."""

from __future__ import annotations

import json
import os
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


@pytest.fixture
def env(tmp_path: Path, shelf: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FIRSTREAD_")}
    (tmp_path / "firstread.toml").write_text(
        '[checks.leukaemia]\npack = "colour"\n[checks.breast-cytology]\npack = "sizes"\n'
    )
    return kept | {
        "FIRSTREAD_HOME": str(tmp_path),
        "FIRSTREAD_PACKS": str(shelf),
        "FIRSTREAD_PORT": str(free_port()),
        "FIRSTREAD_INBOX_FOLDER": str(tmp_path / "inbox"),
    }


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


def test_up_takes_a_file_reads_it_and_ends_cleanly(env: dict[str, str]) -> None:
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
    verified = _run(env, "audit", "verify", "--json")
    assert json.loads(verified.stdout)["whole"] is True


def test_replay_says_what_changed(env: dict[str, str], tmp_path: Path) -> None:
    from tests.packs_for_tests import make_pack

    up = _start(env, "up")
    try:
        inbox = Path(env["FIRSTREAD_INBOX_FOLDER"]) / "leukaemia"
        inbox.mkdir(parents=True, exist_ok=True)
        (inbox / "1.png").write_bytes(cell_png())
        _answers(env["FIRSTREAD_PORT"])
        case = _wait_for_read(env)
    finally:
        up.terminate()
        up.communicate(timeout=60)
    make_pack(tmp_path / "other", gain=5.0)
    again = _run(env | {"FIRSTREAD_PACKS": str(tmp_path / "other")}, "replay", case)
    assert again.returncode == 1
    assert "the pack's hash was" in again.stdout
    assert "the numbers differ" in again.stdout
    assert _run(env, "replay", "nonsense").returncode == 2


def test_a_taken_port_is_said_in_a_sentence(env: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", int(env["FIRSTREAD_PORT"]))):
        done = _run(env, "up")
    assert done.returncode == 2
    assert "cannot listen on 127.0.0.1" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["up", "worker", "doctor", "audit verify"])
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
    twice = _run(env, "person", "olga", given="a long passphrase\n")
    assert "already" in twice.stderr

    looked = _run(env, "doctor", "--json")
    parts = {each["part"]: each for each in map(json.loads, looked.stdout.splitlines())}
    assert parts["check leukaemia"]["trouble"] is False
    assert parts["store"]["trouble"] is False
    assert "Nobody reads" in parts["people"]["says"]
    assert looked.returncode == 1

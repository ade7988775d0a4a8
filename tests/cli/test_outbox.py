"""`firstread outbox` as an operator runs it: what leaves is listed, and sent again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

WRITE = """
from firstread.server.start import open_database, open_django
open_django(); open_database()
from django.utils import timezone
from firstread.clinic.models import Outgoing, Person
ana = Person.objects.create_user("ana", "ana@example.org", first_name="Ana")
for number, state in enumerate(["given_up", "kept", "given_up", "sent"]):
    Outgoing.objects.create(
        key=str(number), channel="mail", address=ana.email, to=ana, state=state,
        payload_kind="letter", payload={"subject": f"Letter {number}", "text": "Come."},
        last_error="The mail server answered 550: No." if state == "given_up" else "",
        created_at=timezone.now(), waits_since=timezone.now(),
    )
"""


@pytest.fixture
def env(tmp_path: Path, shelf: Path) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("FIRSTREAD_")}
    given = own | {
        "FIRSTREAD_HOME": str(tmp_path),
        "FIRSTREAD_PACKS": str(shelf),
        "FIRSTREAD_MAIL_BACKEND": "smtp",
    }
    subprocess.run([sys.executable, "-c", WRITE], env=given, check=True, timeout=120)
    return given


def _run(env: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "firstread", "outbox", *words]
    return subprocess.run(
        command, env=env, check=False, capture_output=True, text=True, timeout=120
    )


def _states(env: dict[str, str]) -> dict[int, str]:
    lines = _run(env, "list", "--json").stdout.splitlines()
    return {each["number"]: each["state"] for each in map(json.loads, lines)}


def test_what_leaves_is_listed_and_sent_again(env: dict[str, str]) -> None:
    listed = _run(env, "list", "--state", "given_up").stdout.splitlines()
    assert [line.split()[0] for line in listed] == ["3", "1"]
    assert listed[0].endswith("Ana: Letter 2  The mail server answered 550: No.")
    assert _run(env, "resend", "2").stdout == "1 message leaves again.\n"
    assert _run(env, "resend", "--given-up", "--channel", "mail").stdout == (
        "2 messages leave again.\n"
    )
    assert _states(env) == {4: "sent", 3: "waiting", 2: "waiting", 1: "waiting"}
    for words, says, code in [
        (["resend", "4"], "It has left already, or is on its way", 1),
        (["resend"], "Give the numbers", 2),
        (["list", "--channel", "fax"], "There is no channel 'fax'. There are: mail", 2),
    ]:
        refused = _run(env, *words)
        assert says in refused.stderr
        assert refused.returncode == code
    assert "adds up" in _verify(env)


def _verify(env: dict[str, str]) -> str:
    command = [sys.executable, "-m", "firstread", "audit", "verify"]
    return subprocess.run(
        command, env=env, check=True, capture_output=True, text=True, timeout=120
    ).stdout

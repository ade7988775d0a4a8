"""The receiver that docs/webhooks.md shows takes what we post, once, and nothing else."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from firstread.clinic.outbox.events import EVENTS
from firstread.connect.channel import Delivery, Parcel
from firstread.connect.webhook.delivery import deliver
from firstread.connect.webhook.settings import WebhookSettings
from firstread.toml import Secret
from tests.smtp_for_tests import free_port
from tests.webhooks_for_tests import SECRET

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "webhooks.md").read_text("utf-8")


@pytest.fixture
def program() -> Iterator[tuple[subprocess.Popen[str], int]]:
    example = re.search(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    assert example
    port = free_port()
    running = subprocess.Popen(
        [sys.executable, "-c", example[1], str(port)],
        env={"PATH": os.environ["PATH"], "FIRSTREAD_WEBHOOK_SECRET": SECRET},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    end = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            assert running.poll() is None
            assert time.monotonic() < end, "the example never listened"
            time.sleep(0.05)
    yield running, port
    running.kill()
    running.wait()
    assert running.stdout
    running.stdout.close()


def _post(port: int, key: str, *, secret: str = SECRET) -> Delivery:
    payload: dict[str, Any] = {"type": "case.read", "data": {"link": f"http://clinic/{key}"}}
    address = f"http://127.0.0.1:{port}/"
    return deliver(
        Parcel(key=key, address=address, payload=payload, site="http://clinic"),
        WebhookSettings(addresses=(address,), secret=Secret(secret), timeout_s=20),
    )


def test_the_example_takes_each_message_once_and_refuses_a_forged_one(
    program: tuple[subprocess.Popen[str], int],
) -> None:
    running, port = program
    assert [_post(port, key).error for key in ("event_1", "event_1", "event_2")] == ["", "", ""]
    forged = _post(port, "event_3", secret="whsec_" + 8 * "AAAA")
    assert forged.error == f"127.0.0.1:{port} answered 401."
    assert not forged.permanent
    running.kill()
    assert running.stdout
    assert running.stdout.read().splitlines() == [
        "case.read http://clinic/event_1",
        "case.read http://clinic/event_2",
    ]


def test_the_page_lists_every_event() -> None:
    listed = re.findall(r"^\| `(case\.[a-z_]+)` \|", PAGE, flags=re.MULTILINE)
    assert listed == list(EVENTS.values())

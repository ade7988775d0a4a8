"""Telling systemd that the service is up, alive and stopping, where systemd asks for it."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping


def notify(state: str, *, environment: Mapping[str, str] = os.environ) -> bool:
    """Send a line such as READY=1 to systemd; False where nobody listens (sd_notify(3))."""
    address = environment.get("NOTIFY_SOCKET", "")
    if not address:
        return False
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            # '@' stands for a name outside the file system.
            channel.connect("\0" + address[1:] if address.startswith("@") else address)
            channel.sendall(state.encode())
    except OSError:
        return False
    return True


def watchdog_s(environment: Mapping[str, str] = os.environ) -> float | None:
    """How often systemd wants to hear that the process is alive; None where it does not.

    >>> watchdog_s({"WATCHDOG_USEC": "60000000"})
    60.0
    """
    asked = environment.get("WATCHDOG_USEC", "")
    other = environment.get("WATCHDOG_PID", "")
    if not asked.isdecimal() or (other and other != str(os.getpid())):
        return None
    return int(asked) / 1_000_000 or None

"""Log lines of the reader: one line an event, and nothing in it of a sample or who sent it."""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Literal

_ENCODER = json.JSONEncoder(separators=(",", ":"))


class Log:
    """Writes to standard error; threads may share it.

    Of an address it names the route, never what stood in it or behind its question mark; of an
    error of ours its kind and where it happened, never its words.
    """

    def __init__(
        self, *, form: Literal["json", "text"], write: Callable[[bytes], object] | None = None
    ) -> None:
        self._form = form
        self._write = write or _to_standard_error

    def event(self, name: str, **fields: Any) -> None:
        """One line; fields that are None or empty are left out."""
        time = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        told = {key: value for key, value in fields.items() if value not in (None, "")}
        if self._form == "json":
            line = _ENCODER.encode({"time": time, "event": name, **told})
        else:
            words = [f"{key}={_one_word(value)}" for key, value in told.items()]
            line = " ".join([time, name, *words])
        # A log that cannot be written must not keep anybody from reading.
        with suppress(OSError):
            self._write(line.encode(errors="replace") + b"\n")

    def failure(self, error: BaseException, *, route: str) -> None:
        """An error of ours: its kind, and where it happened."""
        frames = traceback.extract_tb(error.__traceback__)
        where = [f"{os.path.basename(frame.filename)}:{frame.lineno}" for frame in frames]  # noqa: PTH119  a name only
        self.event("failure", route=route, kind=type(error).__name__, where=where)


def _one_word(value: Any) -> str:
    text = str(value)
    return json.dumps(text) if any(sign in ' "=\n' for sign in text) else text


def _to_standard_error(line: bytes) -> object:
    return os.write(2, line)

"""Log lines: one line each, ids only, so that no log holds a name, a finding or an accession."""

from __future__ import annotations

import logging
import traceback
from types import TracebackType
from typing import Any


class Lines(logging.Formatter):
    """Says of an error its kind and where it happened, never its words.

    A database names the very values that it refuses, and those may be a patient's.
    """

    def formatException(  # noqa: N802 - logging's name
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None]
        | tuple[None, None, None],
    ) -> str:
        kind, _error, trace = ei
        frames = "".join(traceback.format_tb(trace)).rstrip()
        return f"{frames}\n{kind.__name__ if kind else 'unknown error'}"


def logging_of(*, demo: bool) -> dict[str, Any]:
    """Django's logging settings; the demo says only what goes wrong."""
    level = "WARNING" if demo else "INFO"
    quiet = {"handlers": ["lines"], "level": "ERROR", "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "class": f"{__name__}.Lines",
                "format": "{asctime} {levelname} {name} {message}",
                "style": "{",
            }
        },
        "handlers": {"lines": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["lines"], "level": level},
        "loggers": {
            # Django names the address that was asked for, axes the user name: neither belongs here.
            "django.request": quiet,
            "django.security": quiet,
            "django.security.csrf": quiet,
            # Whoever tries other host names is refused; their tries would fill the log.
            "django.security.DisallowedHost": {"level": "CRITICAL", "propagate": False},
            "axes": quiet,
            "watchfiles": quiet,
            "uvicorn.access": {"handlers": [], "level": "CRITICAL", "propagate": False},
        },
    }

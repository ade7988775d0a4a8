"""Log lines: one line each, ids only, so that no log holds a name, a finding or an accession."""

from __future__ import annotations

from typing import Any


def logging_of(*, demo: bool) -> dict[str, Any]:
    """Django's logging settings; the demo says only what goes wrong."""
    level = "WARNING" if demo else "INFO"
    quiet = {"handlers": ["lines"], "level": "ERROR", "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
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
            "axes": quiet,
            "watchfiles": quiet,
            "uvicorn.access": {"handlers": [], "level": "CRITICAL", "propagate": False},
        },
    }

"""What every page knows of the server."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from firstread import __version__


def about(_request: HttpRequest) -> dict[str, Any]:
    """The version, and whether this is the demo."""
    return {"firstread_version": __version__, "demo": settings.FIRSTREAD.demo}

"""What a page says when something failed that nobody foresaw."""

from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import get_template

AGAIN_IN_S = 5
"""When a program may ask again."""


def server_error(_request: HttpRequest) -> HttpResponse:
    """503 where the database or the disk does not answer just now, else 500.

    Django calls it while it handles the error. The templates ask nothing of the database, nor of
    who asks.
    """
    if not isinstance(sys.exc_info()[1], (OperationalError, InterfaceError, OSError)):
        return HttpResponse(get_template("500.html").render(), status=500)
    response = HttpResponse(get_template("503.html").render(), status=503)
    response["Retry-After"] = str(AGAIN_IN_S)
    response["Cache-Control"] = "no-store"
    return response

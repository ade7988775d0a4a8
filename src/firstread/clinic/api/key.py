"""The header Idempotency-Key, and what makes two requests the same."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.http import HttpRequest

from firstread.clinic.api.problems import Refused

HEADER = "Idempotency-Key"


def digest(request: HttpRequest, body: Any) -> str:
    """What makes two requests the same: the address and everything that was sent."""
    plain = json.dumps([request.method, request.path, body], sort_keys=True, default=str)
    return hashlib.sha256(plain.encode(errors="surrogatepass")).hexdigest()


def key_of(request: HttpRequest) -> str | None:
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not 1 <= len(key) <= 200 or not key.isascii() or not key.isprintable():
        raise Refused(400, f"The header {HEADER} must hold 1 to 200 printable ASCII characters.")
    return key

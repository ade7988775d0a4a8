"""Bytes from a web address, with a few tries and within limits."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx

from firstread.domain.errors import Unreachable, UnreadableSample

PAUSE_S = 0.5
"""After the first try; twice as long after each more."""
_TRIES = 4
_TIMEOUT_S = 30.0
_WHOLE_S = 300.0
"""A server that sends a byte now and then must not hold a sample for ever."""
_LONGEST_PAUSE_S = 30.0
_LATER = (408, 425, 429, 500, 502, 503, 504)


class Web:
    """Keeps its connections open; threads may share it."""

    def __init__(self, *, connections: int) -> None:
        self._client = httpx.Client(
            follow_redirects=True,
            max_redirects=5,
            timeout=_TIMEOUT_S,
            # Nothing packed: what unpacks without bounds never arrives.
            headers={"Accept-Encoding": "identity"},
            limits=httpx.Limits(max_connections=connections),
        )

    def close(self) -> None:
        self._client.close()

    def fetch(self, url: str, *, max_bytes: int, room: Callable[[int], None]) -> bytes:
        """What the address gives; `room` is told how many bytes there are so far.

        Raises UnreadableSample where the server says no or sends above `max_bytes`, and
        Unreachable where it does not answer in several tries.
        """
        pause_s = PAUSE_S
        for last in [False] * (_TRIES - 1) + [True]:
            try:
                found = self._once(url, max_bytes=max_bytes, room=room)
                if isinstance(found, bytes):
                    return found
                reason, asked_s = found
            except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.TooManyRedirects):
                raise UnreadableSample(
                    "This is no web address that leads to a sample. Correct it."
                ) from None
            except httpx.HTTPError as error:
                reason, asked_s = str(error) or type(error).__name__, 0.0
            if not last:
                time.sleep(min(max(pause_s, asked_s), _LONGEST_PAUSE_S))
                pause_s *= 2
        raise Unreachable(f"The server does not answer: {reason}.")

    def _once(
        self, url: str, *, max_bytes: int, room: Callable[[int], None]
    ) -> bytes | tuple[str, float]:
        """The bytes; or why to try again, and in how many seconds at the earliest."""
        began = time.monotonic()
        with self._client.stream("GET", url) as answer:
            said = f"{answer.status_code} {answer.reason_phrase}".strip()
            if answer.status_code in _LATER:
                asked = answer.headers.get("retry-after", "")
                return f"it says {said}", float(asked) if asked.isdecimal() else 0.0
            if not answer.is_success:
                raise UnreadableSample(
                    f"The server does not give this sample: it says {said}. Check the address, and "
                    "who may have it."
                )
            whole = bytearray()
            for part in answer.iter_raw():
                whole += part
                if len(whole) > max_bytes:
                    raise UnreadableSample(
                        f"What the server sends is larger than {max_bytes // 1024**2} MB. Put a "
                        "smaller picture there, or a part of it."
                    )
                room(len(whole))
                if time.monotonic() - began > _WHOLE_S:
                    raise Unreachable("The server sends this sample too slowly.")
            return bytes(whole)

"""Bodies that travel compressed: opened within the limit, and squeezed where a client wishes it."""

from __future__ import annotations

import zlib
from dataclasses import replace

from firstread.domain.errors import BadRequest
from firstread.edge.serve.wire import Answer, Asked

_EITHER = 32 + zlib.MAX_WBITS
"""zlib finds out by itself whether a stream is gzip's or its own; 'deflate' means the latter."""
_FORMS = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


def opened(asked: Asked, *, max_bytes: int) -> bytes:
    """The body as it was before it was compressed.

    Raises BadRequest: 415 for a compression we do not know, 413 where it unpacks to more than
    `max_bytes`, 400 where it is damaged.
    """
    named = asked.headers.get("content-encoding", "").strip().lower()
    if named in ("", "identity"):
        return asked.body
    if named not in _FORMS:
        raise BadRequest(
            "The body is compressed in a way this reader does not know. Send it plain, or "
            "compressed with gzip or deflate.",
            status=415,
        )
    return _unpacked(asked.body, max_bytes=max_bytes)


def _unpacked(body: bytes, *, max_bytes: int) -> bytes:
    stream = zlib.decompressobj(_EITHER)
    try:
        plain = stream.decompress(body, max_bytes + 1)
    except zlib.error:
        raise _damaged() from None
    if len(plain) > max_bytes:
        raise BadRequest(
            f"The body unpacks to more than {max_bytes // (1 << 20)} MB. Send less at once.",
            status=413,
        )
    if not stream.eof or stream.unused_data:
        raise _damaged()
    return plain


def _damaged() -> BadRequest:
    return BadRequest("The compressed body is damaged or cut off. Send it again.")


def squeezed(answer: Answer, asked: Asked) -> Answer:
    """The answer, compressed where the client names gzip or deflate and nothing else.

    Most clients list every compression they could open; on one's own network the time to squeeze
    floating-point numbers costs more than it saves, so a list is not taken as a wish.
    """
    wish = asked.headers.get("accept-encoding", "").strip().lower()
    if wish not in _FORMS or not answer.body:
        return answer
    squeezer = zlib.compressobj(1, zlib.DEFLATED, _FORMS[wish])
    body = squeezer.compress(answer.body) + squeezer.flush()
    headers = {**answer.headers, "content-encoding": wish, "vary": "accept-encoding"}
    return replace(answer, body=body, headers=headers)

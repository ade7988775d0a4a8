"""Firstread's own address: `POST /read/{pack}`, and what there is to know of the packs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firstread.edge.serve.wire import Answer, Asked, Route, as_json

if TYPE_CHECKING:
    from firstread.edge.serve.warm import WarmPacks


def read(asked: Asked, packs: WarmPacks) -> Answer:
    """Read what the body holds with the pack of the address."""
    reader = packs.reader(asked.parts["pack"])
    outcome = reader.read(asked.body)
    return _told(as_json(outcome.read.as_answer()), pack=reader.manifest.name, reads=1)


def _told(answer: Answer, *, pack: str, reads: int) -> Answer:
    return Answer(
        status=answer.status,
        body=answer.body,
        media_type=answer.media_type,
        headers=answer.headers,
        pack=pack,
        reads=reads,
    )


ROUTES = (
    Route(
        method="POST",
        path="/read/{pack}",
        handler=read,
        reads=True,
        summary="Read samples",
        tag="Read",
    ),
)

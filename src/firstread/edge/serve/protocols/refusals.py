"""Refusals for protocols that say them in a form of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from firstread.domain.errors import FirstreadError
from firstread.edge.serve.problems import problem_of
from firstread.edge.serve.wire import Answer, Asked, Handler

if TYPE_CHECKING:
    from firstread.edge.serve.warm import WarmPacks


def said_by(handler: Handler, refuse: Callable[[int, str], Answer]) -> Handler:
    """The handler, with what it refuses said by `refuse`."""

    def answer(asked: Asked, packs: WarmPacks) -> Answer:
        try:
            return handler(asked, packs)
        except FirstreadError as error:
            plain = problem_of(error)
            said = refuse(plain.status, str(error))
            return replace(said, headers={**said.headers, **plain.headers})

    return answer

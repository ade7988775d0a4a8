"""Which status each refusal has, for protocols that say refusals in their own form."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from firstread.domain.errors import BadRequest, FirstreadError
from firstread.edge.serve.problems import problem_of
from firstread.edge.serve.wire import Answer, Asked, Handler

if TYPE_CHECKING:
    from firstread.edge.serve.warm import WarmPacks


def status_of(error: FirstreadError) -> int:
    """HTTP's number for the error."""
    return error.status if isinstance(error, BadRequest) else problem_of(error).status


def said_by(handler: Handler, refuse: Callable[[int, str], Answer]) -> Handler:
    """The handler, with what it refuses said by `refuse`."""

    def answer(asked: Asked, packs: WarmPacks) -> Answer:
        try:
            return handler(asked, packs)
        except FirstreadError as error:
            return refuse(status_of(error), str(error))

    return answer

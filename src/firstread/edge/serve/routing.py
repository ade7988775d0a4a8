"""From a method and a path to the route that answers, or to the refusal that says why none does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from firstread.edge.serve.problems import problem
from firstread.edge.serve.wire import Answer, Asked, Route

if TYPE_CHECKING:
    from firstread.edge.serve.warm import WarmPacks


def _nobody(asked: Asked, packs: WarmPacks) -> Answer:  # noqa: ARG001  the form of a handler
    return NO_SUCH_ADDRESS


NO_SUCH_ADDRESS = problem(404, "There is nothing at this address. See /docs for what there is.")
NOWHERE = Route(method="", path="", handler=_nobody, reads=False, summary="", tag="")
"""Where a request goes that no route takes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A route, and what stood in its places."""

    route: Route
    parts: Mapping[str, str] = field(default_factory=dict)


class Table:
    """All routes. Paths without places are found at once; the few others are tried in turn."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = tuple(routes)
        self._plain: dict[str, dict[str, Found]] = {}
        self._placed: list[tuple[tuple[str, ...], Route]] = []
        for route in self.routes:
            if "{" in route.path:
                self._placed.append((tuple(route.path.split("/")), route))
            else:
                methods = self._plain.setdefault(route.path, {})
                if route.method in methods:
                    raise ValueError(f"two routes for {route.method} {route.path}")
                methods[route.method] = Found(route=route)

    def find(self, method: str, path: str) -> Found | Answer:
        """The route for a request; a HEAD is answered by the GET."""
        wanted = "GET" if method == "HEAD" else method
        methods = self._plain.get(path) or self._placed_at(path)
        if wanted in methods:
            return methods[wanted]
        if not methods:
            return NO_SUCH_ADDRESS
        allowed = sorted({*methods, *(["HEAD"] if "GET" in methods else [])})
        return problem(
            405,
            f"This address does not take {method[:20]}. Use {' or '.join(allowed)}.",
            headers={"Allow": ", ".join(allowed)},
        )

    def _placed_at(self, path: str) -> dict[str, Found]:
        given = path.split("/")
        methods: dict[str, Found] = {}
        for pattern, route in self._placed:
            parts = _parts(pattern, given)
            if parts is not None:
                methods.setdefault(route.method, Found(route=route, parts=parts))
        return methods


def _parts(pattern: tuple[str, ...], given: list[str]) -> Mapping[str, str] | None:
    if len(pattern) != len(given):
        return None
    parts = {}
    for piece, value in zip(pattern, given, strict=True):
        if piece.startswith("{"):
            if not value:
                return None
            parts[piece[1:-1]] = value
        elif piece != value:
            return None
    return parts

"""The OpenAPI 3.1 description of all routes, made from the routes and the types they speak of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import firstread
from firstread.edge.serve.problems import Problem
from firstread.edge.serve.wire import Route

_REFUSED = {"application/problem+json": {"schema": Problem}}
_OTHERWISE = {"description": "Refused for another reason: no token, too much at once, not in time."}


def document(routes: Iterable[Route], *, guarded: bool) -> dict[str, Any]:
    """The description of these routes; `guarded` where a bearer token is asked for."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, guarded=guarded)
    paths, schemas = _with_schemas(paths)
    described: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": "Firstread reader",
            "version": firstread.__version__,
            "description": "Packs behind HTTP. It keeps nothing of what it reads. Decision "
            "support for research; a qualified person decides.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {"schemas": schemas},
    }
    if guarded:
        described["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    return described


def _operation(route: Route, *, guarded: bool) -> dict[str, Any]:
    told = dict(route.describe)
    given = list(told.pop("parameters", ()))
    named = {each["name"] for each in given if each.get("in") == "path"}
    places = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in re.findall(r"\{(\w+)\}", route.path)
        if name not in named
    ]
    responses = dict(told.pop("responses", {"200": {"description": "Done."}}))
    responses.setdefault("default", _OTHERWISE)
    operation: dict[str, Any] = {
        "operationId": _id(route),
        "summary": route.summary,
        "tags": [route.tag],
        **told,
        "responses": {status: _response(status, each) for status, each in responses.items()},
    }
    if places or given:
        operation["parameters"] = [*places, *given]
    if guarded:
        operation["security"] = [] if route.open else [{"token": []}]
    return operation


def _response(status: str, told: dict[str, Any]) -> dict[str, Any]:
    """A refusal that says nothing of its form has that of a problem."""
    refuses = status == "default" or status >= "400"
    return told if "content" in told or not refuses else {**told, "content": _REFUSED}


def _with_schemas(paths: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The paths with a schema in the place of each type, and the schemas that they refer to."""
    from msgspec.json import schema_components

    kinds = list(_types(paths))
    made, schemas = schema_components(kinds, ref_template="#/components/schemas/{name}")
    return _replaced(paths, dict(zip(map(str, kinds), made, strict=True))), schemas


def _types(told: Any) -> Iterator[Any]:
    if isinstance(told, Mapping | list | tuple):
        for each in told.values() if isinstance(told, Mapping) else told:
            yield from _types(each)
    elif not isinstance(told, str | int | float | None):
        yield told


def _replaced(told: Any, made: Mapping[str, Any]) -> Any:
    if isinstance(told, Mapping):
        return {key: _replaced(each, made) for key, each in told.items()}
    if isinstance(told, list | tuple):
        return [_replaced(each, made) for each in told]
    return told if isinstance(told, str | int | float | None) else made[str(told)]


def _id(route: Route) -> str:
    words = re.findall(r"\w+", route.path) or ["page"]
    return "_".join([route.method.lower(), *words])

"""The page that says what this is, and the page that shows the OpenAPI description.

Both are whole in themselves: no script, nothing from elsewhere, so that they also work on a machine
without a network. Swagger UI, Redoc and Scalar were looked at; each is a megabyte of script.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import firstread
from firstread.domain.errors import PackRefused
from firstread.domain.foremost import MANY
from firstread.edge.kinds import KINDS
from firstread.edge.serve.describe import answered, content
from firstread.edge.serve.openapi import document
from firstread.edge.serve.wire import Answer, Asked, Handler, Route, as_json, open_route

if TYPE_CHECKING:
    from firstread.edge.serve.warm import WarmPacks

_MARK = (
    '<svg viewBox="0 0 32 32" aria-hidden="true" fill="none" stroke="currentColor">'
    '<path stroke-width="2.6" stroke-linecap="round" d="M27.6 12.2A12.3 12.3 0 1 1 19.8 4.3"/>'
    '<path fill="currentColor" stroke="none" d="M14.2 9.6c4.2-.7 8 2.2 8.2 6.2.2 4-2.9 6.9-6.6 7'
    '-4 .1-7-2.6-7-6.2 0-3.5 2-6.4 5.4-7z"/>'
    '<circle fill="currentColor" stroke="none" cx="25.4" cy="6.6" r="2.5"/></svg>'
)
_DECISION = "Decision support for research; a qualified person decides."


def routes(described: Iterable[Route], *, guarded: bool, scheme: str) -> tuple[Route, ...]:
    """The pages and the description of these routes and of themselves."""
    every: list[Route] = list(described)

    def description(asked: Asked, packs: WarmPacks) -> Answer:  # noqa: ARG001  the form of a handler
        return as_json(document(every, guarded=guarded))

    def docs(asked: Asked, packs: WarmPacks) -> Answer:  # noqa: ARG001  the form of a handler
        return _page("Addresses", _docs(document(every, guarded=guarded)))

    def front(asked: Asked, packs: WarmPacks) -> Answer:
        return _page("Reader", _front(packs, base=f"{scheme}://{_host(asked)}", guarded=guarded))

    own = (
        _route("/", front, "This reader, in a page", "text/html"),
        _route("/docs", docs, "This description, as a page", "text/html"),
        _route("/openapi.json", description, "This description", "application/json"),
    )
    every.extend(own)
    return own


def _route(path: str, handler: Handler, summary: str, media_type: str) -> Route:
    form = dict[str, Any] if media_type == "application/json" else str
    described = answered(content(form, media_type=media_type), says=summary)
    return open_route(path, handler, summary=summary, tag="Pages", describe=described)


def _page(title: str, main: str) -> Answer:
    css = files("firstread.edge.serve").joinpath("reader.css").read_text(encoding="utf-8")
    known = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{title} · Firstread</title><link rel="icon" href="data:,">'
        f"<style>{css}</style></head><body>"
        f'<a class="brand" href="/">{_MARK}Firstread</a><main>{main}</main>'
        f"<footer>Firstread {firstread.__version__}. {_DECISION}</footer></body></html>"
    )
    policy = (
        f"default-src 'none'; style-src 'sha256-{known}'; img-src data:; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    )
    return Answer(
        body=html.encode(),
        media_type="text/html; charset=utf-8",
        headers={"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer"},
    )


def _host(asked: Asked) -> str:
    """The name by which the page was reached, for the example on it."""
    return asked.headers.get("host", "127.0.0.1:8080")[:200]


def _front(packs: WarmPacks, *, base: str, guarded: bool) -> str:
    names = packs.names
    token = " -H 'Authorization: Bearer TOKEN'" if guarded else ""
    sample = _example(names[0], packs)
    example = f"curl --data-binary @{sample}{token} {base}/read/{names[0]}"
    cards = "".join(_card(name, packs) for name in names)
    return (
        "<h1>A first read of every sample</h1>"
        '<p class="lead">This reader answers over HTTP what its packs say of a picture or of '
        "measurements. It keeps nothing.</p>"
        '<nav><a href="/docs">All addresses</a><a href="/openapi.json">openapi.json</a>'
        '<a href="/packs">packs</a><a href="/metrics">metrics</a>'
        '<a href="/healthz/ready">ready</a></nav>'
        f'<h2>Try it</h2><pre tabindex="0">{escape(example)}</pre>'
        '<h2>Packs</h2><p class="quiet">Red and bold: raises the alarm.</p>'
        f'<ul class="cards">{cards}</ul>'
    )


def _example(name: str, packs: WarmPacks) -> str:
    try:
        return KINDS[packs.manifest(name).kind].example
    except PackRefused:
        return "cell.png"


def _card(name: str, packs: WarmPacks) -> str:
    try:
        manifest = packs.manifest(name)
    except PackRefused as error:
        return f'<li class="card"><h3>{escape(name)}</h3><p>{escape(str(error))}</p></li>'
    chips = "".join(
        f'<li class="chip{" positive" if label.positive else ""}">{escape(label.title)}</li>'
        for label in manifest.answers[:MANY]
    )
    if len(manifest.answers) > MANY:
        chips += f'<li class="chip">and {len(manifest.answers) - MANY} more</li>'
    return (
        f'<li class="card"><h3><a href="/packs/{escape(name)}">{escape(name)}</a> '
        f'<span class="quiet">{escape(manifest.version)}</span></h3>'
        f"<p>{escape(manifest.pack.title)}. {escape(manifest.pack.intended_use)}</p>"
        f'<ul class="chips">{chips}</ul></li>'
    )


def _docs(described: Mapping[str, Any]) -> str:
    by_tag: dict[str, list[str]] = {}
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            shown = by_tag.setdefault(operation["tags"][0], [])
            shown.append(_operation(method, path, operation, described))
    parts = [f"<h2>{escape(tag)}</h2>{''.join(shown)}" for tag, shown in by_tag.items()]
    return (
        "<h1>Addresses of this reader</h1>"
        f'<p class="lead">{escape(described["info"]["description"])}</p>'
        '<nav><a href="/openapi.json">openapi.json</a></nav>' + "".join(parts)
    )


def _operation(
    method: str, path: str, operation: Mapping[str, Any], described: Mapping[str, Any]
) -> str:
    inside = [f"<p>{_prose(operation['description'])}</p>"] if "description" in operation else []
    rows = [
        (each["name"], each["in"], each.get("description", ""))
        for each in operation.get("parameters", ())
    ]
    inside.append(_table("Parameters", rows))
    content = operation.get("requestBody", {}).get("content", {})
    inside.append(
        _table("Send", [(kind, _says(form, described)) for kind, form in content.items()])
    )
    inside += [_fields(f"In {kind}", form, described) for kind, form in content.items()]
    answers = operation["responses"]
    inside.append(
        _table("Answers", [(status, each["description"]) for status, each in answers.items()])
    )
    for kind, form in answers.get("200", {}).get("content", {}).items():
        inside.append(_fields(f"In the answer, {kind}", form, described))
    return (
        f'<details><summary><span class="verb {method}">{method.upper()}</span>'
        f'<code>{escape(path)}</code><span class="says">{escape(operation["summary"])}</span>'
        f'</summary><div class="inside">{"".join(inside)}</div></details>'
    )


def _table(title: str, rows: Iterable[tuple[str, ...]]) -> str:
    lines = [
        f"<tr><th><code>{escape(first)}</code></th>"
        + "".join(f"<td>{_prose(each)}</td>" for each in rest)
        + "</tr>"
        for first, *rest in rows
    ]
    return f"<h3>{escape(title)}</h3><table>{''.join(lines)}</table>" if lines else ""


def _says(form: Mapping[str, Any], described: Mapping[str, Any]) -> str:
    return str(_resolved(form.get("schema", {}), described).get("description", ""))


def _fields(title: str, form: Mapping[str, Any], described: Mapping[str, Any]) -> str:
    """The fields of the object that is sent or answered, where it has any that are known."""
    named = _resolved(form.get("schema", {}), described)
    if named.get("type") == "array":
        named = _resolved(named.get("items", {}), described)
    for choice in named.get("anyOf", ()):
        found = _resolved(choice, described)
        if found.get("properties"):
            named = found
            break
    fields = named.get("properties", {})
    rows = [(name, _kind(each), each.get("description", "")) for name, each in fields.items()]
    return _table(title, rows)


def _prose(text: str) -> str:
    """The text with what stands in backticks as code."""
    pieces = escape(text).split("`")
    return "".join(f"<code>{each}</code>" if n % 2 else each for n, each in enumerate(pieces))


def _resolved(schema: Mapping[str, Any], described: Mapping[str, Any]) -> Mapping[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: Mapping[str, Any] = described["components"]["schemas"].get(name, schema)
    return found


def _kind(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return " or ".join(json.dumps(each) for each in schema["enum"])
    kind = schema.get("type", "")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)

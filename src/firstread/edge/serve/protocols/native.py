"""Firstread's own addresses: `POST /read/{pack}`, and what there is to know of the packs."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from firstread.domain.errors import BadRequest, FirstreadError, TroubleElsewhere
from firstread.domain.foremost import listed
from firstread.edge.kinds import KINDS
from firstread.edge.serve.protocols import native_description as describe
from firstread.edge.serve.protocols.multipart import is_form, parts_of
from firstread.edge.serve.wire import Answer, Asked, Route, as_json
from firstread.tables.measurements import parse_table

if TYPE_CHECKING:
    from firstread.edge.serve.warm import WarmPacks
    from firstread.packs import Manifest
    from firstread.runtime import Outcome, PackReader

_Said = dict[str, Any]
_BEFORE_JSON = b"\xef\xbb\xbf \t\r\n"
_UNNAMED = ""
"""An answer does not carry the hash of its sample, so none is computed."""


def read(asked: Asked, packs: WarmPacks) -> Answer:
    """Read what the body holds with the pack of the address.

    One sample is answered with its read; a form, a table or a list with a list in its order, in
    which what cannot be read has a sentence in place of a read.
    """
    manifest = packs.manifest(asked.parts["pack"])
    tell = _teller(asked, manifest)
    content = asked.headers.get("content-type", "").strip().lower()
    _refuse_wrong_form(content, asked, manifest)
    reader = packs.reader(manifest.name)
    if is_form(content):
        said: Any = _read_form(asked, reader, tell)
    else:
        said = _read_body(asked.body, reader, tell)
    count = len(said) if isinstance(said, list) else 1
    return replace(as_json(said), pack=manifest.name, reads=count)


def all_packs(asked: Asked, packs: WarmPacks) -> Answer:  # noqa: ARG001  the form of a handler
    """What there is to read with."""
    warm = packs.warm()
    return as_json([_in_short(packs.manifest(name), warm=name in warm) for name in packs.names])


def one_pack(asked: Asked, packs: WarmPacks) -> Answer:
    """Everything that one pack says of itself, and the hash that names its contents."""
    name = asked.parts["pack"]
    return as_json(packs.manifest(name).as_dict() | {"pack_sha256": packs.pack_sha256(name)})


def _in_short(manifest: Manifest, *, warm: bool) -> describe.PackInShort:
    return describe.PackInShort(
        name=manifest.name,
        version=manifest.version,
        title=manifest.pack.title,
        check=manifest.check,
        kind=manifest.kind,
        intended_use=manifest.pack.intended_use,
        labels=[
            describe.Label(code=each.code, title=each.title, positive=each.positive)
            for each in manifest.labels
        ],
        groups=[
            describe.Group(
                code=each.code, title=each.title, labels=list(each.labels), positive=each.positive
            )
            for each in manifest.groups
        ],
        warm=warm,
    )


def _refuse_wrong_form(content: str, asked: Asked, manifest: Manifest) -> None:
    """Raises BadRequest where the body says of itself that it is not what the pack takes."""
    if asked.headers.get("content-encoding", "identity").lower() not in ("", "identity"):
        raise BadRequest("Send the sample as it is, without Content-Encoding.", status=415)
    kind = KINDS[manifest.kind]
    if content.startswith(kind.not_media):
        raise BadRequest(f"The pack {manifest.name} {kind.send}", status=415)


def _read_form(
    asked: Asked, reader: PackReader, tell: Callable[[bytes, Outcome], _Said]
) -> list[_Said]:
    parts = parts_of(asked.body, content_type=asked.headers["content-type"])
    if not parts:
        raise BadRequest("The form holds no file. Send each sample as a file of it.", status=422)
    said = []
    for part in parts:
        place = {"path": part.file_name or part.name}
        try:
            found = _read_body(part.data, reader, tell)
            said += [place | each for each in (found if isinstance(found, list) else [found])]
        except TroubleElsewhere:
            raise  # the whole form comes again: none of its samples is at fault
        except FirstreadError as error:
            said.append(place | {"error": str(error)})
    return said


def _read_body(
    data: bytes, reader: PackReader, tell: Callable[[bytes, Outcome], _Said]
) -> _Said | list[_Said]:
    """One sample's read; of a table, or a list of rows, those of its rows in their order."""
    if not KINDS[reader.manifest.kind].in_tables or data.lstrip(_BEFORE_JSON)[:1] == b"{":
        return tell(data, reader.read(data, sample_sha256=_UNNAMED))
    table = parse_table(data, reader.manifest, needs_accession=False)
    said: list[_Said] = [{"line": row.line, "error": row.reason} for row in table.refused]
    for row in table.rows:
        try:
            said.append({"line": row.line} | tell(b"", reader.read_measurements(row.values)))
        except TroubleElsewhere:
            raise  # no line is at fault
        except FirstreadError as error:
            said.append({"line": row.line, "error": str(error)})
    said.sort(key=lambda each: int(each["line"]))
    told = {"notes": list(table.told)} if table.told else {}
    return [each | told for each in said]


def _teller(asked: Asked, manifest: Manifest) -> Callable[[bytes, Outcome], _Said]:
    """What turns an outcome into its answer, with the evidence map where it is asked for."""
    wanted, label = asked.query.get("evidence"), asked.query.get("label")
    if wanted is None:
        return _plain
    if wanted != "png":
        raise BadRequest("Evidence maps come as PNG. Ask for '?evidence=png'.", status=422)
    if label is not None and label not in manifest.codes:
        raise BadRequest(
            f"The pack {manifest.name} has no such label. It has: {listed(manifest.codes)}.",
            status=422,
        )
    return partial(_with_evidence, manifest=manifest, label=label)


def _plain(_data: bytes, outcome: Outcome) -> _Said:
    return outcome.read.as_answer()


def _with_evidence(
    data: bytes, outcome: Outcome, *, manifest: Manifest, label: str | None
) -> _Said:
    said, shown = outcome.read.as_answer(), label or outcome.read.label
    if not outcome.read.verdict.shows_evidence:
        return said | {"evidence": None}
    overlay = KINDS[manifest.kind].overlay
    place = manifest.codes.index(shown)
    png = None if overlay is None else overlay(data, outcome, manifest=manifest, place=place)
    if png is None:
        return said | {"evidence": None}
    return said | {"evidence": {"label": shown, "png": base64.b64encode(png).decode("ascii")}}


ROUTES = (
    Route(
        method="POST",
        path="/read/{pack}",
        handler=read,
        reads=True,
        summary="Read one sample, or many",
        tag="Read",
        describe=describe.READ,
    ),
    Route(
        method="GET",
        path="/packs",
        handler=all_packs,
        reads=False,
        summary="The packs of this reader",
        tag="Packs",
        describe=describe.ALL_PACKS,
    ),
    Route(
        method="GET",
        path="/packs/{pack}",
        handler=one_pack,
        reads=False,
        summary="Everything that a pack says of itself",
        tag="Packs",
        describe=describe.ONE_PACK,
    ),
)

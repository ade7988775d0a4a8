"""The files of a multipart form, whole in memory."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, MultipartState, parse_options_header

from firstread.domain.errors import BadRequest

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

MAX_PARTS = 1_000
_QUIET = logging.Logger("multipart", level=logging.CRITICAL)  # noqa: LOG001  outside the tree nobody hears it
"""The parser warns of each oddity of a body; a client must not fill our log."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of a form: a file where it has a file name, else a field."""

    name: str
    file_name: str | None
    data: bytes


@dataclass(kw_only=True)
class _Reading:
    """What the parser has told so far."""

    parts: list[Part] = field(default_factory=list)
    header: bytearray = field(default_factory=bytearray)
    value: bytearray = field(default_factory=bytearray)
    disposition: bytes = b""
    pieces: list[bytes] = field(default_factory=list)

    def part_begins(self) -> None:
        if len(self.parts) >= MAX_PARTS:
            raise BadRequest(
                f"The form has more than {MAX_PARTS} parts. Send fewer at a time.", status=413
            )
        self.disposition, self.pieces = b"", []

    def header_ends(self) -> None:
        if bytes(self.header).strip().lower() == b"content-disposition":
            self.disposition = bytes(self.value)
        self.header, self.value = bytearray(), bytearray()

    def part_ends(self) -> None:
        _, options = parse_options_header(self.disposition)
        file_name = options.get(b"filename")
        self.parts.append(
            Part(
                name=_text(options.get(b"name", b"")),
                file_name=None if file_name is None else _text(file_name),
                data=b"".join(self.pieces),
            )
        )


def parts_of(body: bytes, *, content_type: str) -> list[Part]:
    """All parts in their order; raises BadRequest where this is no whole multipart form."""
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if not kind.startswith(b"multipart/") or not boundary:
        raise BadRequest(
            "The Content-Type names no boundary between the parts. Let your HTTP library make "
            "the form."
        )
    reading = _Reading()
    try:
        parser = MultipartParser(boundary, _callbacks(reading))
        parser.logger = _QUIET
        parser.write(body)
    except FormParserError:
        raise _broken() from None
    if parser.state != MultipartState.END:
        raise _broken()
    return reading.parts


def is_form(content_type: str) -> bool:
    return content_type.strip().lower().startswith("multipart/")


def _callbacks(reading: _Reading) -> MultipartCallbacks:
    return {
        "on_part_begin": reading.part_begins,
        "on_header_field": lambda data, start, end: reading.header.extend(data[start:end]),
        "on_header_value": lambda data, start, end: reading.value.extend(data[start:end]),
        "on_header_end": reading.header_ends,
        "on_part_data": lambda data, start, end: reading.pieces.append(bytes(data[start:end])),
        "on_part_end": reading.part_ends,
    }


def _text(found: bytes) -> str:
    return found.decode("utf-8", errors="replace")


def _broken() -> BadRequest:
    return BadRequest("The multipart form is damaged or cut off. Send it again.")

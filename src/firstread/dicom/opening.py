"""A DICOM file becomes a dataset: with or without its preamble, inflated no further than it may."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import Any

from firstread.dicom.damage import DAMAGED
from firstread.domain.errors import UnreadableSample

_MARK_AT = 128
_GROUPS = (b"\x02\0", b"\x08\0")
"""A file without a preamble begins with the group of its meta information, or of its identity."""
_FIRST_ELEMENTS = 0x70
_VRS = (b"UL", b"UI", b"CS", b"SH", b"DA", b"TM", b"LO", b"OB", b"DT")
_LONG = (b"OB", b"OW", b"UN", b"SQ", b"UT", b"OF", b"UC", b"UR")
_SYNTAX = b"\x02\0\x10\0"
_DEFLATED = b"1.2.840.10008.1.2.1.99"
_EXPLICIT = b"1.2.840.10008.1.2.1"
_INFLATED_FREELY = 32 << 20
_INFLATED_TIMES = 20
"""No large picture of a person shrinks further by deflation."""


def is_dicom(data: bytes) -> bool:
    """Whether the bytes begin as a DICOM file does: with its mark, or at once with its tags.

    >>> is_dicom(bytes(128) + b"DICM"), is_dicom(b"II*\\0" + bytes(200))
    (True, False)
    """
    return data[_MARK_AT : _MARK_AT + 4] == b"DICM" or _has_no_preamble(data)


def _has_no_preamble(data: bytes) -> bool:
    if data[:2] not in _GROUPS or len(data) < 16:
        return False
    element = int.from_bytes(data[2:4], "little")
    if element > _FIRST_ELEMENTS:
        return False
    if data[4:6] in _VRS:
        return True
    length = int.from_bytes(data[4:8], "little")
    return data[:2] == b"\x08\0" and 0 < length <= 64 and not length % 2


def opened(data: bytes, *, pixels: bool) -> Any:
    """The dataset of a DICOM file, without its pixels where nobody asks for them.

    Raises UnreadableSample where it is none, is damaged, was made to fill memory, or where this
    installation opens none.
    """
    try:
        from pydicom import config, dcmread, uid
    except ModuleNotFoundError as why:
        raise UnreadableSample(
            "This is a DICOM file, and this installation does not open those. Install them: "
            "pip install 'firstread[dicom]'"
        ) from why
    # Odd values elsewhere in the file do not make its picture unreadable, nor worth a warning.
    config.settings.reading_validation_mode = config.IGNORE
    if not is_dicom(data):
        raise UnreadableSample("This is not a DICOM file. Export it again as DICOM.")
    try:
        bare = data[_MARK_AT : _MARK_AT + 4] != b"DICM"
        found = dcmread(BytesIO(_inflated(data)), stop_before_pixels=not pixels, force=bare)
    except DAMAGED as why:
        raise UnreadableSample("This DICOM file is damaged. Export it again.") from why
    if bare and "TransferSyntaxUID" not in found.file_meta:
        implicit, _little = found.original_encoding
        syntax = uid.ImplicitVRLittleEndian if implicit else uid.ExplicitVRLittleEndian
        found.file_meta.TransferSyntaxUID = syntax
    return found


def _inflated(data: bytes) -> bytes:
    """The file as it is; one that is deflated, inflated and saying so."""
    if _DEFLATED not in data:
        return data
    syntax, begin = _meta(data)
    if syntax != _DEFLATED:
        return data
    unpacks = zlib.decompressobj(-zlib.MAX_WBITS)
    body = unpacks.decompress(data[begin:], _INFLATED_FREELY + _INFLATED_TIMES * len(data))
    if unpacks.unconsumed_tail:
        raise UnreadableSample(
            f"This DICOM file unpacks to more than {_INFLATED_TIMES} times its size, as no picture "
            "does. Export it again without compression."
        )
    said = _EXPLICIT.ljust(len(_DEFLATED), b"\0")
    return data[:begin].replace(_DEFLATED, said) + body


def _meta(data: bytes) -> tuple[bytes, int]:
    """The transfer syntax, and where the meta information ends; both as pydicom finds them."""
    at = _MARK_AT + 4 if data[_MARK_AT : _MARK_AT + 4] == b"DICM" else 0
    syntax = b""
    while data[at : at + 2] == b"\x02\0":
        tag, vr = data[at : at + 4], data[at + 4 : at + 6]
        if vr in _LONG:
            (length,), at = struct.unpack_from("<I", data, at + 8), at + 12
        else:
            (length,), at = struct.unpack_from("<H", data, at + 6), at + 8
        if tag == _SYNTAX:
            syntax = data[at : at + length].rstrip(b"\0 ")
        at += length
    return syntax, at

"""What the first bytes of a file tell: a picture's media type, or in words what it is instead."""

from __future__ import annotations

from firstread.dicom.opening import is_dicom

_STARTS = (
    (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "a ZIP archive (or an Office document)"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"MZ", "a Windows program"),
    (b"\x7fELF", "a program"),
    (b"\xd0\xcf\x11\xe0", "an old Office document"),
    (b"{\\rtf", "a text document (RTF)"),
    (b"SIMPLE  =", "a FITS file"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture"),
    (b"8BPS", "a Photoshop file"),
    (b"SQLite format 3", "a database"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x89HDF", "an HDF5 file"),
)
_BOXES = {
    b"heic": "a HEIC picture (set the phone to 'most compatible')",
    b"heix": "a HEIC picture (set the phone to 'most compatible')",
    b"mif1": "a HEIF picture (set the phone to 'most compatible')",
    b"avif": "an AVIF picture",
}


_PICTURES = {
    b"\x89PNG": "image/png",
    b"\xff\xd8": "image/jpeg",
    b"II": "image/tiff",
    b"MM": "image/tiff",
    b"BM": "image/bmp",
    b"GIF8": "image/gif",
    b"RIFF": "image/webp",
}


def media_type(data: bytes) -> str:
    """The media type of a picture that `decode` opens.

    >>> media_type(b"\\x89PNG..."), media_type(b"GIF89a...")
    ('image/png', 'image/gif')
    """
    if is_dicom(data):
        return "application/dicom"
    for start, kind in _PICTURES.items():
        if data.startswith(start):
            return kind
    return "application/octet-stream"


def what_it_is(data: bytes) -> str | None:
    """A noun phrase such as 'a PDF', or None where the bytes tell nothing.

    >>> what_it_is(b"%PDF-1.7 ..."), what_it_is(bytes(128) + b"DICM...")
    ('a PDF', 'a DICOM file')
    """
    head = data[:1024]
    if head[128:132] == b"DICM":
        return "a DICOM file"
    for start, name in _STARTS:
        if head.startswith(start):
            return name
    if head[4:8] == b"ftyp":
        return _BOXES.get(head[8:12], "a video")
    if head.startswith(b"RIFF") and head[8:12] in (b"AVI ", b"WAVE"):
        return "a video" if head[8:12] == b"AVI " else "a sound"
    return _what_text(head)


def _what_text(head: bytes) -> str | None:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith((b"<!doctype html", b"<html")):
        return "a web page"
    if b"<svg" in text:
        return "an SVG drawing"
    if text.startswith(b"<?xml"):
        return "an XML file"
    if text.startswith((b"{", b"[")):
        return "JSON"
    printable = sum(byte in b"\t\r\n" or 32 <= byte < 127 or byte >= 160 for byte in head)
    if head and printable == len(head):
        return "text"
    return None

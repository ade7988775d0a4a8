"""SHA256SUMS of a pack folder, in the form that `sha256sum -c` reads."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from firstread.domain.errors import PackRefused
from firstread.packs.coherence import is_inside

SUMS = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64})  (.+)")


def seal(folder: str | Path) -> str:
    """Write SHA256SUMS over every file of the pack folder; return the pack's hash."""
    root = Path(folder)
    lines = [f"{_sha256(path)}  {name}\n" for name, path in sorted(_files(root).items())]
    text = "".join(lines).encode()
    (root / SUMS).write_bytes(text)
    return hashlib.sha256(text).hexdigest()


def verify(pack: str | Path) -> str:
    """Check every file of the pack folder against SHA256SUMS; return the pack's hash.

    The hash is the SHA-256 of SHA256SUMS itself, in hexadecimal. Raises PackRefused where a file
    is changed, missing, a link, or not listed.
    """
    root = Path(pack)
    text = _sums(root)
    listed = _parse(text, pack=root.name)
    present = _files(root)
    for name, expected in listed.items():
        if name not in present:
            raise _damaged(root, f"{name} is missing")
        if _sha256(present[name]) != expected:
            raise _damaged(root, f"{name} is not as it was sealed")
    for name in present:
        if name not in listed:
            raise _damaged(root, f"{name} is not listed in {SUMS}")
    return hashlib.sha256(text).hexdigest()


def pack_sha256(pack: str | Path) -> str:
    """The pack's hash, by which two machines know that they have the same; no file is checked.

    Raises PackRefused where the folder has no SHA256SUMS.
    """
    return hashlib.sha256(_sums(Path(pack))).hexdigest()


def _sums(root: Path) -> bytes:
    try:
        return (root / SUMS).read_bytes()
    except OSError:
        raise PackRefused(
            f"The pack '{root.name}' has no {SUMS}, so nothing shows that it is whole. "
            "Copy it again."
        ) from None


def _parse(text: bytes, *, pack: str) -> dict[str, str]:
    listed: dict[str, str] = {}
    # Not splitlines(): it takes other signs for the end of a line, and such a byte is damage too.
    *lines, rest = text.decode("utf-8", errors="replace").split("\n")
    for line in lines:
        match = _LINE.fullmatch(line)
        if match is None or rest or not is_inside(match[2]):
            raise PackRefused(f"{SUMS} of the pack '{pack}' is damaged. Copy the pack again.")
        listed[match[2]] = match[1]
    return listed


def _files(root: Path) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for path in root.rglob("*"):
        if path.is_symlink():
            # A link could bring in bytes from outside that no checksum of the pack's sender saw.
            raise _damaged(root, f"{path.relative_to(root).as_posix()} is a link")
        if path.is_file() and path != root / SUMS:
            files[path.relative_to(root).as_posix()] = path
    return files


def stamp(pack: Path) -> tuple[int, int, int]:
    """What changes when a pack is replaced: its checksums change with any of its files."""
    try:
        seen = (pack / SUMS).stat()
    except OSError:
        return (0, 0, 0)
    return (seen.st_mtime_ns, seen.st_ino, seen.st_size)


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        raise PackRefused(
            f"{path.name} of the pack cannot be read. Check the rights of the pack folder."
        ) from None


def _damaged(root: Path, what: str) -> PackRefused:
    return PackRefused(f"The pack '{root.name}' is damaged: {what}. Copy it again.")

"""What the watched folder keeps of a patient: files that were taken, refused, or wait."""

from __future__ import annotations

import html
import json
import os
import zipfile
from collections.abc import Collection, Sequence
from pathlib import Path

from django.conf import settings

from firstread.clinic.keeping.copies import sha256_of
from firstread.clinic.keeping.naming import file_names_any, names_any, value_names_any
from firstread.files.whole import whole
from firstread.inbox.names import WORKBOOKS, is_table

LARGEST_TABLE_BYTES = 200_000_000
_CODES = ("utf-8", "utf-16-le")


def erase(
    words: Sequence[str], *, hashes: Collection[str], sizes: Collection[int]
) -> tuple[int, list[str]]:
    """Delete files that the words name, or that are erased samples, whose sizes are given.

    Of tables that hold others as well the lines go. Returns how many files were deleted or changed,
    and sentences about those that a person must look at.
    """
    root: Path | None = settings.FIRSTREAD.inbox.folder
    if root is None or not root.is_dir():
        return 0, []
    done, left = 0, []
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder) / name
            try:
                if file_names_any(path.relative_to(root), words) or (
                    path.stat().st_size in sizes and sha256_of(path) in hashes
                ):
                    path.unlink()
                    done += 1
                elif is_table(name) or name.endswith(".why.txt"):
                    done += _without_lines(path, words)
                    if _holds(path, words):
                        left.append(f"{path} may name the patient: look at it, and delete it.")
            except FileNotFoundError:
                continue  # it was moved on meanwhile
            except OSError as error:
                left.append(f"{path} cannot be looked at ({error.strerror}): look at it yourself.")
    return done, left


def _without_lines(path: Path, words: Sequence[str]) -> int:
    """Write a table of plain text anew without the lines that name the patient."""
    if path.name.casefold().endswith((*WORKBOOKS, ".json")) or _too_large(path):
        return 0
    try:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    except UnicodeDecodeError:
        return 0
    kept = [line for line in lines if not _names_any_as_written(line, words)]
    if len(kept) == len(lines):
        return 0
    with whole(path, private=True) as file:
        file.write("".join(kept).encode())
    return 1


def _holds(path: Path, words: Sequence[str]) -> bool:
    """Whether a person must look at it."""
    if _too_large(path):
        return True
    if path.name.casefold().endswith(WORKBOOKS):
        try:
            with zipfile.ZipFile(path) as book:
                sheets = [book.read(each) for each in book.namelist() if each.endswith(".xml")]
        except (zipfile.BadZipFile, ValueError):
            return True
    else:
        sheets = [path.read_bytes()]
    texts = (each.decode(code, errors="replace") for each in sheets for code in _CODES)
    if any(_names_any_as_written(text, words) for text in texts):
        return True
    try:
        return path.suffix.casefold() == ".json" and value_names_any(json.loads(sheets[0]), words)
    except (ValueError, RecursionError):
        return True


def _names_any_as_written(text: str, words: Sequence[str]) -> bool:
    """Whether a table names one of the words: CSV doubles quotes, and XML writes them as names."""
    plain = html.unescape(text).replace('""', '"')
    return names_any(text, words) or names_any(plain, words)


def _too_large(path: Path) -> bool:
    return path.stat().st_size > LARGEST_TABLE_BYTES

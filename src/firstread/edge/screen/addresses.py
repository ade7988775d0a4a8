"""A CSV file of addresses: files, web addresses, and objects in buckets, in any mixture."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from firstread.domain.errors import BadArchive, UnreadableSample
from firstread.edge.screen.folder import listed_file, read_file
from firstread.edge.screen.sample import MAX_BYTES, Listed, Room
from firstread.tables.sheet import separator_said

if TYPE_CHECKING:
    from firstread.connect.buckets.bucket import Bucket
    from firstread.connect.web.fetch import Web

COLUMNS = ("path", "address", "url", "uri")
"""The first of these that the table's first line holds names the samples."""

BUCKETS = ("s3", "az", "gs")


class Addresses:
    """Each line one sample. Relative paths start at the folder that the table lies in."""

    repeats = True
    fetchers = 16

    def __init__(self, path: Path) -> None:
        self._path = path.resolve()
        self.name = str(self._path)
        self._opening = Lock()
        self._buckets: dict[str, Bucket] = {}
        self._web: Web | None = None

    def close(self) -> None:
        if self._web is not None:
            self._web.close()

    def listing(self) -> Iterator[Listed]:
        try:
            with self._path.open(newline="", encoding="utf-8-sig") as lines:
                for address in _column(lines, name=self._path.name):
                    yield self._listed(address)
        except (UnicodeDecodeError, csv.Error) as why:
            raise BadArchive(
                f"{self._path.name} is not a CSV file in UTF-8 ({why}). Export it again as CSV."
            ) from None

    def fetch(self, listed: Listed, *, room: Room) -> bytes:
        scheme = _scheme(listed.address)
        if scheme in ("http", "https"):
            return self._open_web().fetch(listed.address, max_bytes=MAX_BYTES, room=room)
        if scheme in BUCKETS:
            parts = urlsplit(listed.address)
            bucket = self._bucket(f"{scheme}://{parts.netloc}")
            return bucket.fetch(parts.path.lstrip("/"), max_bytes=MAX_BYTES, room=room)
        return read_file(self._file(listed.address), room=room)

    def _listed(self, address: str) -> Listed:
        scheme = _scheme(address)
        if scheme in ("http", "https", *BUCKETS):
            return Listed(address=address)
        if scheme not in ("", "file"):
            return Listed(
                address=address,
                error=f"Addresses that begin with {scheme}:// are not known here. Use a path, "
                "http://, https://, s3://, az:// or gs://.",
            )
        try:
            return listed_file(self._file(address).stat(), address=address)
        except (OSError, ValueError):
            # Its own sentence comes where it is fetched.
            return Listed(address=address)

    def _file(self, address: str) -> Path:
        if _scheme(address) == "file":
            address = unquote(urlsplit(address).path)
        return self._path.parent / address

    def _bucket(self, url: str) -> Bucket:
        with self._opening:
            if url not in self._buckets:
                from firstread.connect.buckets.bucket import open_bucket

                try:
                    self._buckets[url] = open_bucket(url)
                except BadArchive as error:
                    raise UnreadableSample(str(error)) from None
            return self._buckets[url]

    def _open_web(self) -> Web:
        with self._opening:
            if self._web is None:
                from firstread.connect.web.fetch import Web

                self._web = Web(connections=self.fetchers)
            return self._web


def _scheme(address: str) -> str:
    before, found, _ = address.partition("://")
    return before.lower() if found and before.isalnum() else ""


def _column(lines: Iterator[str], *, name: str) -> Iterator[str]:
    """The addresses in the table's column of them; a table of one column needs no first line."""
    first = next(lines, "")
    said = separator_said(first)
    first = next(lines, "") if said else first
    # Spreadsheets of half the world separate by semicolons.
    separator = said or max(",;\t", key=first.count)
    header = [cell.strip().lower() for cell in next(csv.reader([first], delimiter=separator), [])]
    place = next((header.index(column) for column in COLUMNS if column in header), None)
    if place is None:
        if len(header) > 1:
            raise BadArchive(f"{name} has no column of addresses. Name one of its columns 'path'.")
        place = 0
        if header:
            yield first.strip().strip('"')
    for row in csv.reader(lines, delimiter=separator):
        address = row[place].strip() if len(row) > place else ""
        if address:
            yield address


def is_table(path: Path) -> bool:
    return path.suffix.lower() in (".csv", ".tsv", ".txt") and not os.path.isdir(path)  # noqa: PTH112  Path.is_dir raises

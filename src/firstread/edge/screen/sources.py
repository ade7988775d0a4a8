"""What a person named becomes the archive that it is."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

from firstread.connect.buckets.bucket import Bucket, open_bucket
from firstread.domain.errors import BadArchive
from firstread.edge.screen.addresses import BUCKETS, Addresses, is_table
from firstread.edge.screen.folder import Folder
from firstread.edge.screen.sample import MAX_BYTES, TOO_LARGE, Archive, Listed, Room
from firstread.edge.screen.zipped import Zipped
from firstread.files.left_over import folder_passed_over, passed_over

_FORMS = "a folder, a zip file, a CSV file of addresses, or s3://, az:// or gs://"


def open_archive(source: str, *, results: Path) -> Archive:
    """The archive at `source`; raises BadArchive where there is none.

    `results` is where the table goes: it is no sample, should it lie in the archive.
    """
    scheme, found, _ = source.partition("://")
    if found and scheme in BUCKETS:
        return _InBucket(source)
    if found:
        raise BadArchive(f"'{scheme}://' cannot be screened. Name {_FORMS}.")
    path = Path(source)
    if path.is_dir():
        return Folder(path, results=results)
    if not path.exists():
        raise BadArchive(f"There is nothing at '{source}'. Name {_FORMS}.")
    if zipfile.is_zipfile(path):
        return Zipped(path)
    if is_table(path):
        return Addresses(path)
    raise BadArchive(f"'{path.name}' is no archive. Name {_FORMS}.")


class _InBucket:
    """All objects below one place of a bucket."""

    repeats = False
    fetchers = 16

    def __init__(self, url: str) -> None:
        self.name = url.rstrip("/")
        self._bucket: Bucket = open_bucket(self.name)

    def close(self) -> None:
        """Nothing stays open."""

    def listing(self) -> Iterator[Listed]:
        for each in self._bucket.objects():
            *folders, name = each.path.split("/")
            if passed_over(name) or any(map(folder_passed_over, folders)):
                continue
            yield Listed(
                address=each.path,
                tag=each.tag,
                error=TOO_LARGE if each.size_bytes > MAX_BYTES else None,
            )

    def fetch(self, listed: Listed, *, room: Room) -> bytes:
        return self._bucket.fetch(listed.address, max_bytes=MAX_BYTES, room=room)

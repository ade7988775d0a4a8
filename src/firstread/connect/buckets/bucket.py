"""Objects in a bucket of S3, Azure Blob Storage or Google Cloud Storage: listed and fetched.

Addresses and credentials come from where each cloud's own tools take them: the environment, the
machine's identity. https://developmentseed.org/obstore says which variables there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import obstore
from obstore import exceptions
from obstore.store import from_url

from firstread.domain.errors import BadArchive, Unreachable, UnreadableSample

TRIES = 5
_TIMEOUT_S = 60
_CLOSED = (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError)


@dataclass(frozen=True, kw_only=True, slots=True)
class Object:
    """One object as the bucket lists it."""

    path: str
    size_bytes: int
    tag: str
    """Changes when the object changes."""


class Bucket:
    """One place in a bucket; threads may share it."""

    def __init__(self, store: obstore.store.ObjectStore, *, url: str) -> None:
        self._store = store
        self._url = url

    def objects(self) -> Iterator[Object]:
        """All objects below the place, as the bucket orders them; few are in memory at once.

        Raises Unreachable where the bucket does not answer, BadArchive where it does not let us.
        """
        try:
            for some in obstore.list(self._store, chunk_size=1000):
                for each in some:
                    tag = each["e_tag"] or each["last_modified"].isoformat()
                    yield Object(path=each["path"], size_bytes=each["size"], tag=tag)
        except (*_CLOSED, FileNotFoundError) as error:
            raise BadArchive(
                f"{self._url} cannot be listed: {_reason(error)}. Check its name and the "
                "credentials in the environment."
            ) from None
        except exceptions.BaseError as error:
            raise Unreachable(
                f"{self._url} cannot be listed: {_reason(error)}. Check the address, the network "
                "and the credentials in the environment."
            ) from None

    def fetch(self, path: str, *, max_bytes: int, room: Callable[[int], None]) -> bytes:
        """The object's bytes; `room` is told how many before they are held.

        Raises UnreadableSample where it is not there, closed to us or above `max_bytes`, and
        Unreachable where the bucket does not answer.
        """
        try:
            found = obstore.get(self._store, path)
            size = found.meta["size"]
            if size > max_bytes:
                raise UnreadableSample(
                    f"This object is larger than {max_bytes // 1024**2} MB. Put a smaller picture "
                    "there, or a part of it."
                )
            room(size)
            return bytes(found.bytes())
        except FileNotFoundError:
            raise UnreadableSample(
                "There is no such object in the bucket. Check its address."
            ) from None
        except _CLOSED as error:
            raise UnreadableSample(
                f"The bucket does not give this object: {_reason(error)}. Check its rights."
            ) from None
        except (exceptions.InvalidPathError, ValueError):
            raise UnreadableSample(
                "This is no address of an object. Name one, as in s3://bucket/folder/name."
            ) from None
        except exceptions.BaseError as error:
            raise Unreachable(f"The bucket does not answer: {_reason(error)}.") from None


def open_bucket(url: str) -> Bucket:
    """The place that an s3://, az:// or gs:// address names; nothing is asked yet.

    Raises BadArchive where it is no such address.
    """
    retries = {
        "max_retries": TRIES,
        "retry_timeout": timedelta(seconds=_TIMEOUT_S),
    }
    try:
        # No options for the client: they would take the place of those in the environment.
        store = from_url(url, retry_config=retries)  # type: ignore[call-overload]  # any of three
    except (exceptions.BaseError, ValueError) as error:
        raise BadArchive(
            f"'{url}' is no bucket that can be opened: {_reason(error)}. Write it as "
            "s3://bucket/folder, az://container/folder or gs://bucket/folder, and check the "
            "account in the environment."
        ) from None
    return Bucket(store, url=url)


def _reason(error: Exception) -> str:
    """The end of the library's first line: before it stand addresses, below it its own insides."""
    lines = str(error).splitlines() or [type(error).__name__]
    return lines[0].rpartition(" - ")[2].strip().rstrip(".:")

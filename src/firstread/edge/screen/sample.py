"""What an archive is made of, whatever holds it: listed samples, and a way to fetch each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

MAX_BYTES = 512 * 1024 * 1024
"""More is not fetched: the largest picture that is opened takes 300 MB where nothing is packed."""

LARGE_BYTES = 32 * 1024 * 1024
"""Of samples above this only one is in memory at a time."""

TOO_LARGE = (
    f"This sample is larger than {MAX_BYTES // 1024**2} MB. Send a smaller picture or a part of it."
)

Room = Callable[[int], None]
"""Is told how many bytes a sample has, or has so far, before they are held; waits for room."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """One sample of an archive, not fetched yet."""

    address: str
    """Within the archive; as the person wrote it where the archive is a list of addresses."""
    tag: str = ""
    """Changes when the sample changes (size and time, checksum or entity tag); '' where unknown."""
    error: str | None = None
    """Why it cannot be fetched at all, where the listing shows that already."""


class Archive(Protocol):
    """What is screened: a folder, a zip, a list of addresses, a bucket."""

    name: str
    """The same for the same archive, wherever the command is started."""
    repeats: bool
    """Whether the listing may name one address twice."""
    fetchers: int
    """How many samples are worth fetching at once."""

    def close(self) -> None:
        """Let go of what is open."""
        ...

    def listing(self) -> Iterator[Listed]:
        """Every sample, one by one, each time from the start.

        Raises BadArchive or Unreachable where the list ends before its end.
        """
        ...

    def fetch(self, listed: Listed, *, room: Room) -> bytes:
        """The sample's bytes; threads may call it at once.

        Raises UnreadableSample where they cannot be had, and Unreachable where trying again later
        may help.
        """
        ...

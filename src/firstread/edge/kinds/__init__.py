"""What an edge must know of a kind of sample: how it is served, kept in the spool, and sent on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from firstread.domain.errors import UnreadableSample
from firstread.domain.kinds import Kinds
from firstread.packs import Manifest

if TYPE_CHECKING:
    from firstread.client import Client, Submitted
    from firstread.edge.entries import Entry
    from firstread.inbox.taking import Whole
    from firstread.runtime import Outcome


class Keep(Protocol):
    """Keeps one sample of a file in the spool; without a number those of the file's address."""

    def __call__(
        self,
        data: bytes,
        *,
        accession: str | None = None,
        patient: str | None = None,
        refusal: str = "",
    ) -> None: ...


class TakeIn(Protocol):
    """Keeps what a whole file of the inbox holds, and says why it comes back, or nothing."""

    def __call__(self, whole: Whole, *, manifest: Manifest, keep: Keep) -> str: ...


class Post(Protocol):
    """Sends samples of one case to the clinic, in one request."""

    def __call__(
        self, client: Client, entries: Sequence[Entry], data: Sequence[bytes], **case: Any
    ) -> Submitted: ...


class Overlay(Protocol):
    """A transparent PNG of the evidence for one label, to lay over the sample; None without."""

    def __call__(
        self, data: bytes, outcome: Outcome, *, manifest: Manifest, place: int
    ) -> bytes | None: ...


@dataclass(frozen=True, kw_only=True)
class KindAtTheEdge:
    """What the HTTP reader, the spool and the sync must know of a kind of sample."""

    example: str
    """A file that holds one, as the reader's page shows how to send it."""
    not_media: tuple[str, ...]
    """How the media type of what cannot be one begins."""
    send: str
    """What the pack reads and how it is sent, after the pack's name."""
    in_tables: bool = False
    """Whether a table or a JSON list in one body holds many."""
    overlay: Overlay | None = None
    take_in: TakeIn
    post: Post
    together: bool = False
    """Whether several of one case may go in one request."""


def kept_if_it_opens(opens: Callable[[bytes], object]) -> TakeIn:
    """A file is one sample; one that cannot be opened goes to the clinic all the same."""

    def take_in(whole: Whole, *, manifest: Manifest, keep: Keep) -> str:  # noqa: ARG001  its form
        try:
            opens(whole.data)
            refusal = ""
        except UnreadableSample as error:
            refusal = str(error)
        keep(whole.data, refusal=refusal)
        return refusal

    return take_in


def post_files(
    client: Client, entries: Sequence[Entry], data: Sequence[bytes], **case: Any
) -> Submitted:
    """The samples as files, under the names that they came with."""
    named = [(entry.name, each) for entry, each in zip(entries, data, strict=True)]
    return client.submit(named, **case)


KINDS = Kinds(__name__, KindAtTheEdge)

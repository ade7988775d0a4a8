"""What an edge says of samples, made by the edge's own code with the tests' packs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from firstread.edge.entries import Entry
from firstread.edge.telling import reading_of, told
from firstread.packs import find_pack
from firstread.runtime import open_reader


def entry_of(data: bytes, *, pack: str = "colour", **other: Any) -> Entry:
    """The sample as it stands in a spool, read with the pack."""
    reading = reading_of(open_reader(find_pack(pack)).read(data))
    values: dict[str, Any] = {
        "number": 1,
        "check": "leukaemia",
        "accession": "A1",
        "patient": "",
        "name": "1.png",
        "kind": "image",
        "many": True,
        "sha256": "0" * 64,
        "size_bytes": len(data),
        "boot": "boot",
        "boot_s": 1.0,
        "state": "waiting",
        "refusal": "",
        "tries": 0,
        "read": reading.read,
        "evidence": reading.evidence,
        "alone": False,
        "said": "",
        "case_id": "",
        "sent_at": None,
    }
    return Entry(**(values | other))


def told_of(
    *samples: bytes, pack: str = "colour", received_at: datetime | None = None
) -> dict[str, Any]:
    """The field `edge` of a request with these samples."""
    entries = [entry_of(data, pack=pack) for data in samples]
    return told(entries, host="ward-3", received_at=received_at)

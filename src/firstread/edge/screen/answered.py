"""What became of one sample, as the row that the journal keeps."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable
from typing import NamedTuple

from firstread.domain.errors import BadMeasurement, ShortOfMemory, UnreadableSample
from firstread.domain.read import Read
from firstread.edge.screen.sample import Listed
from firstread.runtime import PackReader


class Answered(NamedTuple):
    """One row, in the order of the journal's columns, so that it goes there as it is."""

    address: bytes
    """As bytes, for a file's name need not be text."""
    tag: str
    again: int
    """1 where it could not be fetched just now: the next start tries again."""
    sha256: str | None = None
    label: str | None = None
    probability: float | None = None
    chances: bytes | None = None
    """float64 [K], each label's probability in the order of the pack's labels."""
    finding_set: str | None = None
    """JSON."""
    familiarity: float | None = None
    familiar: int | None = None
    alarms: str | None = None
    """JSON."""
    unfit: str | None = None
    doubt: str | None = None
    """Why the finding does not stand as it is."""
    would_say: str | None = None
    """The label that is not shown as what was found."""
    would_alarm: str | None = None
    """JSON: the alarms that are not raised."""
    error: str | None = None
    ms: float | None = None
    runtime: str | None = None


def key_of(address: str) -> bytes:
    """The address as the journal keeps it."""
    return address.encode("utf-8", "surrogateescape")


def shown_address(key: bytes) -> str:
    """The address as text: bytes that are none are shown by their number."""
    return key.decode("utf-8", "backslashreplace")


def not_read(
    listed: Listed, *, error: str, data: bytes | None = None, again: bool = False
) -> Answered:
    """The row of a sample that was not read, with the sentence that says why."""
    return Answered(
        address=key_of(listed.address),
        tag=listed.tag,
        again=int(again),
        sha256=None if data is None else hashlib.sha256(data).hexdigest(),
        error=error,
    )


def reading(reader: PackReader) -> Callable[[Listed, bytes], Answered]:
    """What reads one sample with the pack and gives its row."""
    codes = reader.manifest.codes
    packed = struct.Struct(f"<{len(codes)}d")
    # Few sets and alarms differ, so each is written as JSON once.
    lists: dict[tuple[str, ...], str] = {}

    def as_json(labels: tuple[str, ...]) -> str:
        if labels not in lists:
            if len(lists) > 10_000:
                lists.clear()
            lists[labels] = json.dumps(labels)
        return lists[labels]

    def row(listed: Listed, read: Read) -> Answered:
        chances = {finding.label: finding.probability for finding in read.findings}
        near, named = read.familiarity, read.verdict.names_finding
        return Answered(
            address=key_of(listed.address),
            tag=listed.tag,
            again=0,
            sha256=read.sample_sha256,
            label=read.label if named else None,
            probability=read.probability if named else None,
            chances=packed.pack(*[chances[code] for code in codes]),
            finding_set=as_json(read.finding_set if named else ()),
            familiarity=None if near is None else near.score,
            familiar=None if near is None else int(near.familiar),
            alarms=as_json(read.alarms if named else ()),
            unfit=read.unfit,
            doubt=None if read.doubt is None else str(read.doubt),
            would_say=None if named else read.label,
            would_alarm=as_json(() if named else read.alarms),
            ms=read.ms,
            runtime=read.runtime,
        )

    def answer(listed: Listed, data: bytes) -> Answered:
        try:
            return row(listed, reader.read(data).read)
        except (UnreadableSample, BadMeasurement) as error:
            return not_read(listed, error=str(error), data=data)
        except ShortOfMemory as error:
            return not_read(listed, error=str(error), data=data, again=True)

    return answer

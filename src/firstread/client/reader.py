"""A client of the HTTP reader, `firstread serve`: samples go out, answers come back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from firstread.client.closing import Closing
from firstread.client.connections import Connections, Reply
from firstread.domain.errors import (
    BadConfiguration,
    BadMeasurement,
    FirstreadError,
    NotAllowed,
    UnknownPack,
    Unreachable,
    UnreadableSample,
)

Sample = bytes | Path | Mapping[str, Any]
"""A picture's bytes or file, or one row of measurements by their codes."""
Answer = dict[str, Any]
"""What `firstread classify --json` prints of a sample, without its path."""

_KINDS: Mapping[int, type[FirstreadError]] = {
    400: UnreadableSample,
    401: NotAllowed,
    403: NotAllowed,
    404: UnknownPack,
    415: UnreadableSample,
    422: UnreadableSample,
    502: Unreachable,
    503: Unreachable,
    504: Unreachable,
}
_FIRST_TRIES = 3
"""Who asks what there is wants to know soon that nothing is there."""
_PICTURE = "application/octet-stream"
_JSON = "application/json"


@dataclass(frozen=True, kw_only=True)
class ServedLabel:
    """One label that a served pack can give."""

    code: str
    title: str
    positive: bool


@dataclass(frozen=True, kw_only=True)
class ServedGroup:
    """One group of labels that a served pack sums up."""

    code: str
    title: str
    labels: tuple[str, ...]
    positive: bool


@dataclass(frozen=True, kw_only=True)
class ServedMeasurement:
    """One measurement that a served pack takes."""

    code: str
    title: str
    may_be_missing: bool


@dataclass(frozen=True, kw_only=True)
class ServedPack:
    """What must be known of a pack to send it samples and to understand its answers."""

    name: str
    version: str
    kind: str
    """image or measurements"""
    sha256: str
    """Of its SHA256SUMS, in hexadecimal: two machines with the same hash have the same pack."""
    labels: tuple[ServedLabel, ...]
    measurements: tuple[ServedMeasurement, ...]
    groups: tuple[ServedGroup, ...] = ()


class ReaderClient(Closing):
    """Speaks to one HTTP reader over connections that stay open. Threads may share it.

    A read changes nothing on the server, so it is tried again after a broken connection, `tries`
    times in all with pauses that double from `pause_s`; while the server says that it is busy it
    is asked again after the time it names, for up to `patience_s`. All times are in seconds.

        with ReaderClient("http://127.0.0.1:8080") as reader:
            print(reader.read(Path("cell.png"))["label"])

    Raises BadConfiguration where the address or the token cannot be one.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str = "",
        timeout_s: float = 60.0,
        tries: int = 7,
        pause_s: float = 0.25,
        patience_s: float = 120.0,
    ) -> None:
        self._connections = Connections(
            url,
            token=token,
            timeout_s=timeout_s,
            tries=tries,
            pause_s=pause_s,
            patience_s=patience_s,
        )
        self._only = ""

    def packs(self) -> list[dict[str, Any]]:
        """The packs of the server in short: name, version, title, check, kind, labels."""
        found = _json_of(self._connections.exchange("GET", "/packs", tries=_FIRST_TRIES))
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            raise _no_reader()
        return found

    def pack(self, name: str = "") -> ServedPack:
        """One pack; without a name the server's only one.

        Raises UnknownPack, and BadConfiguration where there are several to choose from.
        """
        name = name or self._the_only()
        path = f"/packs/{quote(name, safe='')}"
        said = _json_of(self._connections.exchange("GET", path, tries=_FIRST_TRIES))
        try:
            return ServedPack(
                name=str(said["pack"]["name"]),
                version=str(said["pack"]["version"]),
                kind=str(said["pack"]["kind"]),
                sha256=str(said["pack_sha256"]),
                labels=tuple(
                    ServedLabel(code=each["code"], title=each["title"], positive=each["positive"])
                    for each in said["labels"]
                ),
                measurements=tuple(
                    ServedMeasurement(
                        code=each["code"],
                        title=each["title"],
                        may_be_missing=each["may_be_missing"],
                    )
                    for each in said["measurements"]
                ),
                # A reader of an earlier version knows no groups.
                groups=tuple(
                    ServedGroup(
                        code=each["code"],
                        title=each["title"],
                        labels=tuple(each["labels"]),
                        positive=each["positive"],
                    )
                    for each in said.get("groups", ())
                ),
            )
        except (KeyError, TypeError):
            raise _no_reader() from None

    def read(self, sample: Sample, *, pack: str = "") -> Answer:
        """Have one sample read; without `pack` by the server's only one.

        Raises UnreadableSample and BadMeasurement as a reader on this machine does, UnknownPack,
        NotAllowed where the token is not right, Unreachable where no answer came, and OSError
        where a file cannot be read.
        """
        path = f"/read/{quote(pack or self._the_only(), safe='')}"
        if isinstance(sample, Mapping):
            body, content_type = _row(sample), _JSON
        else:
            body = sample.read_bytes() if isinstance(sample, Path) else sample
            content_type = _PICTURE
        answer = _json_of(
            self._connections.exchange("POST", path, body=body, content_type=content_type)
        )
        if not isinstance(answer, dict) or "findings" not in answer:
            raise _no_reader()
        return answer

    def read_many(
        self, samples: Iterable[Sample], *, pack: str = "", concurrency: int = 8
    ) -> Iterator[Answer | UnreadableSample | BadMeasurement]:
        """Have samples read, `concurrency` at once, and give the answers in their order.

        Where a sample cannot be read its error stands in its place; any other error ends it. At
        most two samples for each that is under way are taken ahead, however many there are.
        """
        from firstread.runtime.batch import read_all

        name = pack or self._the_only()
        return read_all(samples, lambda one: self._read_or_error(one, name), threads=concurrency)

    def give_up(self) -> None:
        """Let nobody wait any longer: pauses end at once, and what failed is not tried again."""
        self._connections.give_up()

    def close(self) -> None:
        """Close the connections; `with` does it by itself."""
        self._connections.close()

    def _read_or_error(
        self, sample: Sample, pack: str
    ) -> Answer | UnreadableSample | BadMeasurement:
        try:
            return self.read(sample, pack=pack)
        except (UnreadableSample, BadMeasurement) as error:
            return error

    def _the_only(self) -> str:
        if not self._only:
            names = [str(each.get("name", "")) for each in self.packs()]
            if len(names) != 1:
                has = f"has the packs {', '.join(names)}" if names else "has no pack"
                raise BadConfiguration(f"The reader {has}. Name the one that shall read.")
            self._only = names[0]
        return self._only


def _row(values: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(dict(values)).encode()
    except (TypeError, ValueError, RecursionError):
        raise BadMeasurement(
            "A row of measurements holds something else than numbers. Correct it.", field=""
        ) from None


def _json_of(reply: Reply) -> Any:
    """The JSON of an answer; raises the error that a refusal stands for."""
    try:
        said = json.loads(reply.body)
    except (ValueError, RecursionError):
        said = None
    if reply.status == 200 and said is not None:
        return said
    raise _refusal(reply, said if isinstance(said, dict) else {})


def _refusal(reply: Reply, problem: Mapping[str, Any]) -> FirstreadError:
    status = reply.status
    said = str(problem.get("detail") or f"The server refused with status {status}.")
    if 300 <= status < 400:
        where = str(reply.headers.get("location", "elsewhere"))[:200]
        return BadConfiguration(f"The server sends on to {where}. Give that address.")
    if not problem and _KINDS.get(status) is not NotAllowed:
        return _no_reader(status=status)
    kind = _KINDS.get(status, FirstreadError)
    if kind is UnreadableSample and problem.get("field"):
        return BadMeasurement(said, field=str(problem["field"]))
    return kind(said)


def _no_reader(*, status: int = 200) -> FirstreadError:
    return Unreachable(
        f"The server does not answer as a Firstread reader does (status {status}). Check the "
        "address, and that 'firstread serve' runs there."
    )

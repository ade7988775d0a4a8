"""What `firstread submit` sends in one request, and what the person asked of all of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from firstread.domain.errors import BadConfiguration
from firstread.inbox.names import accession_pattern, plain

MOST_AT_ONCE = 16
MOST_BYTES = 32 * 2**20
"""In one request; half of what a server takes unless set otherwise, and little to send again."""


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """What is sent in one request: files of one case, or one row of a table."""

    files: tuple[Path, ...]
    accession: str
    patient: str = ""
    line: int | None = None
    values: dict[str, float | None] | None = None
    refused: str = ""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What holds for all files of one run; `check` is what the server says of the check."""

    check: Mapping[str, Any]
    accession: str
    patient: str
    one_case: bool
    pattern: str

    @cached_property
    def _found(self) -> re.Pattern[str]:
        return accession_pattern(self.pattern)

    def accession_of(self, file: Path) -> str:
        """The one accession for all, or the one in the file's name."""
        return self.accession or accession_in(file, self._found)

    def shared_accession(self, files: Sequence[Path], *, samples: int) -> str:
        """That of files that shall be one case; raises BadConfiguration where they cannot."""
        if samples > 1 and not self.check["many"]:
            kind = self.check["kind"]
            raise BadConfiguration(f"This check takes one {kind} a case. Leave --one-case out.")
        found = next((named for file in files if (named := self.accession_of(file))), "")
        if samples > 1 and not found:
            raise BadConfiguration("--one-case needs --accession: no file's name holds a number.")
        return found


def accession_in(file: Path, pattern: re.Pattern[str]) -> str:
    """The accession that the file's name holds, or ''."""
    found = pattern.search(plain(file.name))
    return (found["accession"] or "") if found else ""


def in_parcels(files: Sequence[Path], *, accession: str, patient: str) -> list[Parcel]:
    """Files of one case, as many in each request as it takes."""
    parcels: list[list[Path]] = [[]]
    size_bytes = 0
    for file in files:
        size_bytes += file.stat().st_size
        if parcels[-1] and (size_bytes > MOST_BYTES or len(parcels[-1]) >= MOST_AT_ONCE):
            parcels.append([])
            size_bytes = file.stat().st_size
        parcels[-1].append(file)
    return [Parcel(files=tuple(each), accession=accession, patient=patient) for each in parcels]

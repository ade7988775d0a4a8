"""What the name of a file and the folder it lies in say: its check, accession and patient."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import PurePath

from firstread.domain.errors import BadConfiguration, UnknownCheck, UnreadableSample

ACCESSION_PATTERN = r"^(?P<accession>[^_.\s]*[0-9][^_.\s]*)"
"""`865102_lab_2_Apr_21.jpg` is accession 865102; `IMG_20.jpg` has none, for a number has digits."""
WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")
"""Files of spreadsheet programs; those that cannot be read come back with the way out."""
LONGEST = 64
"""Characters of an accession or patient number."""


@dataclass(frozen=True, kw_only=True)
class Address:
    """To which case a file belongs; without an accession it makes a case of its own."""

    check: str
    accession: str = ""
    patient: str = ""


def is_table(name: str) -> bool:
    """Whether a file of this name holds measurements.

    >>> is_table("lumps.CSV"), is_table("cell.png")
    (True, False)
    """
    return name.casefold().endswith((".csv", ".tsv", ".json", *WORKBOOKS))


def ends_a_line(data: bytes) -> bool:
    """Whether the bytes of a table, in UTF-8 or UTF-16, end where a line does."""
    return data.endswith((b"\n", b"\n\x00"))


def accession_pattern(text: str) -> re.Pattern[str]:
    """What finds the accession in a file's name; ACCESSION_PATTERN where `text` is empty.

    Raises BadConfiguration where it is no regular expression, or has no group for the accession.
    """
    try:
        pattern = re.compile(text or ACCESSION_PATTERN)
    except re.error as error:
        raise BadConfiguration(
            f"The pattern is no regular expression: {error}. Correct it, or leave it out."
        ) from None
    if "accession" not in pattern.groupindex:
        raise BadConfiguration(
            "The pattern needs a group (?P<accession>...). Add it, or leave the pattern out."
        )
    return pattern


def plain(name: str) -> str:
    """The name as text that can be stored and shown: no line breaks, no broken characters."""
    text = name.encode(errors="replace").decode()
    return "".join(sign if sign.isprintable() else "�" for sign in text)[:255]


def address_of(
    path: PurePath, *, pattern: re.Pattern[str], checks: Collection[str], default_check: str
) -> Address:
    """The address of the file at `path`, relative to the inbox.

    The topmost folder names the check. Raises UnknownCheck where none is named so, and
    UnreadableSample where the accession that the pattern finds cannot be one.

    >>> address_of(PurePath("malaria/865102_lab_2_Apr_21.jpg"), checks={"malaria"},
    ...            pattern=re.compile(r"(?P<accession>[0-9]+)"), default_check="").accession
    '865102'
    """
    folder = path.parts[0] if len(path.parts) > 1 else ""
    check = folder or default_check
    if check not in checks:
        known = ", ".join(sorted(checks)) or "none is set up yet"
        where = f"There is no check '{plain(check)}'." if check else "No check was named."
        raise UnknownCheck(f"{where} Put the file into a folder named after a check: {known}.")
    found = pattern.search(plain(path.name))
    groups = found.groupdict() if found else {}
    accession, patient = groups.get("accession") or "", groups.get("patient") or ""
    for what, text in (("accession", accession), ("patient", patient)):
        if len(text) > LONGEST or "�" in text:
            raise UnreadableSample(
                f"The name of the file gives no {what} of at most {LONGEST} plain characters. "
                "Rename the file and put it in again."
            )
    return Address(check=check, accession=accession.strip(), patient=patient.strip())

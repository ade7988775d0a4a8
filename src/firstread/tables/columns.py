"""Which column of a table is which measurement, and what else than measurements it says."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from firstread.domain.errors import BadMeasurement

_UNIT = re.compile(r"(.+?)\s*[\[(]([^\])]*)[\])]\s*")
ABOUT = {
    "accession": ("accession", "accessionnumber", "sampleid", "samplenumber", "id"),
    "patient": ("patient", "patientid", "mrn"),
    "label": ("label", "class"),
}
"""What else than measurements is taken along, by the names of its column; the first counts most."""


class Measured(Protocol):
    """One measurement that a check takes, as a pack's manifest or the API describes it."""

    @property
    def code(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def may_be_missing(self) -> bool: ...


class TakesMeasurements(Protocol):
    """A manifest, or anything else that says which measurements a check takes."""

    @property
    def measurements(self) -> Sequence[Measured]: ...


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Where in a line what stands, and how long the header is."""

    codes: dict[int, str]
    accession: int | None
    patient: int | None
    label: int | None
    width: int

    @property
    def taken(self) -> list[int]:
        """The places of all that is taken."""
        more = (self.accession, self.patient, self.label)
        return [*self.codes, *(at for at in more if at is not None)]


def plain_name(name: str) -> str:
    """Without case, spaces and marks: `Clump thickness` is clump_thickness."""
    return re.sub(r"[\W_]+", "", name).casefold()


def columns_of(header: Sequence[str], *, manifest: TakesMeasurements) -> tuple[Columns, list[str]]:
    """Where what stands, and the names of the columns that are left out."""
    known: dict[str, str] = {}
    for each in manifest.measurements:
        known[plain_name(each.title)] = each.code
    for each in manifest.measurements:
        known[plain_name(each.code)] = each.code
    codes: dict[int, str] = {}
    about: dict[str, list[tuple[int, int]]] = {what: [] for what in ABOUT}
    left_out: list[str] = []
    for place, name in enumerate(header):
        plain = _without_unit(name, known=known, manifest=manifest)
        if plain in known:
            if known[plain] in codes.values():
                raise BadMeasurement(
                    f"The table has two columns for '{known[plain]}'. Leave one of them out.",
                    field=known[plain],
                )
            codes[place] = known[plain]
        elif what := next((what for what, names in ABOUT.items() if plain in names), ""):
            about[what].append((ABOUT[what].index(plain), place))
        elif name:
            left_out.append(name[:40])
    special = {what: min(found)[1] for what, found in about.items() if found}
    left_out += [header[at][:40] for found in about.values() for _, at in sorted(found)[1:]]
    columns = Columns(
        codes=codes,
        accession=special.get("accession"),
        patient=special.get("patient"),
        label=special.get("label"),
        width=len(header),
    )
    return columns, left_out


def _without_unit(name: str, *, known: Mapping[str, str], manifest: TakesMeasurements) -> str:
    """A column's plain name; `Haemoglobin [g/L]` is haemoglobin where that is its unit."""
    plain, found = plain_name(name), _UNIT.fullmatch(name)
    if plain in known or found is None or plain_name(found[1]) not in known:
        return plain
    code, unit = known[plain_name(found[1])], found[2].strip()
    own = next((getattr(m, "unit", "") for m in manifest.measurements if m.code == code), "")
    if own not in ("", "none") and _same_unit(own) != _same_unit(unit):
        raise BadMeasurement(
            f"The table gives {code} in '{unit[:40]}', and this check takes it in '{own}'. Convert "
            "the column, and name its unit so.",
            field=code,
        )
    return plain_name(found[1])


def _same_unit(unit: str) -> str:
    return re.sub(r"\s+", "", unit).casefold().replace("μ", "µ")


def refuse_absent(manifest: TakesMeasurements, *, present: set[str]) -> None:
    """Raises BadMeasurement where a column that is needed is not there, or none at all is."""
    absent = [each.code for each in manifest.measurements if each.code not in present]
    needed = [
        each.code
        for each in manifest.measurements
        if not each.may_be_missing and each.code in absent
    ]
    if not present:
        raise BadMeasurement(
            "The first line names none of the measurements. It must hold columns named "
            f"{', '.join(absent)}.",
            field=absent[0] if absent else "",
        )
    if needed:
        raise BadMeasurement(
            f"The table has no column for {', '.join(needed)}. Add it, or send another check.",
            field=needed[0],
        )

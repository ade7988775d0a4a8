"""Labelled samples become a folder that `train`, `evaluate` and `datasets check` open: whole or not
at all.

`labels.csv` names every sample with its label, patient and part; `samples.jsonl` says where each
came from and the SHA-256 of its bytes, which is compared whenever it is read; `dataset.json` says
what the whole is, and is written last.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any, TextIO

from firstread import __version__
from firstread.datasets.dataset import Dataset, Origin, Part, text_of
from firstread.datasets.forms.written import (
    ABOUT_FILE,
    COLUMNS,
    FORMAT,
    LABELS_FILE,
    MAX_CELL,
    SAMPLES_FILE,
    escaped,
    sha256_of,
)
from firstread.datasets.kinds import KINDS, KindOfSamples
from firstread.datasets.parts import PARTS
from firstread.datasets.sample import Sample, Stored
from firstread.domain.errors import BadDataset
from firstread.files.whole import sync
from firstread.packs.place import alone, emptied

_FOLDER = 1000
"""So many samples lie in one folder: more make listing it slow."""
_ODD = re.compile(r"[^A-Za-z0-9_-]+")
_NAME_LENGTH = 40


def write_dataset(
    samples: Iterable[Sample],
    *,
    to: Path,
    kind: str,
    licence: str = "",
    source: str = "",
    remark: str = "",
) -> int:
    """Write the folder `to`, which must not be there yet; how many samples it holds.

    `samples` are taken one at a time and not kept, so that any number may come. `source` and
    `licence` stand for those that bring no origin of their own, `remark` says what the set leaves
    unknown. The folder is written beside its place, under a name that begins with a dot, and
    appears whole: what a killed writer leaves there, the next one takes away.

    Raises BadDataset where a sample is not as its kind needs it, there is none, or something stands
    at `to`; UnknownKind; and OSError where the disk does not take it. Nothing is left then.

    >>> from tempfile import TemporaryDirectory
    >>> from firstread.datasets import open_dataset
    >>> rows = [Sample(label="well", patient="7", part="test", measurements={"size": 2.5})]
    >>> with TemporaryDirectory() as place:
    ...     n = write_dataset(rows, to=Path(place) / "cells", kind="measurements")
    ...     item = open_dataset(Path(place) / "cells").items[0]
    >>> n, item.label, item.patient, item.part, item.measurements
    (1, 'well', '7', 'test', (('size', 2.5),))
    """
    standing = Origin(source=source, licence=licence)
    with _beside(to) as folder:
        with (
            (folder / LABELS_FILE).open("w", encoding="utf-8", newline="") as labels,
            (folder / SAMPLES_FILE).open("w", encoding="ascii") as told,
        ):
            tables = _Tables(folder, KINDS[kind], labels=labels, told=told)
            for sample in samples:
                tables.add(replace(sample, origin=_origin(sample, standing)))
        if not tables.count:
            raise BadDataset("There is no sample to write. Name a set that holds some.")
        about = {
            "format": FORMAT,
            "kind": kind,
            "samples": tables.count,
            "source": source,
            "licence": licence,
            "remark": remark,
            "written_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            "written_by": f"firstread {__version__}",
            LABELS_FILE: _file_sha256(folder / LABELS_FILE),
            SAMPLES_FILE: _file_sha256(folder / SAMPLES_FILE),
        }
        (folder / ABOUT_FILE).write_text(json.dumps(about, indent=1) + "\n", encoding="ascii")
        os.sync()  # every sample must be on the disk before the name is
        folder.rename(to)
        sync(to.parent)
    return tables.count


def samples_of(
    dataset: Dataset, *, source: str = "", parts: Mapping[int, Part] | None = None
) -> Iterator[Sample]:
    """The samples of any set that can be opened, one at a time, as `write_dataset` takes them.

    `source` is what the set is called where its samples bring no origin of their own, else its
    name. `parts` are those of a split that was drawn, by the number of the item; what stands in
    none of them has the part that it came with.
    """
    give = KINDS[dataset.kind].give
    for number, item in enumerate(dataset.items):
        sample = give(dataset, item)
        origin = item.origin or Origin(source=f"{source or dataset.name}: {item.path}")
        part = (parts or {}).get(number, item.part)
        yield replace(sample, origin=origin, part=part)


class _Tables:
    """The tables of a folder while it is written: a line for each sample, as they come."""

    def __init__(self, folder: Path, kind: KindOfSamples, *, labels: TextIO, told: TextIO) -> None:
        self._folder = folder
        self._kind = kind
        self._rows = csv.writer(labels, lineterminator="\r\n")
        self._told = told
        self._codes: tuple[str, ...] = ()
        self.count = 0

    def add(self, sample: Sample) -> None:
        _refuse_odd_words(sample)
        stored = self._kind.stored(sample)
        if not self.count:
            self._codes = tuple(sample.measurements)
            self._rows.writerow([*COLUMNS, *map(escaped, self._codes)])
        if tuple(sample.measurements) != self._codes:
            raise BadDataset(
                f"Sample {self.count + 1} has other measurements than the first, which has "
                f"{', '.join(self._codes) or 'none'}. Give all the same, in one order."
            )
        line = self._line(sample, stored)
        row = [line["path"], sample.label, sample.patient, sample.part]
        values = ["" if value is None else repr(value) for _, value in _numbers(sample)]
        self._rows.writerow([*map(escaped, row), *values])
        self._told.write(json.dumps(line, sort_keys=True) + "\n")
        self.count += 1

    def _line(self, sample: Sample, stored: Stored | None) -> dict[str, Any]:
        """Writes the files of a sample; its line in the second table."""
        origin = sample.origin
        came = sample.data or text_of(_numbers(sample))
        told: dict[str, Any] = {
            "source": origin.source,
            "licence": origin.licence,
            "at": origin.at,
            "source_sha256": origin.sha256 or sha256_of(came),
        }
        if sample.places:
            told["places"] = [list(each) for each in sample.places]
        if sample.columns:
            told["columns"] = dict(sample.columns)
        if stored is None:
            return told | {"path": f"{self.count + 1}", "sha256": sha256_of(came)}
        stem = _stem(sample.name, number=self.count)
        told |= self._kept(stem + stored.ending, stored.data)
        beside = {
            what: self._kept(stem + ending, data) for what, (ending, data) in stored.beside.items()
        }
        return told | ({"beside": beside} if beside else {})

    def _kept(self, path: str, data: bytes) -> dict[str, str]:
        place = self._folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        return {"path": path, "sha256": sha256_of(data)}


def _file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _numbers(sample: Sample) -> tuple[tuple[str, float | None], ...]:
    return tuple(
        (code, None if value is None else float(value))
        for code, value in sample.measurements.items()
    )


def _stem(name: str, *, number: int) -> str:
    """A path without ending that is nobody else's; of the name what any system can spell."""
    plain = _ODD.sub("-", PurePosixPath(name.replace("\\", "/")).stem).strip("-")[:_NAME_LENGTH]
    return f"samples/{number // _FOLDER:03d}/{number:06d}{'-' if plain else ''}{plain}"


def _origin(sample: Sample, standing: Origin) -> Origin:
    own = sample.origin
    return replace(
        own, source=own.source or standing.source, licence=own.licence or standing.licence
    )


def _refuse_odd_words(sample: Sample) -> None:
    words = {"label": sample.label, "patient": sample.patient}
    words |= {f"code {code!r}"[:60]: code for code in sample.measurements}
    for what, word in words.items():
        try:
            word.encode()
        except UnicodeEncodeError as why:
            raise BadDataset(
                f"The {what} {word[:60]!r} is no text that a table can hold. Spell it in UTF-8."
            ) from why
        if len(word) > MAX_CELL or (not word.strip() and what != "patient"):
            raise BadDataset(
                f"The {what} {word[:60]!r} is empty, or longer than {MAX_CELL} letters. Give a "
                "short one."
            )
    if sample.part not in ("", *PARTS.values()):
        raise BadDataset(
            f"A sample has the part {str(sample.part)[:60]!r}. Say train, validation, test or "
            "nothing."
        )


@contextmanager
def _beside(to: Path) -> Iterator[Path]:
    """An empty folder beside `to`, which nobody else fills meanwhile; gone when the block ends."""
    if not to.parent.is_dir():
        raise BadDataset(f"There is no folder {to.parent} to write into. Make it first.")
    half = to.parent / f".{to.name}.part"
    busy = f"Another command writes {to} right now. Wait until it ends, or name another folder."
    with alone(to.parent / f".{to.name}.lock", otherwise=busy):
        if to.exists() or to.is_symlink():
            raise BadDataset(
                f"There is something at {to} already, and a set of samples is never changed. Name "
                "another folder."
            )
        try:
            yield emptied(half)
        finally:
            shutil.rmtree(half, ignore_errors=True)

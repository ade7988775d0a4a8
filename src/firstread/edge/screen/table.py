"""The journal's rows become one Parquet file, a row for each sample, ordered by address."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from firstread.edge.screen.answered import Answered, shown_address
from firstread.files.whole import whole

AT_ONCE = 8192
"""Rows of one group: what is in memory while the table is written."""

_MADE_BY = b"firstread.screen"


def write_table(
    out: Path,
    groups: Iterable[Sequence[Answered]],
    *,
    codes: Sequence[str],
    told: Mapping[str, str],
) -> None:
    """Write the table at `out` whole or not at all; `told` holds the pack, among other things."""
    schema = _schema(codes, told=told)
    # Where it is written is known to who lists the archive, for it may lie in the same folder. What
    # it lists is taken from the journal, which goes once the table is on the disk to stay.
    beside = out.with_name(out.name + ".part")
    with (
        whole(out, lasting=True, beside=beside) as file,
        pq.ParquetWriter(file, schema, compression="zstd") as writer,
    ):
        for group in groups:
            writer.write_table(_table(group, codes=codes, told=told, schema=schema))


def told_by(out: Path) -> dict[str, str] | None:
    """What `write_table` was told when it wrote `out`; None where the file is not by it."""
    try:
        kept = pq.read_schema(out).metadata or {}
        found = json.loads(kept.get(_MADE_BY, b"null"))
    except (OSError, ValueError):  # Arrow's errors on bytes that are no Parquet are ValueErrors
        return None
    return found if isinstance(found, dict) else None


def _schema(codes: Sequence[str], *, told: Mapping[str, str]) -> pa.Schema:
    text, number = pa.string(), pa.float64()
    columns = {
        "path": text,
        "sha256": text,
        "label": text,
        "probability": number,
        **{f"p_{code}": number for code in codes},
        "finding_set": pa.list_(text),
        "familiarity": number,
        "familiar": pa.bool_(),
        "alarms": pa.list_(text),
        "unfit": text,
        "doubt": text,
        "would_say": text,
        "would_alarm": pa.list_(text),
        "error": text,
        "pack": text,
        "version": text,
        "pack_sha256": text,
        "ms": number,
        "runtime": text,
    }
    return pa.schema(columns).with_metadata({_MADE_BY: json.dumps(dict(told)).encode()})


def _table(
    group: Sequence[Answered], *, codes: Sequence[str], told: Mapping[str, str], schema: pa.Schema
) -> pa.Table:
    by_name = dict(zip(Answered._fields, zip(*group, strict=True), strict=True))
    columns = {name: list(values) for name, values in by_name.items() if name in schema.names}
    columns["path"] = [shown_address(key) for key in by_name["address"]]
    columns["familiar"] = [None if each is None else bool(each) for each in by_name["familiar"]]
    for name in ("finding_set", "alarms", "would_alarm"):
        lists = {text: None if text is None else json.loads(text) for text in set(by_name[name])}
        columns[name] = [lists[text] for text in by_name[name]]
    nothing = np.full(len(codes), np.nan).tobytes()
    chances = np.frombuffer(b"".join(each or nothing for each in by_name["chances"]), "<f8")
    for code, column in zip(codes, chances.reshape(len(group), len(codes)).T, strict=True):
        columns[f"p_{code}"] = pa.array(np.ascontiguousarray(column), from_pandas=True)
    for name in ("pack", "version", "pack_sha256"):
        columns[name] = [told[name]] * len(group)
    return pa.Table.from_pydict(columns, schema=schema)

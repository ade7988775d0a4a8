"""The golden rows of a pack, and what it must answer to them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from firstread.packs import Golden, Measurement
from firstread.runtime.measurements import as_array
from firstread.runtime.session import Session
from firstread.train.pack.golden import FOLDER, SEED, asked, drawn


def row_golden(
    pack: Path, *, check: str, labels: Sequence[str], measurements: tuple[Measurement, ...]
) -> tuple[Golden, ...]:
    """Write a golden row for each label, and one with what may be missing missing."""
    session = Session(pack / "model.onnx", kind="measurements")
    (pack / FOLDER).mkdir(exist_ok=True)
    rows: list[dict[str, float | None]] = [
        dict(_row(check, label, measurements, seed=SEED)) for label in labels
    ]
    missing: dict[str, float | None] = dict(rows[-1])
    rows.append(missing | {each.code: None for each in measurements if each.may_be_missing})
    golden = []
    for number, row in enumerate(rows, start=1):
        name = f"{FOLDER}/{number:02d}.json"
        (pack / name).write_text(json.dumps(row) + "\n", encoding="utf-8")
        array = as_array(row, measurements=measurements)
        golden.append(asked(session, name, array[np.newaxis]))
    return tuple(golden)


def _row(
    check: str, label: str, measurements: tuple[Measurement, ...], *, seed: int
) -> dict[str, float]:
    if (made := drawn(check, label, seed=seed)) is not None:
        return made.measurements
    rng = np.random.default_rng([seed, len(label)])
    return {m.code: round(float(rng.uniform(m.minimum, m.maximum)), 1) for m in measurements}

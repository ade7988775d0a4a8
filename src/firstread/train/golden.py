"""The golden samples of a pack: phantoms, which are nobody's, and what the pack must answer to
them."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from firstread import phantom
from firstread.domain.errors import UnknownCheck
from firstread.packs import Golden, Input, Measurement
from firstread.runtime.measurements import as_array
from firstread.runtime.prepare import pixels_of
from firstread.runtime.session import Session

FOLDER = "golden"
SEED = 20_26


def image_golden(
    pack: Path, *, check: str, labels: Sequence[str], given: Input, count: int = 4
) -> tuple[Golden, ...]:
    """Write up to `count` golden pictures of different labels, and ask the pack's own network."""
    session = Session(pack / "model.onnx", kind="image")
    (pack / FOLDER).mkdir(exist_ok=True)
    golden = []
    for number, label in enumerate(labels[:count], start=1):
        data = _picture(check, label, given, seed=SEED + number)
        name = f"{FOLDER}/{number:02d}.png"
        (pack / name).write_bytes(data)
        pixels = pixels_of(data, given)
        golden.append(_asked(session, name, pixels[np.newaxis]))
    return tuple(golden)


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
        golden.append(_asked(session, name, array[np.newaxis]))
    return tuple(golden)


def _asked(session: Session, name: str, batch: NDArray[Any]) -> Golden:
    logits = session.run(batch)["logits"][0]
    return Golden(sample=name, logits=tuple(round(float(value), 6) for value in logits))


def _picture(check: str, label: str, given: Input, *, seed: int) -> bytes:
    try:
        if label in phantom.labels(check):
            return phantom.make(check, label=label, seed=seed).png
    except UnknownCheck:
        pass
    return _pattern(given, seed=seed)


def _pattern(given: Input, *, seed: int) -> bytes:
    """For a check that has no phantoms: a smooth pattern of random colours."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), np.uint8)
    size = (given.width_px, given.height_px)
    picture = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def _row(
    check: str, label: str, measurements: tuple[Measurement, ...], *, seed: int
) -> dict[str, float]:
    try:
        if label in phantom.labels(check):
            return phantom.make(check, label=label, seed=seed).measurements
    except UnknownCheck:
        pass
    rng = np.random.default_rng([seed, len(label)])
    return {m.code: round(float(rng.uniform(m.minimum, m.maximum)), 1) for m in measurements}

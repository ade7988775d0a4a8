"""The golden pictures of a pack, and what it must answer to them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from firstread.packs import Golden, Input
from firstread.runtime.prepare import pixels_of
from firstread.runtime.session import Session
from firstread.train.pack.golden import FOLDER, SEED, asked, drawn


def image_golden(
    pack: Path, *, check: str, labels: Sequence[str], given: Input, count: int = 4
) -> tuple[Golden, ...]:
    """Write up to `count` golden pictures of different labels, and ask the pack's own network."""
    session = Session(pack / "model.onnx", kind="image")
    (pack / FOLDER).mkdir(exist_ok=True)
    golden = []
    for number, label in enumerate(labels[:count], start=1):
        seed = SEED + number
        made = drawn(check, label, seed=seed)
        data = _pattern(given, seed=seed) if made is None else made.png
        name = f"{FOLDER}/{number:02d}.png"
        (pack / name).write_bytes(data)
        pixels = pixels_of(data, given)
        golden.append(asked(session, name, pixels[np.newaxis]))
    return tuple(golden)


def _pattern(given: Input, *, seed: int) -> bytes:
    """For a check that has no phantoms: a smooth pattern of random colours."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), np.uint8)
    size = (given.width_px, given.height_px)
    picture = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()

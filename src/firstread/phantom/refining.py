"""Give a drawing the stain, grain and soft edges of a real smear, by a small network that ships."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

GRAIN_CHANNELS = 4


def refine(
    drawing: NDArray[np.uint8], *, check: str, number: int, of: int, seed: int
) -> NDArray[np.uint8]:
    """The drawing refined for label `number` of `of`; as it came where no refiner ships.

    The grain that the network starts from depends on the seed, so a phantom can be made again.
    """
    model = _model(check)
    if model is None:
        return drawing
    half = drawing.shape[0] // 2
    rng = np.random.default_rng([seed & 0xFFFFFFFF, number, 1])
    feed = {
        "drawing": drawing[None],
        "grain": rng.standard_normal((1, GRAIN_CHANNELS, half, half), dtype=np.float32),
        "label": np.eye(of, dtype=np.float32)[number : number + 1],
    }
    session = _session(check)
    picture: NDArray[np.uint8] = session.run(["picture"], feed)[0][0]
    return picture


def _model(check: str) -> bytes | None:
    model = files("firstread.phantom") / "generators" / f"{check}.onnx"
    return model.read_bytes() if model.is_file() else None


@lru_cache(maxsize=4)
def _session(check: str) -> Any:  # onnxruntime has no types
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(_model(check), options, providers=["CPUExecutionProvider"])

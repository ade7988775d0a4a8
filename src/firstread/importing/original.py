"""The model file as it came, asked the same pictures: a pack must answer what it answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from firstread.domain.errors import ModelRefused
from firstread.importing.plan import Pixels

_UNUSABLE = (
    ort.capi.onnxruntime_pybind11_state.Fail,
    ort.capi.onnxruntime_pybind11_state.InvalidArgument,
    ort.capi.onnxruntime_pybind11_state.InvalidGraph,
    ort.capi.onnxruntime_pybind11_state.InvalidProtobuf,
    ort.capi.onnxruntime_pybind11_state.NotImplemented,
    ort.capi.onnxruntime_pybind11_state.RuntimeException,
    ort.capi.onnxruntime_pybind11_state.NoSuchFile,
)
_ELEMENTS = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(uint8)": np.uint8,
}


class Original:
    """An ONNX file that is open. Raises ModelRefused where ONNX Runtime cannot open it."""

    def __init__(self, data: bytes, *, output: str | None, labels: int) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            self._session = ort.InferenceSession(
                data, sess_options=options, providers=["CPUExecutionProvider"]
            )
        except _UNUSABLE as error:
            raise ModelRefused(
                f"ONNX Runtime cannot open this model: {_first_line(error)}. Export it anew."
            ) from None
        if not self._session.get_inputs():
            raise ModelRefused(
                "The model takes no input, and so reads no picture. Export it again with its input."
            )
        self._given = self._session.get_inputs()[0]
        self._output = output
        self._labels = labels

    @property
    def is_half(self) -> bool:
        """Whether it computes in half precision, so that it rounds its answers."""
        return bool(self._given.type == "tensor(float16)")

    def answers(self, picture: NDArray[np.uint8], *, pixels: Pixels, layout: str) -> NDArray[Any]:
        """What the file answers to one prepared picture, uint8 [H, W, 3]: float64 [K].

        Raises ModelRefused where it does not take the picture.
        """
        element = _ELEMENTS.get(self._given.type, np.float32)
        batch = _by_hand(picture, pixels=pixels, layout=layout).astype(element)[np.newaxis]
        names = [each.name for each in self._session.get_outputs()]
        try:
            given = self._session.run(None, {self._given.name: batch})
        except _UNUSABLE as error:
            raise ModelRefused(
                f"The model does not take a picture of this size: {_first_line(error)}. "
                "Correct --size, --order or --layout."
            ) from None
        found = dict(zip(names, given, strict=True))
        if self._output is not None:
            values = found[self._output]
        elif len(found) == 1:
            values = given[0]
        else:
            values = next((each for each in given if np.size(each) == self._labels), given[0])
        if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiu":
            raise ModelRefused(
                "What the model answers is no array of numbers. Export it without the step that "
                "names its labels (ZipMap, ArgMax to words), or say --output NAME."
            )
        return np.asarray(values, np.float64).reshape(-1)


def _by_hand(picture: NDArray[np.uint8], *, pixels: Pixels, layout: str) -> NDArray[np.float64]:
    """Preparation written out a second time, so that a slip in the graph shows."""
    values = picture.astype(np.float64)
    if pixels.order == "bgr":
        values = values[:, :, ::-1]
    elif pixels.order == "grey":
        values = values[:, :, :1]
    values = (values * pixels.scale - np.array(pixels.mean)) / np.array(pixels.std)
    return np.asarray(values.transpose(2, 0, 1) if layout == "nchw" else values, np.float64)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].partition(" : ")[2][:160].rstrip(".") or lines[0][:160]

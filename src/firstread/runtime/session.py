"""The only place that runs a network: ONNX Runtime on one thread, the same way every time."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from firstread.domain.errors import PackRefused

_INPUT = {
    "image": ("image", "tensor(uint8)", 4),
    "measurements": ("measurements", "tensor(float)", 2),
}
_OUTPUTS = {
    "image": ("logits", "embedding", "evidence"),
    "measurements": ("logits", "contributions"),
}
_RANKS = {"logits": 2, "embedding": 2, "evidence": 4, "contributions": 3}


class Session:
    """A network that is open; many threads may run it at once.

    Raises PackRefused where `model` is no network of the `kind`; one read uses `threads` threads.
    """

    def __init__(self, model: Path, *, kind: str, threads: int = 1) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        # A thread that spins while it waits takes the core from the reads beside it.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        try:
            # Bytes, not a path: so that no weights outside the checked file can be named.
            self._session = ort.InferenceSession(
                model.read_bytes(), sess_options=options, providers=["CPUExecutionProvider"]
            )
        except OSError:
            raise _refusal("model.onnx is missing") from None
        except _UNUSABLE:
            raise _refusal("model.onnx is no network that this onnxruntime can open") from None
        self._input = self._checked_input(kind)
        self._outputs = self._checked_outputs(kind)
        self.runtime = runtime_name()

    def run(self, batch: NDArray[Any]) -> dict[str, NDArray[np.float32]]:
        """Each output by name, float32 with N first: [N, K], [N, D], [N, K, h, w] or [N, K, F].

        `batch` is uint8 [N, H, W, 3], or float32 [N, F] with NaN where missing. Raises PackRefused
        where the network does not take it.
        """
        try:
            values = self._session.run(list(self._outputs), {self._input: batch})
        except _UNUSABLE:
            raise _refusal("it does not take what its pack.toml says") from None
        return dict(zip(self._outputs, values, strict=True))

    def _checked_input(self, kind: str) -> str:
        name, element, rank = _INPUT[kind]
        inputs = self._session.get_inputs()
        if len(inputs) != 1 or inputs[0].name != name:
            raise _refusal(f"its only input must be called '{name}'")
        if inputs[0].type != element or len(inputs[0].shape) != rank:
            raise _refusal(f"its input '{name}' must be {element} with {rank} axes")
        return name

    def _checked_outputs(self, kind: str) -> tuple[str, ...]:
        present = {each.name: each for each in self._session.get_outputs()}
        known = tuple(name for name in _OUTPUTS[kind] if name in present)
        needed = ("logits", "contributions") if kind == "measurements" else ("logits",)
        for name in needed:
            if name not in present:
                raise _refusal(f"it has no output '{name}'")
        for name in known:
            if present[name].type != "tensor(float)" or len(present[name].shape) != _RANKS[name]:
                raise _refusal(f"its output '{name}' must be float32 with {_RANKS[name]} axes")
        return known


def runtime_name() -> str:
    """What runs the network here, such as 'onnxruntime 1.31.0 CPU x86_64'."""
    return f"onnxruntime {ort.__version__} CPU {platform.machine()}"


def _ort_errors() -> tuple[type[BaseException], ...]:
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    names = (
        "Fail",
        "InvalidArgument",
        "InvalidGraph",
        "InvalidProtobuf",
        "NoSuchFile",
        "NotImplemented",
    )
    return tuple(getattr(state, name) for name in names if hasattr(state, name))


_UNUSABLE: tuple[type[BaseException], ...] = (RuntimeError, ValueError, *_ort_errors())


def _refusal(what: str) -> PackRefused:
    return PackRefused(f"The pack's network cannot be used: {what}. Train or copy the pack again.")

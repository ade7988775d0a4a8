"""The only place that runs a network: ONNX Runtime on one thread, the same way every time."""

from __future__ import annotations

import platform
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

import firstread
from firstread.domain.errors import PackRefused
from firstread.runtime.graph_cache import (
    WORTH_KEEPING_BYTES,
    cache_folder,
    graph_key,
    keep_graph,
    kept_graph,
    make_folder,
)
from firstread.runtime.kinds import KINDS, KindOfRead
from firstread.runtime.widen import widened

_ELEMENTS: dict[type[np.generic], str] = {np.uint8: "tensor(uint8)", np.float32: "tensor(float)"}


class Session:
    """A network that is open; many threads may run it at once.

    Raises PackRefused where `model` is no network of the `kind`; one read uses `threads` threads.
    With `pack_sha256`, the hash of the verified pack that `model` lies in, the graph that ONNX
    Runtime makes of a large network is kept for the next time.
    """

    def __init__(
        self, model: Path, *, kind: str, threads: int = 1, pack_sha256: str | None = None
    ) -> None:
        try:
            # Bytes, not a path: so that no weights outside the checked file can be named.
            self._session = _opened(model, threads=threads, pack_sha256=pack_sha256)
        except OSError:
            raise _refusal(f"{model.name} is missing") from None
        except _UNUSABLE:
            raise _refusal(f"{model.name} is no network that this onnxruntime can open") from None
        self._input = self._checked_input(KINDS[kind])
        self._outputs = self._checked_outputs(KINDS[kind])
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

    def _checked_input(self, kind: KindOfRead) -> str:
        name, element = kind.input, _ELEMENTS[kind.element]
        inputs = self._session.get_inputs()
        if len(inputs) != 1 or inputs[0].name != name:
            raise _refusal(f"its only input must be called '{name}'")
        if inputs[0].type != element or len(inputs[0].shape) != len(kind.axes):
            raise _refusal(f"its input '{name}' must be {element} with {len(kind.axes)} axes")
        return name

    def _checked_outputs(self, kind: KindOfRead) -> tuple[str, ...]:
        present = {each.name: each for each in self._session.get_outputs()}
        known = tuple(name for name in kind.outputs if name in present)
        if "logits" not in present:
            raise _refusal("it has no output 'logits'")
        for name in known:
            axes = len(kind.outputs[name])
            if present[name].type != "tensor(float)" or len(present[name].shape) != axes:
                raise _refusal(f"its output '{name}' must be float32 with {axes} axes")
        return known


def _opened(model: Path, *, threads: int, pack_sha256: str | None) -> ort.InferenceSession:
    folder = None if pack_sha256 is None else cache_folder()
    if folder is None or pack_sha256 is None or model.stat().st_size < WORTH_KEEPING_BYTES:
        return _session(widened(model.read_bytes()), _options(threads))
    key = graph_key(
        pack_sha256,
        runtime=runtime_name(),
        options=(model.name, f"threads {threads}", "widened", firstread.__version__),
    )
    kept = kept_graph(folder, key)
    if kept is not None:
        options = _options(threads)
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        with suppress(*_UNUSABLE):
            return _session(kept, options)
    return _optimised_and_kept(widened(model.read_bytes()), threads=threads, folder=folder, key=key)


def _optimised_and_kept(
    network: bytes, *, threads: int, folder: Path, key: str
) -> ort.InferenceSession:
    if not make_folder(folder):
        return _session(network, _options(threads))
    with TemporaryDirectory(dir=folder, prefix=".") as part:
        options = _options(threads)
        written = Path(part) / "optimised.onnx"
        options.optimized_model_filepath = str(written)
        try:
            session = _session(network, options)
        except _UNUSABLE:  # a full disk; or the network itself, which then says so again
            return _session(network, _options(threads))
        keep_graph(folder, key, written)
    return session


def write_folded(model: Path, out: Path) -> None:
    """Write the network with all that depends on no sample computed once, for quantisation.

    Weights that a pack holds in half precision become plain float32. Raises PackRefused where
    `model` is no network.
    """
    options = _options(1)
    # Only what any machine may open; fusing and laying out is for this one.
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(out)
    try:
        _session(model.read_bytes(), options)
    except _UNUSABLE:
        raise _refusal(f"{model.name} is no network that this onnxruntime can open") from None


def _session(network: bytes, options: ort.SessionOptions) -> ort.InferenceSession:
    return ort.InferenceSession(network, sess_options=options, providers=["CPUExecutionProvider"])


def _options(threads: int) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    # A thread that spins while it waits takes the core from the reads beside it.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Errors become sentences of our own; also, the runtime would warn that a graph it optimised
    # is for this processor, which the cache sees to.
    options.log_severity_level = 3
    return options


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

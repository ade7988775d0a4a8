"""What a Keras model's layers are written with: values that know their shape, nodes and weights."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from firstread.domain.errors import ModelRefused

Weights = dict[str, NDArray[np.float32]]


@dataclass(frozen=True, kw_only=True)
class Value:
    """A tensor on its way: (C, H, W) of pictures, whose channels stand first here, or (D,)."""

    name: str
    shape: tuple[int, ...]

    @property
    def is_picture(self) -> bool:
        """Whether it still has height and width."""
        return len(self.shape) == 3


@dataclass(kw_only=True)
class Build:
    """Nodes and weights in the order in which they are needed."""

    nodes: list[Any] = field(default_factory=list)
    weights: list[Any] = field(default_factory=list)

    def add(self, kind: str, *inputs: str, **said: Any) -> str:
        """The name of what a new node gives."""
        name = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **said))
        return name

    def hold(self, values: NDArray[Any]) -> str:
        """The name of a constant."""
        name = f"weights_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def numbers(self, *values: float) -> str:
        """The name of a constant row of numbers; of one of them, of that number."""
        held = np.array(values if len(values) > 1 else values[0], np.float32)
        return self.hold(held)


_SAYS_NOTHING = {
    "name", "trainable", "dtype", "batch_input_shape", "batch_shape", "data_format", "use_bias",
    "filters", "units", "kernel_size", "depth_multiplier", "momentum", "rank", "noise_shape",
    "build_config", "synchronized", "fused", "supports_masking", "autocast", "input_dtype",
    "scale", "center", "virtual_batch_size", "renorm_momentum", "renorm_clipping",
}  # fmt: skip
"""Of what is read nothing: training, names, and what the weights themselves show."""
_OF_TRAINING = ("_initializer", "_regularizer", "_constraint")
_KERAS = ("keras", "tf_keras", "tensorflow.keras", "tensorflow.python.keras")


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One layer as the file says it, with its weights; what nobody asked it for is refused."""

    kind: str
    name: str
    config: dict[str, Any]
    weights: Weights
    keras: int | None
    """The first number of the version of the Keras that wrote it; None where the file says none."""
    backend: str = ""
    """What computed beneath Keras 3; '' where the file does not say."""
    _read: set[str] = field(default_factory=set)

    def said(self, key: str, default: Any = None) -> Any:
        """What the layer says of itself; it counts as read then."""
        self._read.add(key)
        return self.config.get(key, default)

    def number(self, key: str, default: float | None) -> Any:
        """One number, or the default where the layer says none."""
        found = self.numbers(key)
        if found.size > 1:
            raise self.refuse(f"its {key} is more than one number")
        return default if not found.size else float(found.reshape(-1)[0])

    def numbers(self, key: str) -> NDArray[np.float32]:
        """The numbers of that key in any of the forms that Keras wrote; none where it says none."""
        said = self.said(key)
        if isinstance(said, dict):  # {"type": "ndarray", "value": 0.0}, or class_name and config
            inner = said.get("config")
            said = (inner if isinstance(inner, dict) else said).get("value", "?")
        try:
            return np.array([] if said is None else said, np.float32)
        except (TypeError, ValueError):
            raise self.refuse(f"its {key} is {str(said)[:40]!r}") from None

    def refuse_foreign(self, said: dict[str, Any]) -> None:
        """Raises ModelRefused where the class is not Keras' own, though it is called so."""
        module, registered = str(said.get("module") or "keras"), said.get("registered_name")
        own = module.startswith(_KERAS) and ".ops" not in module
        if not own or (registered and ">" in str(registered)):
            raise self.refuse(f"it is no layer of Keras itself, but of '{module[:60]}'")

    def refuse_unread(self) -> None:
        """Raises ModelRefused where the layer says, or holds, what was not asked for."""
        for key, value in self.config.items():
            passed = key in self._read or key in _SAYS_NOTHING or key.endswith(_OF_TRAINING)
            if not passed and value not in (None, False, [], {}):
                raise self.refuse(f"it says '{key[:40]}', which is not known here")
        for key in self.weights:
            if key not in self._read:
                raise self.refuse(f"it holds the weights '{key[:40]}', which are not known here")
        policy = self.config.get("dtype")
        if "int8" in str(policy) or "int4" in str(policy) or "float8" in str(policy):
            raise self.refuse("its weights are quantised")

    def refuse(self, why: str) -> ModelRefused:
        """The sentence that names this layer."""
        return ModelRefused(
            f"The layer '{self.name[:60]}' ({self.kind[:40]}) cannot be imported: {why}. "
            "Export the model as ONNX instead, with tf2onnx."
        )

    def array(self, name: str, *, ndim: int) -> NDArray[np.float32]:
        """The weights of that name; raises ModelRefused where they are missing or misshapen."""
        found = self.optional(name)
        if found is None or found.ndim != ndim:
            raise self.refuse(f"its weights '{name}' are missing or have another form")
        return found

    def optional(self, name: str) -> NDArray[np.float32] | None:
        """The weights of that name, or None."""
        self._read.add(name)
        return self.weights.get(name)

    def pair(self, key: str, default: int = 1) -> tuple[int, int]:
        """Two whole numbers, such as the height and width of a kernel."""
        said = self.said(key, default)
        numbers = [said, said] if isinstance(said, int) else said
        whole = isinstance(numbers, list | tuple) and len(numbers) == 2
        if not whole or not all(isinstance(n, int) and 0 < n <= 4096 for n in numbers):
            raise self.refuse(f"'{key}' is {str(said)[:40]!r}")
        return int(numbers[0]), int(numbers[1])

    def is_last(self) -> bool:
        """Whether its channels stand last, as nearly always in Keras."""
        return bool(self.said("data_format") != "channels_first")


def padding(
    layer: Layer, size: tuple[int, int], *, kernel: tuple[int, int], strides: tuple[int, int]
) -> list[int]:
    """The margins [top, left, bottom, right] that Keras' "same" and "valid" mean for a size."""
    how, spread = layer.said("padding", "valid"), layer.pair("dilation_rate")
    if how == "valid":
        return [0, 0, 0, 0]
    if how != "same":
        raise layer.refuse(f"its padding is {str(how)[:20]!r}")
    margins = []
    for length, span, step, every in zip(size, kernel, strides, spread, strict=True):
        reach = (span - 1) * every + 1
        total = max((-(-length // step) - 1) * step + reach - length, 0)
        margins.append((total // 2, total - total // 2))
    return [margins[0][0], margins[1][0], margins[0][1], margins[1][1]]


def size_after(
    layer: Layer,
    size: tuple[int, int],
    *,
    kernel: tuple[int, int],
    margins: list[int],
    strides: tuple[int, int],
    dilation: tuple[int, int] = (1, 1),
) -> tuple[int, int]:
    """Height and width after a kernel went over a picture."""
    found = []
    for axis in (0, 1):
        reach = (kernel[axis] - 1) * dilation[axis] + 1
        padded = size[axis] + margins[axis] + margins[axis + 2]
        found.append((padded - reach) // strides[axis] + 1)
    if min(found) < 1:
        raise layer.refuse("the picture is smaller than its kernel")
    return found[0], found[1]

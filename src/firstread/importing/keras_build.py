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


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One layer as the file says it, with its weights."""

    kind: str
    name: str
    config: dict[str, Any]
    weights: Weights

    def refuse(self, why: str) -> ModelRefused:
        """The sentence that names this layer."""
        return ModelRefused(
            f"The layer '{self.name[:60]}' ({self.kind[:40]}) cannot be imported: {why}. "
            "Export the model as ONNX instead, with tf2onnx."
        )

    def array(self, name: str, *, ndim: int) -> NDArray[np.float32]:
        """The weights of that name; raises ModelRefused where they are missing or misshapen."""
        found = self.weights.get(name)
        if found is None or found.ndim != ndim:
            raise self.refuse(f"its weights '{name}' are missing or have another form")
        return found

    def optional(self, name: str) -> NDArray[np.float32] | None:
        """The weights of that name, or None."""
        return self.weights.get(name)

    def pair(self, key: str, default: int = 1) -> tuple[int, int]:
        """Two whole numbers, such as the height and width of a kernel."""
        said = self.config.get(key, default)
        numbers = [said, said] if isinstance(said, int) else said
        whole = isinstance(numbers, list | tuple) and len(numbers) == 2
        if not whole or not all(isinstance(n, int) and 0 < n <= 4096 for n in numbers):
            raise self.refuse(f"'{key}' is {str(said)[:40]!r}")
        return int(numbers[0]), int(numbers[1])

    def is_last(self) -> bool:
        """Whether its channels stand last, as nearly always in Keras."""
        return bool(self.config.get("data_format") != "channels_first")


def padding(layer: Layer, size: tuple[int, int], *, kernel: tuple[int, int]) -> list[int]:
    """The margins [top, left, bottom, right] that Keras' "same" and "valid" mean for a size."""
    how = layer.config.get("padding", "valid")
    if how == "valid":
        return [0, 0, 0, 0]
    if how != "same":
        raise layer.refuse(f"its padding is {str(how)[:20]!r}")
    steps, spread = layer.pair("strides"), layer.pair("dilation_rate")
    margins = []
    for length, span, step, every in zip(size, kernel, steps, spread, strict=True):
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

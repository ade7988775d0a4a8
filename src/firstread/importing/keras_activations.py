"""Keras' activations as ONNX operators, by their names and as layers, with their numbers.

What a name means is what the Keras that wrote the file means by it; others are refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from firstread.importing.keras_build import Build, Layer, Value

_PLAIN: dict[str, tuple[str, dict[str, Any]]] = {
    "relu": ("Relu", {}), "sigmoid": ("Sigmoid", {}), "tanh": ("Tanh", {}),
    "softplus": ("Softplus", {}), "softsign": ("Softsign", {}), "exponential": ("Exp", {}),
    "elu": ("Elu", {"alpha": 1.0}), "selu": ("Selu", {}),
    "leaky_relu": ("LeakyRelu", {"alpha": 0.2}),
    "softmax": ("Softmax", {"axis": 1}), "log_softmax": ("LogSoftmax", {"axis": 1}),
}  # fmt: skip
_SLOPE = {2: 0.2, 3: 1 / 6}
"""Of the hard sigmoid, by the Keras that wrote the file."""


def activated(build: Build, layer: Layer, value: Value, how: Any) -> Value:
    """The value after an activation that a layer names, or holds as a layer of its own."""
    if how in (None, "linear"):
        return value
    if isinstance(how, dict):
        return _held(build, layer, value, how)
    if how in _PLAIN:
        kind, said = _PLAIN[how]
        return Value(name=build.add(kind, value.name, **said), shape=value.shape)
    bend = {
        "relu6": _relu6, "swish": _silu, "silu": _silu, "gelu": _gelu, "mish": _mish,
        "hard_sigmoid": _hard_sigmoid, "hard_silu": _hard_silu, "hard_swish": _hard_silu,
    }.get(how)  # fmt: skip
    if bend is None:
        raise layer.refuse(f"its activation {str(how)[:40]!r} is not known here")
    return Value(name=bend(build, layer, value.name), shape=value.shape)


def _held(build: Build, layer: Layer, value: Value, how: dict[str, Any]) -> Value:
    """An activation that is a layer itself; a function of somebody's own is program code."""
    kind, config = str(how.get("class_name")), how.get("config")
    if kind not in BENDS or not isinstance(config, dict):
        shown = config if isinstance(config, str) else kind
        raise layer.refuse(f"its activation {str(shown)[:40]!r} is not known here")
    inner = Layer(kind=kind, name=layer.name, config=config, weights={}, keras=layer.keras)
    inner.refuse_foreign(how)
    out = BENDS[kind](build, inner, [value])
    inner.refuse_unread()
    return out


def _relu6(build: Build, layer: Layer, name: str) -> str:  # noqa: ARG001  as every one of them
    return build.add("Clip", name, build.numbers(0), build.numbers(6))


def _silu(build: Build, layer: Layer, name: str) -> str:  # noqa: ARG001  as every one of them
    return build.add("Mul", name, build.add("Sigmoid", name))


def _mish(build: Build, layer: Layer, name: str) -> str:  # noqa: ARG001  as every one of them
    return build.add("Mul", name, build.add("Tanh", build.add("Softplus", name)))


def _gelu(build: Build, layer: Layer, name: str) -> str:  # noqa: ARG001  as every one of them
    """Both Keras 2 and 3 mean the exact one, with the error function."""
    half = build.add("Mul", name, build.numbers(0.5))
    bent = build.add("Erf", build.add("Mul", name, build.numbers(math.sqrt(0.5))))
    return build.add("Mul", half, build.add("Add", bent, build.numbers(1)))


def _hard_sigmoid(build: Build, layer: Layer, name: str) -> str:
    if layer.keras is None:
        raise layer.refuse(
            "'hard_sigmoid' means one thing to Keras 2 and another to Keras 3, and the file does "
            "not say which wrote it"
        )
    slope = _SLOPE[3 if layer.keras >= 3 else 2]
    return build.add("HardSigmoid", name, alpha=slope, beta=0.5)


def _hard_silu(build: Build, layer: Layer, name: str) -> str:
    if layer.keras is None or layer.keras < 3:
        raise layer.refuse("its activation is one of Keras 3, and the file is not by it")
    return build.add("Mul", name, _hard_sigmoid(build, layer, name))


def _activation(build: Build, layer: Layer, inputs: Sequence[Value]) -> Value:
    return activated(build, layer, inputs[0], layer.said("activation"))


def _softmax(build: Build, layer: Layer, inputs: Sequence[Value]) -> Value:
    axis = layer.said("axis", -1)
    axis = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
    if axis not in (-1, len(inputs[0].shape)):
        raise layer.refuse("its axis is another than that of the channels")
    return activated(build, layer, inputs[0], "softmax")


def _relu(build: Build, layer: Layer, inputs: Sequence[Value]) -> Value:
    most = layer.number("max_value", None)
    slope, start = layer.number("negative_slope", 0.0) or 0.0, layer.number("threshold", 0.0) or 0.0
    given = inputs[0].name
    if most is not None and most < start:
        raise layer.refuse("its max_value lies below its threshold")
    if start:
        # x above the threshold, else slope * (x - threshold).
        below = build.add("Sub", given, build.numbers(start))
        bent = build.add("Mul", below, build.numbers(slope))
        above = build.add("Greater", given, build.numbers(start))
        name = build.add("Where", above, given, bent)
    elif slope:
        name = build.add("LeakyRelu", given, alpha=slope)
    else:
        name = build.add("Relu", given)
    if most is not None:
        name = build.add("Min", name, build.numbers(most))
    return Value(name=name, shape=inputs[0].shape)


def _leaky(build: Build, layer: Layer, inputs: Sequence[Value]) -> Value:
    # Keras 2 calls the slope 'alpha', Keras 3 'negative_slope'.
    slope = layer.number("negative_slope", layer.number("alpha", None))
    if slope is None:
        raise layer.refuse("it does not say its slope")
    return Value(name=build.add("LeakyRelu", inputs[0].name, alpha=slope), shape=inputs[0].shape)


def _elu(build: Build, layer: Layer, inputs: Sequence[Value]) -> Value:
    name = build.add("Elu", inputs[0].name, alpha=layer.number("alpha", 1.0))
    return Value(name=name, shape=inputs[0].shape)


BENDS: dict[str, Callable[[Build, Layer, Sequence[Value]], Value]] = {
    "Activation": _activation, "Softmax": _softmax, "ReLU": _relu, "LeakyReLU": _leaky, "ELU": _elu,
}  # fmt: skip
"""The layers that are activations and no more."""

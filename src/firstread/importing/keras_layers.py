"""Each Keras layer as ONNX operators, channels first; layers of other kinds are refused by name."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from firstread.importing.keras_activations import BENDS, activated
from firstread.importing.keras_build import Build, Layer, Value, padding, size_after

Write = Callable[[Build, Layer, Sequence[Value]], Value]

NOTHING = {
    "Dropout", "SpatialDropout2D", "GaussianDropout", "GaussianNoise", "AlphaDropout",
    "ActivityRegularization", "InputLayer", "RandomFlip", "RandomRotation", "RandomZoom",
    "RandomContrast", "RandomTranslation", "RandomBrightness",
}  # fmt: skip
"""Layers that do nothing when a picture is read."""


def _convolved(
    build: Build,
    layer: Layer,
    value: Value,
    kernels: NDArray[np.float32],
    bias: NDArray[np.float32] | None,
    *,
    group: int = 1,
    plain: bool = False,
) -> Value:
    """`kernels` [out, in, h, w]; `plain`: a 1 x 1 convolution without strides, whatever is said."""
    if not value.is_picture or kernels.shape[1] * group != value.shape[0]:
        raise layer.refuse("its kernels do not fit what it is given")
    kernel = (int(kernels.shape[2]), int(kernels.shape[3]))
    size = (value.shape[1], value.shape[2])
    strides = (1, 1) if plain else layer.pair("strides")
    margins = [0] * 4 if plain else padding(layer, size, kernel=kernel, strides=strides)
    spread = (1, 1) if plain else layer.pair("dilation_rate")
    after = size_after(
        layer, size, kernel=kernel, margins=margins, strides=strides, dilation=spread
    )
    inputs = [value.name, build.hold(kernels)]
    if bias is not None:
        inputs.append(build.hold(bias))
    name = build.add(
        "Conv", *inputs, strides=strides, pads=margins, dilations=spread, group=group,
        kernel_shape=kernel,
    )  # fmt: skip
    return Value(name=name, shape=(int(kernels.shape[0]), *after))


def _conv(build: Build, layer: Layer, inputs: Sequence[Value]) -> Value:
    kernels = layer.array("kernel", ndim=4).transpose(3, 2, 0, 1)
    group = int(layer.said("groups", 1))
    out = _convolved(build, layer, inputs[0], kernels, layer.optional("bias"), group=group)
    return activated(build, layer, out, layer.said("activation"))


def _by_depth(layer: Layer, name: str, channels: int) -> NDArray[np.float32]:
    kernels = layer.array(name, ndim=4)
    if layer.said("groups", 1) != 1:
        raise layer.refuse("it has groups")
    height, width, own, times = kernels.shape
    if own != channels:
        raise layer.refuse("its kernels do not fit what it is given")
    return kernels.transpose(2, 3, 0, 1).reshape(own * times, 1, height, width)


def _depthwise(build: Build, layer: Layer, inputs: Sequence[Value]) -> Value:
    channels = inputs[0].shape[0]
    # Keras 2 calls the kernels 'depthwise_kernel', Keras 3 'kernel'.
    name = "depthwise_kernel" if "depthwise_kernel" in layer.weights else "kernel"
    kernels = _by_depth(layer, name, channels)
    out = _convolved(build, layer, inputs[0], kernels, layer.optional("bias"), group=channels)
    return activated(build, layer, out, layer.said("activation"))


def _separable(build: Build, layer: Layer, inputs: Sequence[Value]) -> Value:
    channels = inputs[0].shape[0]
    deep = _by_depth(layer, "depthwise_kernel", channels)
    spread = _convolved(build, layer, inputs[0], deep, None, group=channels)
    mixing = layer.array("pointwise_kernel", ndim=4).transpose(3, 2, 0, 1)
    out = _convolved(build, layer, spread, mixing, layer.optional("bias"), plain=True)
    return activated(build, layer, out, layer.said("activation"))


def _dense(build: Build, layer: Layer, inputs: Sequence[Value]) -> Value:
    kernel = layer.array("kernel", ndim=2)
    value = inputs[0]
    if value.shape != (kernel.shape[0],):
        raise layer.refuse("its weights do not fit what it is given")
    said = [value.name, build.hold(kernel)]
    bias = layer.optional("bias")
    if bias is not None:
        said.append(build.hold(bias))
    out = Value(name=build.add("Gemm", *said), shape=(int(kernel.shape[1]),))
    return activated(build, layer, out, layer.said("activation"))


def _batch_norm(build: Build, layer: Layer, inputs: Sequence[Value]) -> Value:
    axis = layer.said("axis", -1)
    axis = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
    value = inputs[0]
    if axis not in (-1, len(value.shape)):
        raise layer.refuse("it normalises another axis than the channels")
    mean, spread = layer.array("moving_mean", ndim=1), layer.array("moving_variance", ndim=1)
    if mean.shape != (value.shape[0],):
        raise layer.refuse("its weights do not fit what it is given")
    gain, shift = layer.optional("gamma"), layer.optional("beta")
    held = [
        build.hold(each)
        for each in (
            np.ones_like(mean) if gain is None else gain,
            np.zeros_like(mean) if shift is None else shift,
            mean,
            spread,
        )
    ]
    epsilon = float(layer.said("epsilon", 1e-3))
    name = build.add("BatchNormalization", value.name, *held, epsilon=epsilon)
    return Value(name=name, shape=value.shape)


def _pooled(kind: str) -> Write:
    def write(build: Build, layer: Layer, inputs: Sequence[Value]) -> Value:
        value = inputs[0]
        if not value.is_picture:
            raise layer.refuse("it needs a picture")
        kernel = layer.pair("pool_size", 2)
        size = (value.shape[1], value.shape[2])
        strides = kernel if layer.said("strides") is None else layer.pair("strides")
        margins = padding(layer, size, kernel=kernel, strides=strides)
        if kind == "AveragePool" and any(margins) and layer.backend == "torch":
            # Its Keras averages at the rim by rules of its own, which that of TensorFlow does not.
            raise layer.refuse("Keras with PyTorch beneath takes other means at the rim")
        after = size_after(layer, size, kernel=kernel, margins=margins, strides=strides)
        name = build.add(kind, value.name, kernel_shape=kernel, strides=strides, pads=margins)
        return Value(name=name, shape=(value.shape[0], *after))

    return write


def _pooled_whole(kind: str) -> Write:
    def write(build: Build, layer: Layer, inputs: Sequence[Value]) -> Value:
        value = inputs[0]
        if not value.is_picture:
            raise layer.refuse("it needs a picture")
        name = build.add(kind, value.name)
        if layer.said("keepdims"):
            return Value(name=name, shape=(value.shape[0], 1, 1))
        return Value(name=build.add("Flatten", name, axis=1), shape=(value.shape[0],))

    return write


def _flat(build: Build, _layer: Layer, inputs: Sequence[Value]) -> Value:
    value = inputs[0]
    # Keras lays pictures flat with the channels last.
    name = value.name
    if value.is_picture:
        name = build.add("Transpose", name, perm=[0, 2, 3, 1])
    return Value(name=build.add("Flatten", name, axis=1), shape=(math.prod(value.shape),))


def _reshaped(build: Build, layer: Layer, inputs: Sequence[Value]) -> Value:
    value = _flat(build, layer, inputs)
    wanted = [int(size) for size in layer.said("target_shape", [])]
    if wanted.count(-1) == 1:
        wanted[wanted.index(-1)] = value.shape[0] // abs(math.prod(wanted))
    if math.prod(wanted) != value.shape[0] or len(wanted) not in (1, 3):
        raise layer.refuse(f"its shape is {str(wanted)[:40]}")
    if len(wanted) == 1:
        return value
    sizes = build.hold(np.array([0, *wanted], np.int64))
    turned = build.add("Reshape", value.name, sizes)
    name = build.add("Transpose", turned, perm=[0, 3, 1, 2])
    return Value(name=name, shape=(wanted[2], wanted[0], wanted[1]))


def _merged(kind: str) -> Write:
    def write(build: Build, layer: Layer, inputs: Sequence[Value]) -> Value:
        name, shape = inputs[0].name, inputs[0].shape
        for each in inputs[1:]:
            if len(each.shape) != len(shape):
                raise layer.refuse("what it joins has different numbers of axes")
            if any(a != b and 1 not in (a, b) for a, b in zip(each.shape, shape, strict=True)):
                raise layer.refuse("what it joins has different sizes")
            shape = tuple(max(a, b) for a, b in zip(each.shape, shape, strict=True))
            name = build.add(kind, name, each.name)
        if layer.kind == "Average":
            name = build.add("Mul", name, build.numbers(1 / len(inputs)))
        return Value(name=name, shape=shape)

    return write


def _joined(build: Build, layer: Layer, inputs: Sequence[Value]) -> Value:
    axis = layer.said("axis", -1)
    alike = {each.shape[1:] for each in inputs}
    if axis not in (-1, len(inputs[0].shape)) or len(alike) != 1:
        raise layer.refuse("it joins along another axis than the channels")
    name = build.add("Concat", *[each.name for each in inputs], axis=1)
    return Value(name=name, shape=(sum(each.shape[0] for each in inputs), *alike.pop()))


def _padded(build: Build, layer: Layer, inputs: Sequence[Value]) -> Value:
    said = layer.said("padding", 1)
    sides = [[said, said], [said, said]] if isinstance(said, int) else said
    try:
        (top, bottom), (left, right) = (
            (each, each) if isinstance(each, int) else each for each in sides
        )
    except (TypeError, ValueError):
        raise layer.refuse(f"its padding is {str(said)[:40]}") from None
    value = inputs[0]
    ends = build.hold(np.array([0, 0, top, left, 0, 0, bottom, right], np.int64))
    channels, height, width = value.shape
    return Value(
        name=build.add("Pad", value.name, ends),
        shape=(channels, height + top + bottom, width + left + right),
    )


def _scaled(build: Build, layer: Layer, inputs: Sequence[Value]) -> Value:
    value = inputs[0]
    scale, offset = (
        build.hold(_across(layer, layer.numbers(key), value)) for key in ("scale", "offset")
    )
    name = build.add("Add", build.add("Mul", value.name, scale), offset)
    return Value(name=name, shape=value.shape)


def _normalised(build: Build, layer: Layer, inputs: Sequence[Value]) -> Value:
    value = inputs[0]
    said = [layer.numbers(key) for key in ("mean", "variance")]
    held = [layer.optional(key) for key in ("mean", "variance")]
    layer.optional("count")  # of how many samples it was learnt
    mean, spread = (own if own is not None else told for own, told in zip(held, said, strict=True))
    if not mean.size or not spread.size:
        raise layer.refuse("it does not say its mean and variance")
    axis = layer.said("axis")
    axes = axis if isinstance(axis, list | tuple) else [axis]
    if mean.size > 1 and list(axes) not in ([-1], [len(value.shape)]):
        raise layer.refuse("it normalises another axis than the channels")
    middle = build.hold(_across(layer, mean, value))
    by = build.hold(np.maximum(np.sqrt(_across(layer, spread, value)), np.float32(1e-7)))
    if layer.said("invert"):
        name = build.add("Add", build.add("Mul", value.name, by), middle)
    else:
        name = build.add("Div", build.add("Sub", value.name, middle), by)
    return Value(name=name, shape=value.shape)


def _across(layer: Layer, numbers: NDArray[np.float32], value: Value) -> NDArray[np.float32]:
    """One number, or one for each channel, as it applies to [N, C, H, W] or [N, D]."""
    if numbers.size not in (1, value.shape[0]):
        raise layer.refuse(f"it holds {numbers.size} numbers for {value.shape[0]} channels")
    return numbers.reshape(-1, 1, 1) if value.is_picture else numbers.reshape(-1)


WRITES: dict[str, Write] = {
    "Conv2D": _conv, "Convolution2D": _conv, "DepthwiseConv2D": _depthwise,
    "SeparableConv2D": _separable, "SeparableConvolution2D": _separable, "Dense": _dense,
    "BatchNormalization": _batch_norm, "MaxPooling2D": _pooled("MaxPool"),
    "AveragePooling2D": _pooled("AveragePool"),
    "GlobalAveragePooling2D": _pooled_whole("GlobalAveragePool"),
    "GlobalMaxPooling2D": _pooled_whole("GlobalMaxPool"), "Flatten": _flat, "Reshape": _reshaped,
    "Add": _merged("Add"), "Average": _merged("Add"), "Subtract": _merged("Sub"),
    "Multiply": _merged("Mul"), "Maximum": _merged("Max"), "Minimum": _merged("Min"),
    "Concatenate": _joined, "ZeroPadding2D": _padded, "Rescaling": _scaled,
    "Normalization": _normalised, **BENDS,
}  # fmt: skip
"""The layers that can be imported, by the names that Keras gives them."""

"""A Keras `.h5` file becomes an ONNX model: pictures [N, H, W, C] in, its answers out."""

from __future__ import annotations

from typing import Any

from onnx import TensorProto, helper

from firstread.domain.errors import ModelRefused
from firstread.importing.graph import IR_VERSION, OPSET, checked
from firstread.importing.keras_build import Build, Layer, Value
from firstread.importing.keras_file import KerasFile, layers_of, open_keras
from firstread.importing.keras_layers import NOTHING, WRITES

_MODELS = {"Model", "Functional", "Sequential"}
_DEEPEST = 8


def keras_to_onnx(data: bytes) -> bytes:
    """The ONNX file of the model in the bytes of a `.h5` file.

    Raises ModelRefused where it is none, or has a layer that cannot be imported; that is named.
    """
    file = open_keras(data)
    kind = file.config["class_name"]
    if kind not in _MODELS:
        raise ModelRefused(
            f"The model is a '{kind[:60]}', whose Python code the file does not hold. Save a "
            "Sequential or Functional model, or export it as ONNX."
        )
    height, width, channels = _size(file.config)
    build = Build()
    planes = build.add("Transpose", "picture", perm=[0, 3, 1, 2])
    out = _model(
        build,
        file,
        file.config,
        Value(name=planes, shape=(channels, height, width)),
        inside=None,
        depth=0,
    )
    if out.is_picture:
        raise ModelRefused(
            "The model gives a picture, not one number a label. Choose a classifier."
        )
    graph = helper.make_graph(
        build.nodes,
        "keras",
        [
            helper.make_tensor_value_info(
                "picture", TensorProto.FLOAT, ["N", height, width, channels]
            )
        ],
        [helper.make_tensor_value_info(out.name, TensorProto.FLOAT, ["N", *out.shape])],
        initializer=build.weights,
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
    )
    return checked(
        model,
        what="The layers of this Keras file do not fit together",
        remedy="Export the model as ONNX instead, with tf2onnx.",
    )


def _size(config: dict[str, Any]) -> tuple[int, int, int]:
    """Height, width and channels of the pictures that the outermost model takes."""
    for each in layers_of(config):
        own = each.get("config", {})
        said = own.get("batch_input_shape") or own.get("batch_shape")
        if said is None and each.get("class_name") in _MODELS:
            return _size(each)
        if said is not None:
            sizes = list(said)[1:]
            if len(sizes) == 3 and all(isinstance(size, int) and size > 0 for size in sizes):
                return int(sizes[0]), int(sizes[1]), int(sizes[2])
            break
    raise ModelRefused(
        "The Keras model does not say the size of the pictures that it takes. Build it with "
        "input_shape=(height, width, channels), and save it again."
    )


def _model(
    build: Build,
    file: KerasFile,
    config: dict[str, Any],
    given: Value,
    *,
    inside: str | None,
    depth: int,
) -> Value:
    if depth > _DEEPEST:
        raise ModelRefused("The models in this Keras file lie too deep in each other. Flatten it.")
    layers = layers_of(config)
    if config["class_name"] == "Sequential":
        value = given
        for each in layers:
            value = _layer(build, file, each, [value], inside=inside, depth=depth)
        return value
    return _functional(build, file, config["config"], given, inside=inside, depth=depth)


def _functional(
    build: Build,
    file: KerasFile,
    config: dict[str, Any],
    given: Value,
    *,
    inside: str | None,
    depth: int,
) -> Value:
    done: dict[str, Value] = {}
    doors = sum(each.get("class_name") == "InputLayer" for each in layers_of({"config": config}))
    if doors != 1:
        raise ModelRefused(f"The model takes {doors} inputs. Save one that takes a picture alone.")
    for each in layers_of({"config": config}):
        name = str(each.get("name") or each.get("config", {}).get("name"))
        if each.get("class_name") == "InputLayer":
            done[name] = given
            continue
        nodes = each.get("inbound_nodes") or []
        if len(nodes) != 1:
            raise ModelRefused(
                f"The layer '{name[:60]}' is used {len(nodes)} times. Export the model as ONNX "
                "instead, with tf2onnx."
            )
        try:
            inputs = [done[source] for source in _sources(nodes[0], layer=name)]
        except KeyError as error:
            raise ModelRefused(
                f"The layer '{name[:60]}' follows {error}, which does not stand before it. Save "
                "the model again."
            ) from None
        done[name] = _layer(build, file, each, inputs, inside=inside, depth=depth)
    outputs = _names(config.get("output_layers"))
    if len(outputs) != 1 or outputs[0] not in done:
        raise ModelRefused(
            f"The model has {len(outputs)} outputs. Save one with the answers alone."
        )
    return done[outputs[0]]


def _sources(node: Any, *, layer: str) -> list[str]:
    """The layers that a layer follows: [[name, 0, 0, {}], ...], or Keras 3's nested tensors."""
    if isinstance(node, dict):
        found: list[str] = []
        _histories(node.get("args", []), found, layer=layer)
        _refuse_said_at_its_call(node.get("kwargs") or {}, layer=layer)
        return found
    for each in node if isinstance(node, list) else []:
        if isinstance(each, list) and len(each) > 3 and isinstance(each[3], dict):
            _refuse_said_at_its_call(each[3], layer=layer)
    return _names(node)


def _refuse_said_at_its_call(said: dict[str, Any], *, layer: str) -> None:
    """Raises ModelRefused where a layer is told something at its call, such as training=True."""
    for key, value in said.items():
        if value not in (None, False):
            raise ModelRefused(
                f"The layer '{layer[:60]}' is called with {key[:40]}={str(value)[:40]}, which "
                "cannot be imported. Export the model as ONNX instead, with tf2onnx."
            )


def _histories(said: Any, found: list[str], *, layer: str) -> None:
    history = said.get("config", {}).get("keras_history") if isinstance(said, dict) else None
    if history:
        found.append(str(history[0]))
    elif isinstance(said, list):
        for each in said:
            _histories(each, found, layer=layer)
    elif said is not None:
        _refuse_said_at_its_call({"a value": said}, layer=layer)


def _names(said: Any) -> list[str]:
    if isinstance(said, list) and said and isinstance(said[0], str):
        return [said[0]]
    return [str(each[0]) for each in said or [] if isinstance(each, list) and each]


def _layer(
    build: Build,
    file: KerasFile,
    said: dict[str, Any],
    inputs: list[Value],
    *,
    inside: str | None,
    depth: int,
) -> Value:
    kind, config = str(said.get("class_name")), dict(said.get("config") or {})
    name = str(said.get("name") or config.get("name"))
    if kind in NOTHING:
        return inputs[0]
    if kind in _MODELS:
        if len(inputs) != 1:
            raise ModelRefused(f"The model '{name[:60]}' within takes {len(inputs)} inputs, not 1.")
        return _model(build, file, said, inputs[0], inside=inside or name, depth=depth + 1)
    weights = file.weights_of(name, inside=inside)
    layer = Layer(
        kind=kind, name=name, config=config, weights=weights, keras=file.keras, backend=file.backend
    )
    layer.refuse_foreign(said)
    if kind not in WRITES:
        why = "it holds program code, which is never run" if kind == "Lambda" else "it is not known"
        raise layer.refuse(f"{why}; known are {', '.join(sorted(WRITES))}")
    if not inputs or not layer.is_last():
        raise layer.refuse("it has no input, or its channels stand first")
    out = WRITES[kind](build, layer, inputs)
    layer.refuse_unread()
    return out

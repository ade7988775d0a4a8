"""Small foreign models, as other people's programs write them."""

from __future__ import annotations

import io
import json
from typing import Any

import h5py
import numpy as np
from onnx import TensorProto, helper, numpy_helper

from firstread.importing.assemble import Imported, Wanted
from firstread.importing.run import Asked, import_model

SIDE_PX = 12
LABELS = "well,ill,unclear"


def onnx_file(
    nodes: list[Any],
    weights: dict[str, np.ndarray[Any, Any]],
    *,
    shape: tuple[Any, ...] = ("n", 3, SIDE_PX, SIDE_PX),
    output: tuple[str, tuple[Any, ...]] = ("out", ("n", 3)),
    element: int = TensorProto.FLOAT,
    opset: int = 17,
) -> bytes:
    """An ONNX file whose input is called `picture`."""
    graph = helper.make_graph(
        nodes,
        "foreign",
        [helper.make_tensor_value_info("picture", element, shape)],
        [helper.make_tensor_value_info(output[0], element, output[1])],
        initializer=[numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    ids = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=ids, ir_version=8).SerializeToString()


def convolution(*, out: int = 8, seed: int = 0) -> dict[str, np.ndarray[Any, Any]]:
    """Weights of a 3x3 convolution over pixels of 0 to 255."""
    rng = np.random.default_rng(seed)
    return {
        "kernels": (rng.normal(0, 0.01, (out, 3, 3, 3))).astype(np.float32),
        "bias": rng.normal(0, 0.1, out).astype(np.float32),
    }


def pooled_linear(*, softmax: bool = True, half: bool = False, opset: int = 17) -> bytes:
    """Convolution, mean over places, linear head, as most classifiers end."""
    rng = np.random.default_rng(1)
    weights = convolution() | {
        "head": rng.normal(0, 1, (3, 8)).astype(np.float32),
        "head_bias": rng.normal(0, 1, 3).astype(np.float32),
    }
    nodes = [
        helper.make_node("Conv", ["picture", "kernels", "bias"], ["c"], kernel_shape=[3, 3]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("GlobalAveragePool", ["r"], ["p"]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Gemm", ["f", "head", "head_bias"], ["g"], transB=1),
    ]
    last = helper.make_node("Softmax", ["g"], ["out"], axis=1)
    nodes.append(last if softmax else helper.make_node("Identity", ["g"], ["out"]))
    element = TensorProto.FLOAT
    if half:
        weights = {name: value.astype(np.float16) for name, value in weights.items()}
        element = TensorProto.FLOAT16
    return onnx_file(nodes, weights, element=element, opset=opset)


def imported(file: Any, tmp_path: Any, *, trusted: bool = False, **said: Any) -> Imported:
    """The pack of a model file, its check `foreign`."""
    from firstread.importing.recipe import Said

    extra = {key: said.pop(key) for key in ("recipe", "network") if key in said}
    wanted = Wanted(out=tmp_path / "packs", **said.pop("wanted", {}))
    told = Said(**({"check": "foreign", "labels": LABELS} | said))
    return import_model(file, Asked(said=told, trusted=trusted, **extra), wanted=wanted)


def by_recipe(file: Any, recipe: str, *, out: Any, **wanted: Any) -> Any:
    """The folder of the pack that a shipped recipe makes of a real file."""
    from firstread.importing.recipe import Said

    asked = Asked(said=Said(), recipe=recipe)
    return import_model(file, asked, wanted=Wanted(out=out, **wanted)).folder


class KerasMade:
    """A `.h5` file as Keras 2 writes it, layer by layer, with weights by their names."""

    def __init__(self, shape: tuple[int, int, int] = (SIDE_PX, SIDE_PX, 3)) -> None:
        self.layers: list[dict[str, Any]] = []
        self.weights: dict[str, dict[str, np.ndarray[Any, Any]]] = {}
        self._shape = shape

    def add(self, kind: str, config: dict[str, Any] | None = None, **weights: Any) -> str:
        """One more layer; its name."""
        name = f"{kind.lower()}_{len(self.layers) + 1}"
        said = {"name": name, "data_format": "channels_last"} | (config or {})
        if not self.layers:
            said["batch_input_shape"] = [None, *self._shape]
        self.layers.append({"class_name": kind, "config": said})
        self.weights[name] = weights
        return name

    def sequential(self) -> bytes:
        """The file of a Sequential model."""
        return self.file({"class_name": "Sequential", "config": {"layers": self.layers}})

    def file(self, config: dict[str, Any]) -> bytes:
        """The file with this model_config and the weights of the layers."""
        made = io.BytesIO()
        with h5py.File(made, "w") as file:
            file.attrs["model_config"] = json.dumps(config).encode()
            file.attrs["keras_version"] = b"2.2.4"
            root = file.create_group("model_weights")
            for name, arrays in self.weights.items():
                group = root.create_group(name)
                for key, value in arrays.items():
                    group[f"{name}/{key}:0"] = np.asarray(value, np.float32)
        return made.getvalue()

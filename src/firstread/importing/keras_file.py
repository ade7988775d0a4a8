"""A Keras `.h5` file: its layers as JSON says them, and their weights; nothing in it is run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from firstread.domain.errors import ModelRefused

_OF_KERAS = {"model_config", "training_config", "keras_version", "backend"}
MOST_NUMBERS = 200_000_000
"""Of all arrays of weights together: 800 MB, more than any pack holds."""


@dataclass(frozen=True, kw_only=True)
class KerasFile:
    """What the file says: the outermost model's config, and each layer's weights by name."""

    config: dict[str, Any]
    """`class_name` and `config`, as Keras wrote them."""
    weights: dict[str, dict[str, NDArray[np.float32]]]
    """By where a layer stands, then by 'kernel', 'bias', 'gamma' ..."""
    keras: int | None
    """The first number of the version of the Keras that wrote it; None where it does not say."""
    backend: str
    """What computed beneath Keras 3; '' where the file does not say."""

    def weights_of(self, layer: str, *, inside: str | None) -> dict[str, NDArray[np.float32]]:
        """The weights of a layer of the outermost model, or of one `inside` a layer of it."""
        if inside is not None:
            return self.weights.get(f"{inside}/{layer}", {})
        return self.weights.get(f"{layer}/{layer}") or self.weights.get(layer, {})


def open_keras(data: bytes) -> KerasFile:
    """The model in the bytes of an HDF5 file that Keras wrote with `model.save('name.h5')`.

    Raises ModelRefused where there is none, only weights, or what leads out of the file.
    """
    try:
        with h5py.File(BytesIO(data), "r") as file:
            said = file.attrs.get("model_config")
            if said is None:
                raise ModelRefused(
                    "This .h5 file holds no model_config: it is no Keras model, or only its "
                    "weights were saved. Save the whole model: model.save('name.h5')."
                )
            if "model_weights" not in file:
                raise ModelRefused(
                    "This Keras file holds no weights. Save the whole model: model.save('name.h5')."
                )
            weights = _weights(_inside(file, "model_weights"))
            version, backend = (file.attrs.get(key) for key in ("keras_version", "backend"))
    except (OSError, KeyError, RuntimeError, ValueError, TypeError) as error:
        # h5py raises each of these for one or the other way in which a file can be damaged.
        raise ModelRefused(
            f"This file cannot be opened as HDF5: {str(error)[:120]}. Copy it again."
        ) from None
    return KerasFile(
        config=_config(said), weights=weights, keras=_major(version), backend=_word(backend)
    )


def said_beside(data: bytes) -> dict[str, Any]:
    """What stands in the file beside the model, by name; nothing of one that cannot be opened."""
    try:
        with h5py.File(BytesIO(data), "r") as file:
            return {str(key): file.attrs[key] for key in file.attrs if key not in _OF_KERAS}
    except (OSError, KeyError, RuntimeError, ValueError, TypeError):
        return {}


def _major(version: Any) -> int | None:
    first = _word(version).partition(".")[0]
    return int(first) if first.isascii() and first.isdigit() and len(first) < 4 else None


def _word(said: Any) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said or "")
    return text[:40]


def _config(said: Any) -> dict[str, Any]:
    try:
        text = said.decode("utf-8") if isinstance(said, bytes) else str(said)
        config = json.loads(text)
    except (UnicodeDecodeError, ValueError, RecursionError):
        config = None
    if not isinstance(config, dict) or not isinstance(config.get("class_name"), str):
        raise ModelRefused("The model_config of this Keras file is damaged. Save the model again.")
    return config


def _weights(root: Any) -> dict[str, dict[str, NDArray[np.float32]]]:
    found: dict[str, dict[str, NDArray[np.float32]]] = {}
    left = MOST_NUMBERS
    for path, dataset in _datasets(root, "", depth=0):
        # A small file can promise much: arrays that were never written, or one under many names.
        left -= dataset.size
        if left < 0:
            raise ModelRefused(
                f"The weights of this Keras file are more than {MOST_NUMBERS:,} numbers, too many "
                "for a pack. Save a smaller model."
            )
        *folders, last = path.split("/")
        # layer/layer/kernel:0, or outer/inner/kernel:0 for a model within a model.
        where = {f"{folders[0]}/{folders[-1]}", folders[0]} if folders else {""}
        for each in where:
            held = found.setdefault(each, {})
            # Under its first folder alone a layer is looked for last; models in it share that.
            if last.removesuffix(":0") in held and each != (folders or [""])[0]:
                raise ModelRefused(
                    f"Two layers of this Keras file are called '{each[:80]}', and nobody can tell "
                    "whose weights are whose. Name the layers apart, and save the model again."
                )
            held.setdefault(last.removesuffix(":0"), dataset)
    return found


def _datasets(group: Any, path: str, *, depth: int) -> Iterator[tuple[str, NDArray[np.float32]]]:
    if depth > 8:
        raise ModelRefused("The groups of this Keras file lie too deep. Save the model again.")
    for name in group:
        each = _inside(group, name)
        inner = f"{path}/{name}".lstrip("/")
        if isinstance(each, h5py.Group):
            yield from _datasets(each, inner, depth=depth + 1)
        elif isinstance(each, h5py.Dataset):
            yield inner, _array(each, inner)


def _inside(group: Any, name: str) -> Any:
    """The member itself; a link could name any file of this machine."""
    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
        raise ModelRefused("This Keras file links to other files. Save the model as one file.")
    return group[name]


def _array(dataset: Any, name: str) -> NDArray[np.float32]:
    if dataset.external or dataset.is_virtual:
        raise ModelRefused("Weights of this Keras file lie in other files. Save it as one file.")
    if dataset.dtype.kind not in "fiu" or dataset.size > MOST_NUMBERS:
        raise ModelRefused(
            f"The weights '{name[:80]}' are no numbers that a pack can hold. Save the model again."
        )
    values = np.asarray(dataset[()], np.float32)
    if not np.isfinite(values).all():
        raise ModelRefused(
            f"The weights '{name[:80]}' are not all finite numbers. The model is damaged, or did "
            "not learn."
        )
    return values


def is_hdf5(data: bytes) -> bool:
    """Whether the bytes begin as an HDF5 file does."""
    return data[:8] == b"\x89HDF\r\n\x1a\n"


def layers_of(config: dict[str, Any]) -> list[dict[str, Any]]:
    """The layers of a Sequential or Functional model, in either of the forms that Keras wrote."""
    inner = config.get("config")
    layers = inner if isinstance(inner, list) else (inner or {}).get("layers")
    if not isinstance(layers, list) or not all(isinstance(each, dict) for each in layers):
        raise ModelRefused("The model_config of this Keras file lists no layers. Save it again.")
    return layers

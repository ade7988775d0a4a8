"""Weights of a network that Firstread knows, from PyTorch or safetensors, become a pack's network.

A state dict is a table of arrays without their network, so the network is named by its training
recipe. PyTorch's files are pickles; they are opened with `weights_only`, which builds arrays and
runs nothing. Safetensors is numbers behind a JSON header; its own library is not needed for that.
"""

from __future__ import annotations

import io
import json
import pickle
import struct
from collections.abc import Callable
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from firstread.domain.errors import BadConfiguration, MissingExtra, ModelRefused
from firstread.importing.network import some_pictures
from firstread.importing.plan import Plan
from firstread.importing.recipe import Said, refuse_said
from firstread.importing.written_network import Made
from firstread.train.recipe import Recipe, find_recipe, open_recipe

_HEADER = struct.Struct("<Q")
_MOST_HEADER = 100_000_000
_ELEMENTS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "U8": "u1"}
_ABOUT = ("check", "title", "licence", "intended_use", "limits")
_OUTER = ("state_dict", "model_state_dict", "model", "network", "weights")


def is_safetensors(data: bytes) -> bool:
    """Whether the bytes begin as a safetensors file does: a length, then JSON."""
    if len(data) < 10:
        return False
    length = _HEADER.unpack_from(data)[0]
    return bool(length <= min(_MOST_HEADER, len(data) - 8) and data[8:9] == b"{")


def is_torch(data: bytes) -> bool:
    """Whether the bytes are those of `torch.save`: a zip file that holds a pickle and arrays."""
    return data[:4] == b"PK\x03\x04" and b"/data.pkl" in data[:4096]


def plan_of_network(network: str, said: Said) -> tuple[Plan, Recipe]:
    """What the training recipe says of its network, labels and pack; `said` may name it otherwise.

    Raises BadConfiguration where there is no such recipe, it is not of pictures, or more was said
    than what the pack is called and for.
    """
    _refuse_without_torch()
    from firstread.train.pack.manifest import labels_of

    recipe = open_recipe(find_recipe(network))
    if recipe.network is None and recipe.allds2020 is None:
        raise BadConfiguration(
            f"The recipe {recipe.name} is not of a network that reads pictures. Name one that is."
        )
    others = [each.name for each in fields(Said) if each.name not in ("name", "version", *_ABOUT)]
    why = f"The recipe {recipe.name} says what its network takes and answers."
    refuse_said(said, others, why=why)
    told: dict[str, Any] = {
        key: getattr(recipe.pack, key) for key in (*_ABOUT, "many", "one", "readers", "motif")
    }
    told |= {key: getattr(said, key) for key in _ABOUT if getattr(said, key) is not None}
    plan = Plan(
        name=said.name or said.check or recipe.name,
        version=said.version or recipe.version,
        labels=labels_of(recipe),
        input=recipe.sources[0].input,
        recipe=f"recipes/{Path(recipe.path).name}",
        **told,
    )
    return plan, recipe


def write_torch_network(arrays: dict[str, Any], recipe: Recipe, *, path: Path) -> Made:
    """Write the network of the recipe with these weights to `path`.

    torch and ONNX Runtime are asked the same pictures. Raises ModelRefused where the weights are
    not those of the network, PackRefused where the two answer differently.
    """
    _refuse_without_torch()
    from firstread.train.image.export import export_image

    given = recipe.sources[0].input
    network, to_reader = _untrained(recipe)
    _fill(network, arrays, recipe)
    reader = to_reader(network)
    apart = export_image(
        reader,
        path,
        height_px=given.height_px,
        width_px=given.width_px,
        pictures=some_pictures(given),
    )
    return Made(input=given, apart=apart)


def _untrained(recipe: Recipe) -> tuple[Any, Callable[[Any], Any]]:
    """The recipe's network, and what makes the reader of it that a pack holds."""
    source = recipe.sources[0]
    if recipe.allds2020 is not None:
        from firstread.train.allds2020.network import AllNetwork, to_reader

        return AllNetwork(side_px=source.width_px, labels=len(source.labels)), to_reader
    from firstread.train.image.export import to_reader as of_network
    from firstread.train.image.networks import build

    return build(recipe), partial(of_network, head=source.name, flips=recipe.flips)


def _fill(network: Any, arrays: dict[str, Any], recipe: Recipe) -> None:
    # A network that several cards trained says 'module.' before every name.
    plain = {name.removeprefix("module."): value for name, value in arrays.items()}
    own = network.state_dict()
    wrong = [name for name in own if name not in plain]
    wrong += [name for name in plain if name not in own]
    wrong += [n for n in own if n in plain and tuple(plain[n].shape) != tuple(own[n].shape)]
    if wrong:
        raise ModelRefused(
            f"These are not the weights of the network of the recipe {recipe.name}: "
            f"'{wrong[0][:80]}' is missing, too much or of another shape, and {len(wrong) - 1} "
            "more. Name the recipe that they were trained with: --network RECIPE."
        )
    _refuse_odd(plain)
    network.load_state_dict(plain)


def _refuse_odd(arrays: dict[str, Any]) -> None:
    import torch

    for name, value in arrays.items():
        is_plain = value.layout is torch.strided and not (
            value.is_quantized or value.is_complex() or value.is_meta
        )
        if not is_plain or not bool(torch.isfinite(value).all()):
            raise ModelRefused(
                f"The weights '{name[:80]}' are not all finite numbers. The file is damaged, or "
                "the model did not learn."
            )


def opened_weights(data: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """The weights in a file of PyTorch or safetensors, and what else it says, by name.

    Raises ModelRefused where it holds none, is damaged, or would run code.
    """
    _refuse_without_torch()
    import torch

    if is_safetensors(data):
        numbers, beside = _safetensors(data)
        return {name: torch.from_numpy(value) for name, value in numbers.items()}, beside
    try:
        found = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except (
        pickle.UnpicklingError, RuntimeError, EOFError, ValueError, OSError, LookupError,
        AttributeError, TypeError, AssertionError, ArithmeticError, MemoryError, struct.error,
    ):  # fmt: skip
        raise ModelRefused(
            "This PyTorch file holds more than arrays, or is damaged; what could run code is not "
            "opened. Save the weights alone: torch.save(model.state_dict(), 'weights.pt')."
        ) from None
    said = {str(key): value for key, value in found.items()} if isinstance(found, dict) else {}
    for name in _OUTER:
        if isinstance(found, dict) and isinstance(found.get(name), dict):
            found = found[name]
            break
    if not isinstance(found, dict) or not all(
        isinstance(name, str) and isinstance(value, torch.Tensor) for name, value in found.items()
    ):
        raise ModelRefused(
            "This PyTorch file is no table of weights. Save them alone: "
            "torch.save(model.state_dict(), 'weights.pt')."
        )
    return found, {} if said.keys() == found.keys() else said


def _safetensors(data: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    length = _HEADER.unpack_from(data)[0]
    body = memoryview(data)[8 + length :]
    try:
        header = json.loads(data[8 : 8 + length])
        found = {}
        for name, said in header.items():
            if name == "__metadata__":
                continue
            begin, end = said["data_offsets"]
            values = np.frombuffer(body[begin:end], _ELEMENTS[said["dtype"]])
            found[str(name)] = values.reshape(said["shape"]).copy()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ModelRefused("This safetensors file is damaged. Copy it again.") from None
    beside = header.get("__metadata__")
    return found, beside if isinstance(beside, dict) else {}


def _refuse_without_torch() -> None:
    try:
        import torch  # noqa: F401  asked for, not used: is it there?
    except ModuleNotFoundError:
        raise MissingExtra(command="packs import", extra="train") from None

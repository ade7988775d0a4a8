"""A model file of any of the known forms becomes a pack."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from firstread.domain.errors import BadConfiguration, ModelRefused
from firstread.importing.assemble import Imported, Wanted, make_pack, sha256_of
from firstread.importing.class_names import with_class_names
from firstread.importing.graph import opened_model, said_in
from firstread.importing.keras_file import is_hdf5, said_beside
from firstread.importing.keras_model import keras_to_onnx
from firstread.importing.network import write_network
from firstread.importing.pickled import look_into, refuse_untrusted, write_measurements_network
from firstread.importing.plan import Plan
from firstread.importing.recipe import Said, make_plan, refuse_said
from firstread.importing.torch_weights import (
    is_safetensors,
    is_torch,
    opened_weights,
    plan_of_network,
    write_torch_network,
)
from firstread.importing.written_network import Made

MOST_BYTES = 2 * 1024**3
_PLAIN_PICKLE = b"\x80"
_PICKLES = (
    _PLAIN_PICKLE,
    b"\x78\x01",
    b"\x78\x5e",
    b"\x78\x9c",
    b"\x78\xda",
    b"\x1f\x8b",
    b"BZh",
    b"(",
)
"""How a pickle begins, plain or as joblib packs it."""
_FOR_PICTURES = (
    "size", "colour", "fit", "interpolation", "scale", "mean", "std", "order", "layout", "output",
    "answers",
)  # fmt: skip
_FOR_ROWS = ("measurements", "ranges")
_PICKLE_NAMES = {".pkl", ".pickle", ".joblib", ".sav"}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What was asked for beside the plan."""

    said: Said
    recipe: str | None = None
    network: str | None = None
    """The training recipe whose network the weights are of."""
    trusted: bool = False
    """The file may be opened though it is a pickle."""


def import_model(path: Path, asked: Asked, *, wanted: Wanted, name: str | None = None) -> Imported:
    """Make the pack of the model file at `path`; `name` is what the card calls the file.

    Raises ModelRefused where the file is of no known form or cannot become a pack, and
    BadConfiguration where something was not said that must be.
    """
    data = model_bytes(path)
    file, digest = name or path.name, sha256_of(data)
    plan, write = _plan_and_writer(path, data, asked)
    return make_pack(plan, write=write, file=file, file_sha256=digest, wanted=wanted)


def model_bytes(path: Path) -> bytes:
    """The bytes of a model file; raises ModelRefused where there is none, or it is too large."""
    if not path.is_file():
        raise ModelRefused(f"There is no file '{path.name}'. Name a model file.")
    if path.stat().st_size > MOST_BYTES:
        raise ModelRefused(
            f"{path.name} is larger than 2 GB, too large for a pack. Save a smaller one."
        )
    return path.read_bytes()


def _plan_and_writer(path: Path, data: bytes, asked: Asked) -> tuple[Plan, Callable[[Path], Made]]:
    if asked.network is not None or is_safetensors(data) or is_torch(data):
        if asked.network is None:
            raise BadConfiguration(
                "These are weights without their network. Name the training recipe that they are "
                "of: --network RECIPE, such as --network marrow-cell."
            )
        if asked.recipe is not None:
            raise BadConfiguration(
                "The recipe of --network says all that its weights need. Leave --recipe out."
            )
        torch_plan, recipe = plan_of_network(asked.network, asked.said)
        arrays, said = opened_weights(data)
        remedy = "Name the recipe that they were trained with: --network RECIPE."
        torch_plan = with_class_names(torch_plan, said, remedy=remedy)
        return torch_plan, lambda file: write_torch_network(arrays, recipe, path=file)
    if is_hdf5(data):
        plan = with_class_names(_of_pictures(asked), said_beside(data))
        return plan, lambda file: write_network(keras_to_onnx(data), plan, path=file)
    if data[:4] == b"PK\x03\x04":
        raise ModelRefused(
            f"{path.name} is a zip file. Of Keras save the older form, model.save('name.h5'); a "
            "packed pack is installed: firstread packs install FILE."
        )
    if path.suffix.lower() in _PICKLE_NAMES or data.startswith(_PLAIN_PICKLE):
        refuse_untrusted(trusted=asked.trusted)
        if not data.startswith(_PICKLES):
            raise ModelRefused(f"{path.name} is no pickle. Save the model again, with joblib.")
        refuse_said(asked.said, _FOR_PICTURES, why="This model takes measurements, not pictures.")
        found, told = look_into(data, make_plan(asked.said, recipe=asked.recipe))
        return found, lambda file: write_measurements_network(told, found, path=file)
    plan = with_class_names(_of_pictures(asked), said_in(opened_model(data)))
    return plan, lambda file: write_network(data, plan, path=file)


def _of_pictures(asked: Asked) -> Plan:
    refuse_said(asked.said, _FOR_ROWS, why="This model takes pictures, not measurements.")
    return make_plan(asked.said, recipe=asked.recipe)

"""Weights of a network that Firstread knows become the pack that training would have made."""

from __future__ import annotations

import json
import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
import torch

from firstread.domain.errors import BadConfiguration, ModelRefused
from firstread.importing.assemble import Wanted
from firstread.importing.recipe import Said
from firstread.importing.run import Asked, import_model
from firstread.packs import open_manifest
from firstread.runtime.session import Session
from firstread.train.image.export import to_reader
from firstread.train.image.networks import build
from firstread.train.recipe import open_recipe

RECIPE = """
name = "small"
kind = "image"
seed = 1

[[source]]
name = "small"
labels = ["well", "ill"]
width_px = 32
height_px = 32

[network]
stem = 8
widths = [8, 16]
depths = [1, 1]

[pack]
check = "leukaemia"
title = "Small"
licence = "Apache-2.0"
intended_use = "For tests."
limits = "For nothing else."
many = true
one = "slice"

[[label]]
code = "well"
title = "Well"
positive = false

[[label]]
code = "ill"
title = "Ill"
positive = true
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    (tmp_path / "small.toml").write_text(RECIPE)
    return tmp_path / "small.toml"


def taken(file: Path, recipe: Path, **how: object):
    said = how.pop("said", Said())
    asked = Asked(said=said, network=how.pop("network", str(recipe)), recipe=how.pop("told", None))
    return import_model(file, asked, wanted=Wanted(out=file.parent / "packs", **how))


def as_safetensors(weights: dict[str, torch.Tensor]) -> bytes:
    header, body = {}, b""
    for name, value in weights.items():
        raw = value.numpy().tobytes()
        place = [len(body), len(body) + len(raw)]
        header[name] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": place}
        body += raw
    told = json.dumps({"__metadata__": {"format": "pt"}} | header).encode()
    return struct.pack("<Q", len(told)) + told + body


@pytest.mark.parametrize("form", ["pt", "wrapped", "safetensors"])
def test_torch_and_the_pack_give_the_same_logits_from_the_same_bytes(tmp_path, recipe, form):
    torch.manual_seed(3)
    opened = open_recipe(recipe)
    network = build(opened).eval()
    weights = network.state_dict()
    file = tmp_path / ("weights.safetensors" if form == "safetensors" else "weights.pt")
    if form == "safetensors":
        file.write_bytes(as_safetensors(weights))
    else:
        torch.save({"state_dict": weights} if form == "wrapped" else weights, file)
    pack = taken(file, recipe)
    pictures = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), np.uint8)
    with torch.inference_mode():
        reader = to_reader(network, head="small")
        expected = reader(torch.from_numpy(pictures))[0].numpy()
    found = Session(pack.folder / "model.onnx", kind="image").run(pictures)
    assert np.abs(found["logits"] - expected).max() < 1e-4
    assert {"embedding", "evidence"} <= set(found)


def test_weights_of_another_network_are_refused(tmp_path, recipe):
    torch.save({"a.weight": torch.zeros(3)}, tmp_path / "weights.pt")
    with pytest.raises(ModelRefused, match="not the weights of the network of the recipe small"):
        taken(tmp_path / "weights.pt", recipe)
    with pytest.raises(BadConfiguration, match="weights without their network"):
        taken(tmp_path / "weights.pt", recipe, network=None)


def test_the_pack_may_be_called_otherwise_and_no_option_is_passed_over(tmp_path, recipe):
    torch.save(build(open_recipe(recipe)).state_dict(), tmp_path / "weights.pt")
    said = Said(title="Mine", licence="MIT", version="2.0.0")
    pack = taken(tmp_path / "weights.pt", recipe, said=said)
    about = open_manifest(pack.folder).pack
    assert (about.name, about.version, about.title) == ("small", "2.0.0", "Mine")
    assert (about.licence, about.intended_use) == ("MIT", "For tests.")
    assert (about.many, about.one) == (True, "slice")
    with pytest.raises(BadConfiguration, match="Leave --labels out"):
        taken(tmp_path / "weights.pt", recipe, said=Said(labels="a,b"))
    with pytest.raises(BadConfiguration, match="Leave --recipe out"):
        taken(tmp_path / "weights.pt", recipe, told="objects")


class Writes:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (os.system, (f"touch {self.path}",))


def test_a_file_of_torch_that_would_run_code_is_not_opened(tmp_path, recipe):
    trace = tmp_path / "was-here"
    torch.save({"a": Writes(trace)}, tmp_path / "weights.pt", pickle_module=pickle)
    with pytest.raises(ModelRefused, match="holds more than arrays"):
        taken(tmp_path / "weights.pt", recipe)
    assert not trace.exists()


@pytest.mark.parametrize("how", ["sparse", "complex", "nan"])
def test_weights_that_are_no_plain_numbers_are_named(tmp_path, recipe, how):
    weights = build(open_recipe(recipe)).state_dict()
    name = next(name for name, value in weights.items() if value.ndim > 1)
    value = weights[name]
    weights[name] = {
        "sparse": value.to_sparse(),
        "complex": value.to(torch.complex64),
        "nan": value * float("nan"),
    }[how]
    torch.save(weights, tmp_path / "weights.pt")
    with pytest.raises(ModelRefused, match=f"'{name}' are not all finite numbers"):
        taken(tmp_path / "weights.pt", recipe)


def test_a_damaged_safetensors_file_gets_a_sentence(tmp_path, recipe):
    whole = as_safetensors({"a": torch.zeros(3)})
    (tmp_path / "weights.safetensors").write_bytes(whole[:-6])
    with pytest.raises(ModelRefused, match="damaged"):
        taken(tmp_path / "weights.safetensors", recipe)

"""What a model's file calls its classes is used, contradicts, or is told as passed over."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import onnx
import pytest
import torch
from onnx import helper

from firstread.domain.errors import BadConfiguration
from firstread.importing.assemble import Wanted
from firstread.importing.class_names import with_class_names
from firstread.importing.recipe import Said
from firstread.importing.run import Asked, import_model
from firstread.importing.torch_weights import opened_weights, plan_of_network
from firstread.packs import open_manifest
from firstread.train.image.networks import build
from firstread.train.recipe import open_recipe
from tests.importing.models_for_tests import KerasMade, imported, pooled_linear
from tests.importing.test_torch_weights import RECIPE, as_safetensors


def onnx_that_says(tmp_path: Path, **said: str) -> Path:
    model = onnx.load_model_from_string(pooled_linear())
    helper.set_model_props(model, said)
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    return tmp_path / "model.onnx"


def labels_of(made: Any) -> list[str]:
    return [each.code for each in open_manifest(made.folder).labels]


NAMED = [
    {"names": "{0: 'ill', 1: 'well', 2: 'unclear'}"},
    {"names": "['ill', 'well', 'unclear']"},
    {"classes": "ill,well,unclear"},
    {"class_names": json.dumps(["ill", "well", "unclear"])},
    {"labels": "ill\nwell\nunclear\n"},
    {"id2label": json.dumps({"0": "ill", "1": "well", "2": "unclear"})},
    {"config": json.dumps({"class_to_idx": {"well": 1, "ill": 0, "unclear": 2}})},
    {"names": "ill,well,unclear", "label2id": '{"ill": 0, "well": 1, "unclear": 2}'},
]  # fmt: skip


@pytest.mark.parametrize("said", NAMED)
def test_classes_in_the_metadata_of_onnx_are_the_labels_or_order_them(
    tmp_path: Path, said: dict[str, str]
) -> None:
    file = onnx_that_says(tmp_path, **said)
    alone = imported(file, tmp_path, labels=None, positive="ill")
    assert labels_of(alone) == ["ill", "well", "unclear"]
    assert "The labels are the classes that the file names: ill, well, unclear." in alone.says
    again = imported(file, tmp_path, labels="well,ill,unclear", wanted={"replace": True})
    assert labels_of(again) == ["ill", "well", "unclear"]
    assert any("the labels were put in that order, from well, ill" in each for each in again.says)


@pytest.mark.parametrize("labels", ["well,ill,dead", "1,2,3"])
def test_labels_that_contradict_the_classes_of_onnx_are_refused_with_both(
    tmp_path: Path, labels: str
) -> None:
    file = onnx_that_says(tmp_path, names="{0: 'ill', 1: 'well', 2: 'unclear'}")
    with pytest.raises(BadConfiguration, match="ill, well, unclear, and the labels that were") as e:
        imported(file, tmp_path, labels=labels)
    assert labels.replace(",", ", ") in str(e.value)
    assert "Leave --labels out" in str(e.value)


def test_a_file_that_names_its_classes_twice_is_refused_with_both(tmp_path: Path) -> None:
    file = onnx_that_says(tmp_path, names="['a', 'b', 'c']", classes="c,b,a")
    with pytest.raises(BadConfiguration, match=r"twice: .*a, b, c.*\(names\)"):
        imported(file, tmp_path)


def test_what_is_no_list_of_classes_is_told_as_passed_over(tmp_path: Path) -> None:
    made = imported(onnx_that_says(tmp_path, names="{0: 'a', 7: 'b'}"), tmp_path)
    assert labels_of(made) == ["well", "ill", "unclear"]
    assert any("under 'names' is no list of classes, and was passed over" in e for e in made.says)


def test_classes_that_are_only_counted_are_told_beside_their_labels(tmp_path: Path) -> None:
    file = onnx_that_says(tmp_path, id2label='{"0": "LABEL_0", "1": "LABEL_1", "2": "LABEL_2"}')
    made = imported(file, tmp_path)
    assert "The file's class 0 is called well here, 1 ill, and 2 unclear." in made.says


def test_labels_that_count_from_1_are_noticed_where_the_file_names_none(tmp_path: Path) -> None:
    made = imported(onnx_that_says(tmp_path), tmp_path, labels="1,2,3")
    assert "The labels count from 1: the model's first answer is called 1." in made.says


def test_classes_beside_a_keras_model_count(tmp_path: Path) -> None:
    model = KerasMade()
    model.add("GlobalAveragePooling2D")
    kernel = np.eye(3, dtype=np.float32) / 100
    model.add("Dense", {"activation": "softmax"}, kernel=kernel, bias=np.zeros(3, np.float32))
    held = io.BytesIO(model.sequential())
    with h5py.File(held, "r+") as file:
        file.attrs["class_names"] = [b"ill", b"well", b"unclear"]
    (tmp_path / "model.h5").write_bytes(held.getvalue())
    assert labels_of(imported(tmp_path / "model.h5", tmp_path)) == ["ill", "well", "unclear"]


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    (tmp_path / "small.toml").write_text(RECIPE)
    return tmp_path / "small.toml"


def checkpoint(recipe: Path, beside: dict[str, Any], *, form: str) -> bytes:
    state = build(open_recipe(recipe)).state_dict()
    if form == "pt":
        held = io.BytesIO()
        torch.save({"state_dict": state, **beside}, held)
        return held.getvalue()
    data = as_safetensors(state)
    length = int.from_bytes(data[:8], "little")
    plain = {key: json.dumps(value) for key, value in beside.items()}
    told = json.dumps(json.loads(data[8 : 8 + length]) | {"__metadata__": plain}).encode()
    return len(told).to_bytes(8, "little") + told + data[8 + length :]


@pytest.mark.parametrize("form", ["pt", "safetensors"])
@pytest.mark.parametrize(
    "beside",
    [
        {"classes": ["ill", "well"], "epoch": 3},
        {"class_names": ["ill", "well"]},
        {"class_to_idx": {"well": 1, "ill": 0}},
        {"id2label": {"0": "ill", "1": "well"}},
    ],
)
def test_the_classes_of_a_checkpoint_order_the_labels_of_its_recipe(
    recipe: Path, beside: dict[str, Any], form: str
) -> None:
    arrays, said = opened_weights(checkpoint(recipe, beside, form=form))
    assert all(isinstance(each, torch.Tensor) for each in arrays.values())
    plan = with_class_names(plan_of_network(str(recipe), Said())[0], said)
    assert plan.codes == ("ill", "well")
    assert "the labels were put in that order, from well, ill" in plan.told[-1]


def test_a_pack_of_a_checkpoint_has_its_labels_in_the_file_s_order(
    tmp_path: Path, recipe: Path
) -> None:
    (tmp_path / "one.pt").write_bytes(checkpoint(recipe, {"classes": ["ill", "well"]}, form="pt"))
    asked = Asked(said=Said(), network=str(recipe))
    assert labels_of(
        import_model(tmp_path / "one.pt", asked, wanted=Wanted(out=tmp_path / "packs"))
    ) == ["ill", "well"]


def test_a_checkpoint_of_other_classes_than_its_recipe_is_refused_with_both(
    tmp_path: Path, recipe: Path
) -> None:
    (tmp_path / "one.pt").write_bytes(checkpoint(recipe, {"classes": ["cat", "dog"]}, form="pt"))
    with pytest.raises(BadConfiguration, match=r"cat, dog.*well, ill\. Name the recipe"):
        import_model(
            tmp_path / "one.pt",
            Asked(said=Said(), network=str(recipe)),
            wanted=Wanted(out=tmp_path / "packs"),
        )

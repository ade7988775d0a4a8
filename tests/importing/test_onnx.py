"""ONNX files become packs that answer what the file answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import helper

from firstread.domain.errors import BadConfiguration, ModelRefused
from firstread.packs import open_manifest
from firstread.runtime import open_reader
from firstread.runtime.session import Session
from tests.importing.models_for_tests import (
    SIDE_PX,
    by_recipe,
    convolution,
    imported,
    onnx_file,
    pooled_linear,
)


def pictures(seed: int = 0, *, side_px: int = SIDE_PX, count: int = 4) -> Any:
    return np.random.default_rng(seed).integers(0, 256, (count, side_px, side_px, 3), np.uint8)


def answers(file: bytes, batch: Any) -> Any:
    return ort.InferenceSession(file).run(None, {"picture": batch})[0]


def softmax(logits: Any) -> Any:
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def session_of(folder: Path) -> Session:
    return Session(folder / "model.onnx", kind="image")


def put(tmp_path: Path, data: bytes, name: str = "model.onnx") -> Path:
    (tmp_path / name).write_bytes(data)
    return tmp_path / name


def test_a_classifier_becomes_a_pack_that_everything_takes(tmp_path):
    made = imported(put(tmp_path, pooled_linear()), tmp_path, scale="1/255", mean="0.5", std="0.25")
    reader = open_reader(made.folder)
    assert reader.manifest.codes == ("well", "ill", "unclear")
    assert reader.manifest.calibration.method == "none"
    assert reader.manifest.provenance.model_file == "model.onnx"
    outcome = reader.read((made.folder / "golden/01.png").read_bytes())
    assert outcome.evidence.shape == (3, SIDE_PX - 2, SIDE_PX - 2)
    assert outcome.embedding.shape == (8,)
    card = (made.folder / "card.md").read_text()
    assert "nothing is known here of how well it reads" in card
    assert "not calibrated" in card
    assert any("Nothing is known of how well it reads" in each for each in made.says)


@pytest.mark.parametrize("order", ["rgb", "bgr"])
def test_preparation_stands_in_the_graph(tmp_path, order):
    file = pooled_linear()
    made = imported(
        put(tmp_path, file),
        tmp_path,
        order=order,
        scale="1/255",
        mean="0.5,0.4,0.3",
        std="0.2,0.3,0.4",
    )
    given = pictures()
    by_hand = (given[..., ::-1] if order == "bgr" else given).astype(np.float32) / 255
    by_hand = (by_hand - np.array([0.5, 0.4, 0.3])) / np.array([0.2, 0.3, 0.4])
    expected = answers(file, by_hand.transpose(0, 3, 1, 2).astype(np.float32))
    found = session_of(made.folder).run(given)["logits"]
    assert np.abs(softmax(found) - expected).max() < 1e-5


def test_the_mean_of_the_evidence_and_the_bias_are_the_logit(tmp_path):
    made = imported(put(tmp_path, pooled_linear()), tmp_path)
    found = session_of(made.folder).run(pictures())
    apart = found["logits"] - found["evidence"].mean((2, 3))
    assert np.abs(apart - apart[0]).max() < 1e-4


def test_a_model_in_half_precision_keeps_its_weights_and_answers(tmp_path):
    whole = imported(put(tmp_path, pooled_linear(), "whole.onnx"), tmp_path, name="whole")
    half = imported(put(tmp_path, pooled_linear(half=True), "half.onnx"), tmp_path, name="half")
    one, other = (session_of(each.folder).run(pictures())["logits"] for each in (whole, half))
    assert np.abs(one - other).max() < 0.05


def test_a_model_with_old_operators_is_brought_to_newer_ones(tmp_path):
    made = imported(put(tmp_path, pooled_linear(opset=9)), tmp_path)
    model = onnx.load(str(made.folder / "model.onnx"))
    assert model.opset_import[0].version >= 13
    new = imported(put(tmp_path, pooled_linear()), tmp_path, name="new")
    one, other = (session_of(each.folder).run(pictures())["logits"] for each in (made, new))
    assert np.abs(one - other).max() < 1e-4


def test_channels_may_stand_last_and_the_mean_be_taken_over_them(tmp_path):
    rng = np.random.default_rng(3)
    nodes = [
        helper.make_node("Transpose", ["picture"], ["t"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["t", "kernels", "bias"], ["c"], kernel_shape=[3, 3]),
        helper.make_node("Transpose", ["c"], ["last"], perm=[0, 2, 3, 1]),
        helper.make_node("ReduceMean", ["last"], ["m"], axes=[1, 2], keepdims=0),
        helper.make_node("MatMul", ["m", "head"], ["g"]),
        helper.make_node("Add", ["g", "head_bias"], ["out"]),
    ]
    weights = convolution() | {
        "head": rng.normal(0, 1, (8, 3)).astype(np.float32),
        "head_bias": np.array([1, 2, 3], np.float32),
    }
    file = onnx_file(nodes, weights, shape=("n", SIDE_PX, SIDE_PX, 3))
    made = imported(put(tmp_path, file), tmp_path)
    found = session_of(made.folder).run(pictures())
    assert np.abs(found["logits"] - answers(file, pictures().astype(np.float32))).max() < 1e-4
    mean = found["evidence"].mean((2, 3)) + np.array([1, 2, 3])
    assert np.abs(found["logits"] - mean).max() < 1e-4


def test_one_number_for_two_labels_is_the_chance_of_the_second(tmp_path):
    rng = np.random.default_rng(5)
    nodes = [
        helper.make_node("GlobalAveragePool", ["picture"], ["p"]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("MatMul", ["f", "head"], ["g"]),
        helper.make_node("Sigmoid", ["g"], ["out"]),
    ]
    head = {"head": rng.normal(0, 0.01, (3, 1)).astype(np.float32)}
    file = onnx_file(nodes, head, output=("out", ("n", 1)))
    made = imported(put(tmp_path, file), tmp_path, labels="benign,malignant")
    found = softmax(session_of(made.folder).run(pictures())["logits"])
    expected = answers(file, pictures().transpose(0, 3, 1, 2).astype(np.float32))
    assert np.abs(found[:, 1:] - expected).max() < 1e-5
    with pytest.raises(BadConfiguration, match="gives 1 answers, and 3 labels"):
        imported(put(tmp_path, file), tmp_path, name="other")


def test_probabilities_without_a_softmax_are_found_out(tmp_path):
    nodes = [
        helper.make_node("GlobalAveragePool", ["picture"], ["p"]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("ReduceSum", ["f", "axis"], ["sum"], keepdims=1),
        helper.make_node("Div", ["f", "sum"], ["out"]),
    ]
    file = onnx_file(nodes, {"axis": np.array([1], np.int64)})
    made = imported(put(tmp_path, file), tmp_path)
    found = softmax(session_of(made.folder).run(pictures())["logits"])
    expected = answers(file, pictures().transpose(0, 3, 1, 2).astype(np.float32))
    assert np.abs(found - expected).max() < 1e-5
    assert "embedding" not in session_of(made.folder).run(pictures())
    assert any("lacks" in each for each in made.says)


def test_a_file_made_for_one_picture_at_a_time_is_read_one_at_a_time(tmp_path):
    nodes = [
        helper.make_node("GlobalAveragePool", ["picture"], ["p"]),
        helper.make_node("Reshape", ["p", "one"], ["out"]),
    ]
    file = onnx_file(
        nodes,
        {"one": np.array([1, 3], np.int64)},
        shape=(1, 3, SIDE_PX, SIDE_PX),
        output=("out", (1, 3)),
    )
    made = imported(put(tmp_path, file), tmp_path)
    reader = open_reader(made.folder)
    assert len(reader.read((made.folder / "golden/02.png").read_bytes()).logits) == 3


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"labels": "a,b"}, "gives 3 answers, and 2 labels"),
        ({"labels": "a"}, "not said what the model's answers mean"),
        ({"size": "13"}, "takes pictures of 12 x 12 pixels, not 13 x 13"),
        ({"size": "large"}, "--size large is no size"),
        ({"mean": "1,2"}, "must be one number, or one for each of 3 channels"),
        ({"std": "0"}, "greater than 0"),
        ({"scale": "1/0"}, "takes numbers such as 0.5 or 1/255"),
        ({"order": "grey"}, "does not say where its 1 channels stand"),
        ({"positive": "iller"}, "'iller' is to raise the alarm, and is no label"),
        (
            {"recipe": "blood-cell"},
            "is for training: firstread train blood-cell.",
        ),
        ({"recipe": "no-such"}, "There is no recipe 'no-such'"),
        ({"check": None}, "not said what the model is for"),
        ({"ranges": "1:10"}, "takes pictures, not measurements. Leave --range out"),
    ],
)
def test_what_does_not_fit_is_told_before_anything_is_written(tmp_path, said, sentence):
    with pytest.raises(BadConfiguration, match=sentence):
        imported(put(tmp_path, pooled_linear()), tmp_path, **said)
    assert not (tmp_path / "packs" / "foreign").exists()
    assert not list((tmp_path).glob("packs/.*"))


def test_what_is_no_classifier_is_refused(tmp_path):
    shown = {
        "no ONNX file": b"not a model at all",
        "holds no network": b"",
        "is no picture of four axes": onnx_file(
            [helper.make_node("Identity", ["picture"], ["out"])], {}, shape=("n", 3)
        ),
        "answers each label by itself": onnx_file(
            [
                helper.make_node("GlobalAveragePool", ["picture"], ["p"]),
                helper.make_node("Flatten", ["p"], ["f"]),
                helper.make_node("Sigmoid", ["f"], ["out"]),
            ],
            {},
        ),
        "operators of 'evil'": onnx_file([helper.make_node("Identity", ["picture"], ["out"])], {}),
    }
    model = onnx.load_model_from_string(shown["operators of 'evil'"])
    model.opset_import.append(helper.make_opsetid("evil", 1))
    shown["operators of 'evil'"] = model.SerializeToString()
    for sentence, data in shown.items():
        with pytest.raises(ModelRefused, match=sentence):
            imported(put(tmp_path, data), tmp_path)
    model = onnx.load_model_from_string(pooled_linear())
    model.graph.initializer[0].data_location = onnx.TensorProto.EXTERNAL
    with pytest.raises(ModelRefused, match="lie in a file beside it"):
        imported(put(tmp_path, model.SerializeToString()), tmp_path)


@pytest.mark.parametrize("where", ["a constant", "a branch", "a function"])
def test_weights_elsewhere_are_found_wherever_they_are_named(tmp_path, where):
    tensor = helper.make_tensor("t", onnx.TensorProto.FLOAT, [3], [0.0, 0.0, 0.0])
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")
    node = helper.make_node("Constant", [], ["c"], value=tensor)
    model = onnx.load_model_from_string(pooled_linear())
    if where == "a constant":
        model.graph.node.append(node)
    elif where == "a branch":
        inner = helper.make_graph([node], "inner", [], [])
        model.graph.node.append(helper.make_node("If", ["p"], ["i"], then_branch=inner))
    else:
        ids = [helper.make_opsetid("", 17)]
        model.functions.append(helper.make_function("own", "f", [], ["c"], [node], ids))
    with pytest.raises(ModelRefused, match="lie in a file beside it"):
        imported(put(tmp_path, model.SerializeToString()), tmp_path)


def test_answers_that_are_none_are_refused(tmp_path):
    mean = helper.make_node("GlobalAveragePool", ["picture"], ["p"])
    flat = helper.make_node("Flatten", ["p"], ["f"])
    places = onnx_file(
        [
            helper.make_node("NonZero", ["picture"], ["z"]),
            helper.make_node("Cast", ["z"], ["out"], to=onnx.TensorProto.FLOAT),
        ],
        {},
        output=("out", (None, None)),
    )
    shown = {
        "no number": onnx_file([mean, flat, helper.make_node("Div", ["f", "zero"], ["d"]),
            helper.make_node("Sub", ["d", "d"], ["out"])], {"zero": np.zeros(1, np.float32)}),
        "another number of answers": places,
    }  # fmt: skip
    for sentence, data in shown.items():
        with pytest.raises(ModelRefused, match=sentence):
            imported(put(tmp_path, data), tmp_path)


def test_a_model_without_an_input_is_refused(tmp_path):
    model = onnx.load_model_from_string(onnx_file([], {}))
    del model.graph.input[:]
    tensor = helper.make_tensor("t", onnx.TensorProto.FLOAT, [1, 3], [0.0, 0.0, 0.0])
    model.graph.node.append(helper.make_node("Constant", [], ["out"], value=tensor))
    with pytest.raises(ModelRefused, match="takes no input"):
        imported(put(tmp_path, model.SerializeToString()), tmp_path)


def test_a_pack_is_replaced_only_where_that_is_asked(tmp_path):
    file = put(tmp_path, pooled_linear())
    first = imported(file, tmp_path)
    again = imported(file, tmp_path, version="1.0.1", wanted={"replace": True})
    assert open_manifest(again.folder).version == "1.0.1"
    with pytest.raises(BadConfiguration, match=r"a pack 'foreign' in .* already"):
        imported(file, tmp_path, version="1.0.2")
    assert first.folder == again.folder


def test_labels_come_from_files_in_the_forms_that_models_are_given_with(tmp_path):
    lines, listed, numbered = (tmp_path / name for name in ("a.txt", "b.json", "c.json"))
    lines.write_text("well\nill\nunclear\n")
    listed.write_text(json.dumps(["well", "ill", "unclear"]))
    numbered.write_text(json.dumps({"1": "ill", "0": "well", "2": "unclear"}))
    for number, file in enumerate((lines, listed, numbered)):
        made = imported(
            put(tmp_path, pooled_linear()), tmp_path, labels=str(file), name=f"pack-{number}"
        )
        assert open_manifest(made.folder).codes == ("well", "ill", "unclear")
    numbered.write_text(json.dumps({"1": "ill", "3": "well"}))
    with pytest.raises(BadConfiguration, match="without a gap"):
        imported(put(tmp_path, pooled_linear()), tmp_path, labels=str(numbered), name="gap")


@pytest.mark.data
def test_the_objects_model_answers_as_the_file_does_by_hand(data_folder, tmp_path):
    """Against PyTorch with the file's own weights, prepared by hand: another way altogether."""
    import torch
    import torch.nn.functional as F  # noqa: N812  everybody's name for it

    model = onnx.load(str(data_folder / "objects" / "SqueezeNet_fp16.onnx"))
    weights = {
        each.name: torch.from_numpy(onnx.numpy_helper.to_array(each).astype(np.float32))
        for each in model.graph.initializer
    }
    given = pictures(side_px=224, count=2)
    blue_first = given[..., ::-1].astype(np.float32) - np.array([104, 117, 123], np.float32)
    x = torch.from_numpy(blue_first.transpose(0, 3, 1, 2).copy())

    def conv(x, name, **how):
        return F.relu(F.conv2d(x, weights[f"{name}_w_0"], weights[f"{name}_b_0"], **how))

    def fire(x, number):
        small = conv(x, f"fire{number}/squeeze1x1")
        wide = [conv(small, f"fire{number}/expand1x1")]
        return torch.cat([*wide, conv(small, f"fire{number}/expand3x3", padding=1)], 1)

    x = F.max_pool2d(conv(x, "conv1", stride=2), 3, 2)
    x = F.max_pool2d(fire(fire(x, 2), 3), 3, 2)
    x = F.max_pool2d(fire(fire(x, 4), 5), 3, 2)
    for number in (6, 7, 8, 9):
        x = fire(x, number)
    expected = conv(x, "conv10").mean((2, 3)).numpy()
    file = data_folder / "objects" / "SqueezeNet_fp16.onnx"
    pack = by_recipe(file, "objects", out=tmp_path)
    found = session_of(pack).run(given)["logits"]
    assert np.abs(found - expected).max() < 1e-4
    labels = json.loads((data_folder / "objects" / "Labels.json").read_text())
    assert len(open_manifest(pack).codes) == len(labels) == 1000

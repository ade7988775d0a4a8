"""Channels of zeros change no answer, and are added only where it is certain and worth it."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from firstread.packs import find_pack
from firstread.runtime.widen import widened

SIDE_PX = 12
PICTURE = np.random.default_rng(1).normal(size=(2, 3, SIDE_PX, SIDE_PX)).astype(np.float32)
x86_64 = pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64"), reason="only x86-64 has kernels in blocks"
)


def network(
    *channels: int,
    between: tuple[str, ...] = ("Relu",),
    half: bool = False,
    plain_floats: bool = False,
    more: Any = None,
) -> bytes:
    """Convolutions of 3x3, `between` after each; `more` changes the model before it is written."""
    rng = np.random.default_rng(7)
    nodes, weights, last, taken = [], [], "x", 3
    for number, count in enumerate(channels):
        for name, shape in ((f"w{number}", (count, taken, 3, 3)), (f"b{number}", (count,))):
            values = rng.normal(0, 0.3, size=shape).astype(np.float16 if half else np.float32)
            if plain_floats:
                made = helper.make_tensor(name, TensorProto.FLOAT, shape, values.reshape(-1))
            else:
                made = numpy_helper.from_array(values, f"{name}.half" if half else name)
            weights.append(made)
            if half:
                nodes.append(
                    helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT)
                )
        given = [last, f"w{number}", f"b{number}"]
        last, taken = f"c{number}", count
        nodes.append(helper.make_node("Conv", given, [last], pads=[1, 1, 1, 1]))
        for step in between:
            size = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]} if "Pool" in step else {}
            nodes.append(helper.make_node(step, [last], [f"{step}{number}"], **size))
            last = f"{step}{number}"
    picture = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, SIDE_PX, SIDE_PX])
    answer = helper.make_tensor_value_info(last, TensorProto.FLOAT, ["N", taken, SIDE_PX, SIDE_PX])
    graph = helper.make_graph(nodes, "test", [picture], [answer], initializer=weights)
    opsets = [helper.make_opsetid("", 18)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    if more is not None:
        more(model)
    return bytes(model.SerializeToString())


def answers(model: bytes) -> list[np.ndarray[Any, Any]]:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return list(session.run(None, {"x": PICTURE}))


def shapes(model: bytes) -> dict[str, list[int]]:
    return {each.name: list(each.dims) for each in onnx.load_from_string(model).graph.initializer}


@x86_64
def test_thirty_channels_become_thirty_two_and_the_answer_stays() -> None:
    plain = network(30, 30)
    wide = widened(plain)
    assert shapes(wide) == {
        "w0": [32, 3, 3, 3], "b0": [32], "w1": [30, 32, 3, 3], "b1": [30],
    }  # fmt: skip
    onnx.checker.check_model(onnx.load_from_string(wide), full_check=True)
    assert np.allclose(answers(plain)[0], answers(wide)[0], atol=1e-5)


@x86_64
def test_both_convolutions_then_run_by_the_fast_kernels(tmp_path: Path) -> None:
    found = {}
    for name, model in (("plain", network(30, 30)), ("wide", widened(network(30, 30)))):
        options = ort.SessionOptions()
        options.log_severity_level = 3
        options.optimized_model_filepath = str(tmp_path / name)
        ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        nodes = onnx.load(str(tmp_path / name)).graph.node
        found[name] = [node.domain for node in nodes if "Conv" in node.op_type]
    assert found["plain"].count("com.microsoft.nchwc") == 1
    assert found["wide"].count("com.microsoft.nchwc") == 2


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(
    channels=st.lists(st.integers(1, 66), min_size=1, max_size=3),
    between=st.lists(
        st.sampled_from(["Relu", "LeakyRelu", "MaxPool", "AveragePool", "Sigmoid"]), max_size=3,
        unique=True,
    ),
    half=st.booleans(),
)  # fmt: skip
def test_whatever_the_channels_no_answer_changes(
    channels: list[int], between: list[str], half: bool
) -> None:
    plain = network(*channels, between=tuple(between), half=half)
    (before,), (after,) = answers(plain), answers(widened(plain))
    assert before.shape == after.shape
    assert np.allclose(before, after, rtol=1e-4, atol=1e-4 * max(1, np.abs(before).max()))


@x86_64
@pytest.mark.parametrize("form", [{"half": True}, {"plain_floats": True}, {"between": ()}])
def test_weights_in_each_form_are_widened(form: dict[str, Any]) -> None:
    plain = network(30, 30, **form)
    wide = widened(plain)
    assert [30, 32, 3, 3] in shapes(wide).values()
    assert np.allclose(answers(plain)[0], answers(wide)[0], atol=1e-4)


@x86_64
def test_a_row_of_convolutions_is_widened_all_along() -> None:
    plain = network(30, 46, 30)
    wide = widened(plain)
    assert shapes(wide)["w1"] == [48, 32, 3, 3]
    assert np.allclose(answers(plain)[0], answers(wide)[0], atol=1e-4)


@pytest.mark.parametrize("channels", [(32, 32), (3, 8), (18, 18), (34, 34), (30,)])
def test_networks_that_win_nothing_stay_as_they_are(channels: tuple[int, ...]) -> None:
    plain = network(*channels)
    assert widened(plain) is plain


def test_the_shipped_packs_stay_as_they_are() -> None:
    for name in ("blood-cell", "marrow-cell"):
        shipped = (find_pack(name) / "model.onnx").read_bytes()
        assert widened(shipped) is shipped


def _answers_the_middle(model: onnx.ModelProto) -> None:
    middle = helper.make_tensor_value_info("Relu0", TensorProto.FLOAT, ["N", 30, SIDE_PX, SIDE_PX])
    model.graph.output.append(middle)


def _uses_the_middle_twice(model: onnx.ModelProto) -> None:
    model.graph.node.append(helper.make_node("ReduceMean", ["Relu0"], ["mean"]))


def _shares_the_kernels(model: onnx.ModelProto) -> None:
    model.graph.node.append(helper.make_node("ReduceMean", ["w1"], ["mean"]))


def _lets_the_caller_give_the_kernels(model: onnx.ModelProto) -> None:
    given = helper.make_tensor_value_info("w0", TensorProto.FLOAT, [30, 3, 3, 3])
    model.graph.input.append(given)


def _takes_groups(model: onnx.ModelProto) -> None:
    second = [node for node in model.graph.node if node.op_type == "Conv"][1]
    second.attribute.append(helper.make_attribute("group", 30))
    kernels = next(each for each in model.graph.initializer if each.name == "w1")
    kernels.CopyFrom(numpy_helper.from_array(np.ones((30, 1, 3, 3), np.float32), "w1"))


def _has_a_branch(model: onnx.ModelProto) -> None:
    one = helper.make_tensor("one", TensorProto.FLOAT, [], [1.0])
    body = helper.make_graph(
        [helper.make_node("Constant", [], ["out"], value=one)],
        "branch",
        [],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [])],
    )
    truth = helper.make_tensor("truth", TensorProto.BOOL, [], [True])
    model.graph.node.append(helper.make_node("Constant", [], ["yes"], value=truth))
    model.graph.node.append(
        helper.make_node("If", ["yes"], ["either"], then_branch=body, else_branch=body)
    )


@pytest.mark.parametrize(
    "more",
    [
        _answers_the_middle, _uses_the_middle_twice, _shares_the_kernels,
        _lets_the_caller_give_the_kernels, _takes_groups, _has_a_branch,
    ],
)  # fmt: skip
def test_where_somebody_else_looks_at_the_channels_nothing_is_added(more: Any) -> None:
    plain = network(30, 30, more=more)
    assert widened(plain) is plain
    answers(plain)  # ONNX Runtime takes it: the test asks about a real network


@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_damaged_networks_never_raise(data: st.DataObject) -> None:
    whole = bytearray(network(30, 30))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, 400))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(whole)))
    assert isinstance(widened(bytes(whole[:cut] if data.draw(st.booleans()) else whole)), bytes)


@settings(max_examples=100)
@given(st.binary(max_size=200))
def test_bytes_that_are_no_network_come_back(data: bytes) -> None:
    assert widened(data) == data


def test_nodes_without_inputs_and_dimensions_below_one_are_left_alone() -> None:
    def hollow(model: onnx.ModelProto) -> None:
        for node in model.graph.node:
            if node.op_type == "Relu":
                del node.input[:]
                break

    def negative(model: onnx.ModelProto) -> None:
        model.graph.initializer[0].dims[:] = [-30, -3, 3, 3]

    for change in (hollow, negative):
        broken = network(30, 30, more=change)
        assert widened(broken) is broken

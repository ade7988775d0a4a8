"""Keras `.h5` files become packs without TensorFlow; each layer against the same in PyTorch."""

from __future__ import annotations

import json
import zipfile
from io import BytesIO
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812  everybody's name for it

from firstread.datasets import open_dataset
from firstread.domain.errors import ModelRefused
from firstread.evaluation import evaluate
from firstread.importing.keras_model import keras_to_onnx
from firstread.runtime import open_reader
from firstread.runtime.session import Session
from tests.importing.models_for_tests import SIDE_PX, KerasMade, by_recipe, imported


def asked(file: bytes, pictures: np.ndarray) -> np.ndarray:
    import onnxruntime as ort

    session = ort.InferenceSession(keras_to_onnx(file))
    return session.run(None, {"picture": pictures.astype(np.float32)})[0]


def pixels(*, side_px: int = SIDE_PX, count: int = 3, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(0, 1, (count, side_px, side_px, 3)).astype(np.float32)


def planes(pictures: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)))


def drawn(*shape: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.3, shape).astype(np.float32)


def kernels(keras: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(keras.transpose(3, 2, 0, 1)))


def same(file: bytes, pictures: np.ndarray, expected: torch.Tensor) -> None:
    found = asked(file, pictures)
    assert found.shape == tuple(expected.shape)
    assert np.abs(found - expected.numpy()).max() < 1e-4


def flat(x: torch.Tensor) -> torch.Tensor:
    """As Keras lays pictures flat: channels last."""
    return x.permute(0, 2, 3, 1).flatten(1)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("strides", [1, 2, 3])
@pytest.mark.parametrize("side_px", [12, 13])
def test_a_convolution_pads_as_keras_does(padding, strides, side_px):
    made, weight, bias = KerasMade((side_px, side_px, 3)), drawn(3, 3, 3, 5), drawn(5)
    said = {"strides": [strides, strides], "padding": padding, "activation": "relu"}
    made.add("Conv2D", said, kernel=weight, bias=bias)
    made.add("Flatten")
    given = pixels(side_px=side_px)
    x = planes(given)
    if padding == "same":
        total = max((-(-side_px // strides) - 1) * strides + 3 - side_px, 0)
        x = F.pad(x, (total // 2, total - total // 2) * 2)
    same(
        made.sequential(),
        given,
        flat(F.relu(F.conv2d(x, kernels(weight), torch.from_numpy(bias), strides))),
    )


@pytest.mark.parametrize("kind", ["MaxPooling2D", "AveragePooling2D"])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_pooling_leaves_the_padding_out_of_the_mean(kind, padding):
    made = KerasMade((13, 13, 3))
    made.add(kind, {"pool_size": [2, 2], "strides": None, "padding": padding})
    made.add("Flatten")
    given = pixels(side_px=13)
    ceil = padding == "same"
    pool = F.max_pool2d if kind.startswith("Max") else F.avg_pool2d
    more = {} if kind.startswith("Max") else {"count_include_pad": False}
    same(made.sequential(), given, flat(pool(planes(given), 2, 2, ceil_mode=ceil, **more)))


def test_depthwise_separable_and_normalised_layers_answer_as_elsewhere():
    made = KerasMade()
    deep, point = drawn(3, 3, 3, 2), drawn(1, 1, 6, 4, seed=2)
    mean, variance, gamma, beta = (
        drawn(4),
        np.abs(drawn(4, seed=3)) + 0.5,
        drawn(4, seed=4),
        drawn(4, seed=5),
    )
    made.add(
        "SeparableConv2D",
        {"padding": "same", "strides": [2, 2]},
        depthwise_kernel=deep,
        pointwise_kernel=point,
        bias=drawn(4, seed=6),
    )
    made.add(
        "BatchNormalization",
        {"axis": [3], "epsilon": 0.01},
        moving_mean=mean,
        moving_variance=variance,
        gamma=gamma,
        beta=beta,
    )
    again = drawn(3, 3, 4, 1, seed=7)
    made.add("DepthwiseConv2D", {"use_bias": False}, depthwise_kernel=again)
    made.add("GlobalAveragePooling2D")
    given = pixels()
    x = F.pad(planes(given), (0, 1, 0, 1))
    x = F.conv2d(
        x, torch.from_numpy(deep.transpose(2, 3, 0, 1).reshape(6, 1, 3, 3)), stride=2, groups=3
    )
    x = F.conv2d(x, kernels(point), torch.from_numpy(drawn(4, seed=6)))
    held = [torch.from_numpy(each) for each in (mean, variance, gamma, beta)]
    x = F.batch_norm(x, *held, eps=0.01)
    x = F.conv2d(x, torch.from_numpy(again.transpose(2, 3, 0, 1).reshape(4, 1, 3, 3)), groups=4)
    same(made.sequential(), given, x.mean((2, 3)))


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("relu", F.relu), ("relu6", F.relu6), ("sigmoid", torch.sigmoid), ("tanh", torch.tanh),
        ("elu", F.elu), ("selu", F.selu), ("softplus", F.softplus), ("swish", F.silu),
        ("gelu", F.gelu), ("linear", lambda x: x), ("softmax", lambda x: x.softmax(1)),
        ("hard_sigmoid", lambda x: (0.2 * x + 0.5).clamp(0, 1)), ("exponential", torch.exp),
    ],
)  # fmt: skip
def test_an_activation_bends_as_in_keras(name, function):
    made = KerasMade()
    made.add("GlobalAveragePooling2D")
    weight = drawn(3, 4) * 5
    made.add("Dense", {"activation": name}, kernel=weight, bias=drawn(4))
    given = pixels()
    x = planes(given).mean((2, 3)) @ torch.from_numpy(weight) + torch.from_numpy(drawn(4))
    same(made.sequential(), given, function(x))


def test_layers_of_their_own_for_activations_scaling_and_padding():
    made = KerasMade()
    made.add("Rescaling", {"scale": 0.5, "offset": -1.0})
    made.add("ZeroPadding2D", {"padding": [[1, 0], [2, 1]]})
    made.add("Conv2D", {}, kernel=drawn(3, 3, 3, 4), bias=drawn(4))
    made.add("LeakyReLU", {"alpha": 0.1})
    made.add("ReLU", {"max_value": 1.0, "threshold": 0.0})
    made.add("Dropout", {"rate": 0.5})
    made.add("GlobalMaxPooling2D")
    made.add("Reshape", {"target_shape": [1, 1, 4]})
    made.add("Flatten")
    made.add("Dense", {"activation": "softmax", "use_bias": False}, kernel=drawn(4, 3))
    given = pixels()
    x = F.pad(planes(given) * 0.5 - 1, (2, 1, 1, 0))
    x = F.conv2d(x, kernels(drawn(3, 3, 3, 4)), torch.from_numpy(drawn(4)))
    x = F.leaky_relu(x, 0.1).clamp(0, 1).amax((2, 3)) @ torch.from_numpy(drawn(4, 3))
    same(made.sequential(), given, x.softmax(1))


def test_a_functional_model_adds_and_joins():
    made = KerasMade()
    first, second = drawn(3, 3, 3, 4), drawn(3, 3, 3, 4, seed=2)
    a = made.add("Conv2D", {"padding": "same"}, kernel=first)
    b = made.add("Conv2D", {"padding": "same"}, kernel=second)
    c, d = made.add("Add"), made.add("Concatenate", {"axis": -1})
    e = made.add("GlobalAveragePooling2D")
    follows = {a: ["input"], b: ["input"], c: [a, b], d: [c, a], e: [d]}
    layers = [
        {
            "name": "input",
            "class_name": "InputLayer",
            "config": {"batch_input_shape": [None, SIDE_PX, SIDE_PX, 3], "name": "input"},
            "inbound_nodes": [],
        }
    ]
    for each in made.layers:
        each["config"].pop("batch_input_shape", None)
        name = each["config"]["name"]
        nodes = [[[source, 0, 0, {}] for source in follows[name]]]
        layers.append({**each, "name": name, "inbound_nodes": nodes})
    inner = {"layers": layers, "input_layers": [["input", 0, 0]], "output_layers": [[e, 0, 0]]}
    given = pixels()
    one, two = (F.conv2d(planes(given), kernels(k), padding=1) for k in (first, second))
    file = made.file({"class_name": "Model", "config": inner})
    same(file, given, torch.cat([one + two, one], 1).mean((2, 3)))


def test_a_flat_head_over_all_places_has_an_exact_map(tmp_path):
    made = KerasMade()
    made.add("Conv2D", {"activation": "relu"}, kernel=drawn(3, 3, 3, 4) / 50, bias=drawn(4))
    made.add("MaxPooling2D", {"pool_size": [2, 2]})
    made.add("Dropout", {"rate": 0.3})
    made.add("Flatten")
    bias = np.array([1, 2, 3], np.float32)
    made.add("Dense", {"activation": "softmax"}, kernel=drawn(100, 3), bias=bias)
    (tmp_path / "model.h5").write_bytes(made.sequential())
    pack = imported(tmp_path / "model.h5", tmp_path)
    session = Session(pack.folder / "model.onnx", kind="image")
    shown = np.random.default_rng(0).integers(0, 256, (2, SIDE_PX, SIDE_PX, 3), np.uint8)
    found = session.run(shown)
    assert found["evidence"].shape == (2, 3, 5, 5)
    assert np.abs(found["evidence"].mean((2, 3)) + bias - found["logits"]).max() < 1e-3
    assert found["embedding"].shape == (2, 4)


def test_an_unknown_layer_is_named_and_code_is_never_run(tmp_path):
    for kind, why in [
        ("LSTM", "it is not known"),
        ("Lambda", "it holds program code, which is never run"),
    ]:
        made = KerasMade()
        made.add("GlobalAveragePooling2D")
        name = made.add(kind, {"function": ["4wEAAAA=", None, None]})
        with pytest.raises(ModelRefused, match=f"'{name}' \\({kind}\\) cannot be imported: {why}"):
            keras_to_onnx(made.sequential())


def test_damaged_and_hostile_files_get_one_sentence(tmp_path):
    made = KerasMade()
    made.add("GlobalAveragePooling2D")
    made.add("Dense", {}, kernel=drawn(3, 2), bias=drawn(2))
    whole = made.sequential()
    with pytest.raises(ModelRefused, match="cannot be opened as HDF5"):
        keras_to_onnx(whole[: len(whole) // 2])
    made.weights["dense_2"]["kernel"] = np.full((3, 2), np.nan)
    with pytest.raises(ModelRefused, match="not all finite"):
        keras_to_onnx(made.sequential())
    made.weights["dense_2"]["kernel"] = drawn(5, 2)
    with pytest.raises(ModelRefused, match="do not fit what it is given"):
        keras_to_onnx(made.sequential())
    made.weights["dense_2"] = {}
    with pytest.raises(ModelRefused, match="its weights 'kernel' are missing"):
        keras_to_onnx(made.sequential())
    with pytest.raises(ModelRefused, match="model_config of this Keras file is damaged"):
        keras_to_onnx(changed(whole, b"{not json"))
    with pytest.raises(ModelRefused, match="is a 'Secret', whose Python code"):
        keras_to_onnx(changed(whole, json.dumps({"class_name": "Secret", "config": {}}).encode()))


def test_a_small_file_that_promises_too_many_weights_is_refused(monkeypatch):
    monkeypatch.setattr("firstread.importing.keras_file.MOST_NUMBERS", 1_000_000)
    made = KerasMade()
    made.add("GlobalAveragePooling2D")
    made.add("Dense", {}, kernel=drawn(3, 2), bias=drawn(2))
    held = BytesIO(made.sequential())
    with h5py.File(held, "r+") as file:
        for number in range(4):
            file["model_weights"].create_dataset(f"more{number}", shape=(400_000,), dtype="f4")
    assert len(held.getvalue()) < 100_000
    with pytest.raises(ModelRefused, match="too many for a pack"):
        keras_to_onnx(held.getvalue())


def test_a_file_that_links_to_others_is_refused(tmp_path):
    other = tmp_path / "other.h5"
    with h5py.File(other, "w") as file:
        file["kernel:0"] = drawn(3, 2)
    made = KerasMade()
    made.add("GlobalAveragePooling2D")
    made.add("Dense", {}, bias=drawn(2))
    held = BytesIO(made.sequential())
    with h5py.File(held, "r+") as file:
        place = file["model_weights/dense_2/dense_2"]
        place["kernel:0"] = h5py.ExternalLink(str(other), "kernel:0")
    with pytest.raises(ModelRefused, match="links to other files"):
        keras_to_onnx(held.getvalue())


def changed(file: bytes, config: bytes) -> bytes:
    held = BytesIO(file)
    with h5py.File(held, "r+") as opened:
        opened.attrs["model_config"] = config
    return held.getvalue()


@pytest.mark.data
def test_the_retina_model_answers_as_its_weights_do_in_torch(data_folder, tmp_path):
    with h5py.File(data_folder / "retina-oct" / "retina_OCT.h5") as file:
        held = file["model_weights"]

        def of(name: str, what: str) -> np.ndarray:
            return held[f"{name}/{name}/{what}:0"][()]

        given = np.random.default_rng(0).integers(0, 256, (3, 128, 128, 3), np.uint8)
        x = planes(given.astype(np.float32)) / 255
        for number in (1, 2, 3, 4):
            name = f"conv2d_{number}"
            bias = torch.from_numpy(of(name, "bias"))
            x = F.max_pool2d(F.relu(F.conv2d(x, kernels(of(name, "kernel")), bias)), 2)
        expected = flat(x).numpy() @ of("dense_1", "kernel") + of("dense_1", "bias")
    pack = retina(data_folder, tmp_path)
    found = Session(pack / "model.onnx", kind="image").run(given)["logits"]
    assert np.abs(found - expected).max() < 1e-4


@pytest.mark.data
def test_the_retina_model_is_measured_on_the_open_scans(data_folder, tmp_path):
    samples = data_folder / "retina-oct" / "samples"
    pack = retina(data_folder, tmp_path, labelled=open_dataset(samples))
    reader = open_reader(pack)
    scans = sorted(samples.iterdir())
    right = sum(
        reader.read(scan.read_bytes()).read.label == scan.name.partition("-")[0] for scan in scans
    )
    assert (right, len(scans)) == (19, 21)  # as docs/importing.md says
    accuracy = next(each for each in reader.manifest.results if each.metric == "accuracy")
    assert (accuracy.n, round(accuracy.value * accuracy.n)) == (len(scans), right)
    area = next(each for each in reader.manifest.results if each.metric.startswith("AUC"))
    told = evaluate(reader, open_dataset(samples), threads=1, draws=20).figures["auc"]
    assert (area.low, area.high) == pytest.approx((told.low, told.high), abs=1e-4)  # by patient
    assert "too few to calibrate with" in (pack / "card.md").read_text()


def retina(data_folder, tmp_path, **wanted):
    """The pack that the shipped recipe makes of the real file."""
    file = data_folder / "retina-oct" / "retina_OCT.h5"
    return by_recipe(file, "retina-oct", out=tmp_path, **wanted)


MADE_BY_KERAS = sorted((Path(__file__).parent / "files").glob("keras-*.zip"))
"""Small models that Keras itself saved, with what it answers; see the README beside them."""
REFUSED = {
    "name-hard_tanh": "activation 'hard_tanh'", "name-celu": "activation 'celu'",
    "name-squareplus": "activation 'squareplus'", "softmax-axis-1": "another than that of the chan",
    "softmax-axis-2": "another than that of the chan", "prelu": "PReLU", "resize": "Resizing",
    "normal-row": "another axis than the channels", "up": "UpSampling2D",
    "called-training": "is called with training=True", "custom-dense": "mine>Dense",
    "arithmetic": "called with a value=2.0|TFOpLambda",
}  # fmt: skip
"""What is not converted, and what the sentence names."""


@pytest.mark.parametrize("made", MADE_BY_KERAS, ids=lambda path: path.stem)
def test_each_layer_answers_as_the_keras_that_wrote_it_or_is_refused_by_name(made):
    import onnxruntime as ort

    with zipfile.ZipFile(made) as files:
        answers = np.load(BytesIO(files.read("answers.npz")))
        converted = 0
        for name in set(answers.files) - {"pictures"}:
            file = files.read(f"{name}.h5")
            why = REFUSED.get(name)
            if name == "mean-pool" and made.stem.endswith("torch"):
                why = "other means at the rim"
            if why is not None:
                with pytest.raises(ModelRefused, match=why):
                    keras_to_onnx(file)
                continue
            session = ort.InferenceSession(keras_to_onnx(file))
            found = session.run(None, {"picture": answers["pictures"]})[0]
            assert np.abs(found - answers[name]).max() < 1e-4, name
            converted += 1
    assert converted >= 50


def test_a_file_that_does_not_say_its_keras_has_no_hard_sigmoid():
    made = KerasMade()
    made.add("GlobalAveragePooling2D")
    made.add("Activation", {"activation": "hard_sigmoid"})
    held = BytesIO(made.sequential())
    with h5py.File(held, "r+") as file:
        del file.attrs["keras_version"]
    with pytest.raises(ModelRefused, match="does not say which wrote it"):
        keras_to_onnx(held.getvalue())


@pytest.mark.parametrize(
    ("kind", "said", "held", "why"),
    [
        ("Conv2D", {"border_mode": "same"}, {"kernel": drawn(3, 3, 3, 4)}, "says 'border_mode'"),
        ("Dense", {"lora_rank": 4}, {"kernel": drawn(432, 4)}, "says 'lora_rank'"),
        ("Dense", {}, {"kernel": drawn(432, 4), "kernel_scale": drawn(4)},
         "weights 'kernel_scale'"),
        ("Dense", {"dtype": {"config": {"name": "int8_from_float32"}}},
         {"kernel": drawn(432, 4)}, "weights are quantised"),
        ("LeakyReLU", {}, {}, "does not say its slope"),
        ("ReLU", {"threshold": 2.0, "max_value": 1.0}, {}, "max_value lies below"),
        ("Rescaling", {"scale": [1.0, 2.0], "offset": 0.0}, {}, "holds 2 numbers for"),
        ("Dense", {"activation": {"class_name": "function", "config": "relu"}},
         {"kernel": drawn(432, 4)}, "activation 'relu'"),
    ],
)  # fmt: skip
def test_what_a_layer_says_or_holds_is_never_passed_over(kind, said, held, why):
    made = KerasMade()
    if kind == "Dense":
        made.add("Flatten")
    made.add(kind, said, **held)
    with pytest.raises(ModelRefused, match=why):
        keras_to_onnx(made.sequential())


def test_numbers_are_read_as_the_oldest_keras_wrote_them():
    made = KerasMade()
    said = {
        "max_value": {"type": "ndarray", "value": 1.5},
        "negative_slope": {"class_name": "__numpy__", "config": {"value": 0.5}},
    }
    made.add("ReLU", said)
    made.add("Flatten")
    given = pixels()
    same(made.sequential(), given, flat(F.leaky_relu(planes(given), 0.5).clamp(max=1.5)))


def test_two_layers_of_one_name_within_one_model_are_refused():
    made = KerasMade()
    made.add("GlobalAveragePooling2D")
    made.add("Dense", {}, kernel=drawn(3, 2), bias=drawn(2))
    held = BytesIO(made.sequential())
    with h5py.File(held, "r+") as file:
        file["model_weights/dense_2/other/dense_2/kernel"] = drawn(3, 2)
    with pytest.raises(ModelRefused, match="called 'dense_2/dense_2'"):
        keras_to_onnx(held.getvalue())


def test_a_model_of_two_inputs_is_refused():
    layers = [
        {"name": name, "class_name": "InputLayer", "inbound_nodes": [],
         "config": {"batch_input_shape": [None, SIDE_PX, SIDE_PX, 3], "name": name}}
        for name in ("left", "right")
    ]  # fmt: skip
    config = {"layers": layers, "output_layers": [["left", 0, 0]]}
    with pytest.raises(ModelRefused, match="takes 2 inputs"):
        keras_to_onnx(KerasMade().file({"class_name": "Functional", "config": config}))

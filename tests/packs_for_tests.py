"""Tiny packs with a real network, made in milliseconds, for every test that reads a sample."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from msgspec.structs import replace
from onnx import TensorProto, helper, numpy_helper

from firstread.imaging import decode
from firstread.packs import (
    PICTURE,
    About,
    Calibration,
    Conformal,
    DatasetUsed,
    FamiliarityReference,
    Golden,
    Group,
    Input,
    Label,
    Manifest,
    Measurement,
    MeasurementsModel,
    OperatingPoint,
    Provenance,
    QualityLimits,
    RecordingInput,
    Result,
    Twin,
    open_manifest,
    seal,
    write_manifest,
)
from firstread.runtime.prepare import prepare
from firstread.runtime.read import PackReader
from firstread.runtime.session import Session
from tests.hearts_for_tests import recording_zip
from tests.images_for_tests import as_png, cell

SIDE_PX = 32
COLOURS = {"red": (200, 60, 60), "green": (60, 200, 60), "blue": (60, 60, 200)}
"""The image pack's labels: each is what the mean colour of the picture is nearest to."""
CODES = ("size", "shape", "nuclei")
"""The measurements of the measurements pack, 1 to 10; `nuclei` may be missing."""

LABELS = (
    Label(code="red", title="Red cell", positive=True, priority="stat"),
    Label(code="green", title="Green cell", positive=False),
    Label(code="blue", title="Blue cell", positive=False),
)
LABELS_WITH_UNFIT = (
    Label(code="red", title="Red cell", positive=True, priority="stat"),
    Label(code="green", title="Green cell", positive=False),
    Label(code="blue", title="Unidentifiable", positive=False, unfit=True),
)

THOUSAND = tuple(
    Label(code=f"thing-{n:03}", title=f"Thing {n}", positive=n == 7) for n in range(1000)
)
"""As many labels as ImageNet has; one of them raises the alarm."""

WARM = Group(
    code="warm", title="Warm cell", labels=("red", "green"), positive=True, priority="urgent"
)


def make_pack(
    folder: Path,
    *,
    kind: str = "image",
    name: str | None = None,
    check: str | None = None,
    version: str = "1.0.0",
    labels: Sequence[Label] = LABELS,
    many: bool = True,
    one: str = "cell",
    gain: float = 8.0,
    groups: Sequence[Group] = (),
) -> Path:
    """A sealed pack of `kind` image or measurements; returns its folder, `folder`/NAME.

    An image pack says which of red, green and blue the picture's mean colour is (`labels` gives
    their codes, in that order); more `labels` than three are some mixture each, and there is no
    finding set, as of an imported model. `gain` makes it surer: give two packs different gains and
    their answers differ. A measurements pack says malignant where the three measurements are high.
    Positive `groups` raise the alarm from 0.3 on, as positive labels do.
    """
    name = name or ("colour" if kind == "image" else "sizes")
    pack = folder / name
    (pack / "golden").mkdir(parents=True)
    if kind == "image":
        manifest = _image_pack(pack, labels=labels, many=many, gain=gain)
    else:
        manifest = _measurements_pack(pack)
    about = About(
        name=name,
        version=version,
        check=check or ("leukaemia" if kind == "image" else "breast-cytology"),
        kind=kind,  # type: ignore[arg-type]
        title=f"Test pack {name}",
        licence="Apache-2.0",
        intended_use="For tests only.",
        limits="Knows colours, and no cells.",
        many=many if kind == "image" else False,
        one=one if kind == "image" else PICTURE,
    )
    points = manifest.pop("operating_points")
    points += _points_of(groups)
    told = {"pack": about, "groups": tuple(groups), "operating_points": points}
    write_manifest(Manifest(**manifest, **told), pack)
    (pack / "card.md").write_text(f"# Test pack {name}\n\nFor tests only.\n", encoding="utf-8")
    seal(pack)
    return pack


def give_twin(pack: Path) -> Path:
    """Gives an image pack a twin that is a little surer, so that their answers differ."""
    surer = make_pack(pack.parent / f".surer-{pack.name}", gain=8.5)
    shutil.copyfile(surer / "model.onnx", pack / "model.int8.onnx")
    manifest = open_manifest(pack)
    twin = Twin(
        precision="int8",
        network="model.int8.onnx",
        times_as_fast=1.5,
        measured_on="test part of drawn, n = 60; here",
        golden=open_manifest(surer).golden,
        results=manifest.results,
    )
    write_manifest(replace(manifest, twin=twin), pack)
    seal(pack)
    return pack


BEATS = (
    Label(code="N", title="Normal", positive=False),
    Label(code="S", title="Supraventricular ectopic", positive=True, priority="urgent"),
    Label(code="V", title="Ventricular ectopic", positive=True, priority="asap"),
)
"""The recording pack's labels: V is a beat that is unlike its recording's typical one."""


def make_recording_pack(folder: Path, *, name: str = "beats", check: str = "heartbeat") -> Path:
    """A sealed pack of kind recording; returns its folder, `folder`/NAME.

    It names a beat V where it differs much from the recording's typical beat, else N, never S.
    """
    pack = folder / name
    (pack / "golden").mkdir(parents=True)
    given = RecordingInput(
        leads=2,
        preferred=("MLII", "V1"),
        rate_hz=90.0,
        before_s=0.4,
        after_s=0.6,
        beats_around=4,
        alarm_beats=1,
        min_length_s=5.0,
    )
    onnx.save(_beat_network(), str(pack / "model.onnx"))
    (pack / "golden/01.zip").write_bytes(recording_zip(wide=(4, 9)))
    shared = _shared(labels=BEATS, golden=[Golden(sample="golden/01.zip", logits=(0.0, 0.0, 0.0))])
    about = About(
        name=name,
        version="1.0.0",
        check=check,
        kind="recording",
        title=f"Test pack {name}",
        licence="Apache-2.0",
        intended_use="For tests only.",
        limits="Knows drawn hearts.",
        many=False,
    )
    manifest = Manifest(**shared | {"pack": about, "recording": given, "conformal": None})
    (pack / "card.md").write_text(f"# Test pack {name}\n\nFor tests only.\n", encoding="utf-8")
    reader = PackReader(
        manifest=manifest,
        pack_sha256="0" * 64,
        network=Session(pack / "model.onnx", kind="recording"),
        neighbours=None,
    )
    logits = tuple(reader.read(recording_zip(wide=(4, 9))).logits.tolist())
    golden = (Golden(sample="golden/01.zip", logits=logits),)
    write_manifest(replace(manifest, golden=golden), pack)
    seal(pack)
    return pack


def _image_pack(pack: Path, *, labels: Sequence[Label], many: bool, gain: float) -> dict[str, Any]:
    onnx.save(_colour_network(gain=gain, count=len(labels)), str(pack / "model.onnx"))
    given = Input(
        width_px=SIDE_PX, height_px=SIDE_PX, colour="rgb", fit="crop", interpolation="bilinear"
    )
    session = Session(pack / "model.onnx", kind="image")
    golden = []
    for number, colour in enumerate(COLOURS, start=1):
        file = f"golden/{number:02}.png"
        data = as_png(cell(colour, seed=number))
        (pack / file).write_bytes(data)
        logits = session.run(prepare(decode(data), given)[np.newaxis])["logits"][0]
        golden.append(Golden(sample=file, logits=tuple(logits.tolist())))
    embeddings = np.concatenate(
        [
            session.run(prepare(cell(colour, seed=seed), given)[np.newaxis])["embedding"]
            for colour in COLOURS
            for seed in range(20)
        ]
    )
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    np.save(pack / "familiarity.npy", embeddings.astype(np.float16))
    told = _shared(labels=labels, golden=golden)
    if len(labels) > len(COLOURS):
        told["conformal"] = None
    return told | {
        "input": given,
        "quality": QualityLimits(
            min_sharpness=3.0, min_brightness=30.0, max_brightness=250.0, min_contrast=4.0
        ),
        "familiarity": FamiliarityReference(
            on="embedding",
            method="knn",
            k=5,
            reference="familiarity.npy",
            quantiles=tuple(np.linspace(0.0, 0.01, 101).tolist()),
            threshold=0.02,
        ),
    }


def _measurements_pack(pack: Path) -> dict[str, Any]:
    onnx.save(_additive_network(), str(pack / "model.onnx"))
    session = Session(pack / "model.onnx", kind="measurements")
    golden = []
    for number, row in enumerate(([1, 1, 1], [9, 8, 10], [5, 5, None]), start=1):
        file = f"golden/{number:02}.json"
        values = {code: v for code, v in zip(CODES, row, strict=True) if v is not None}
        (pack / file).write_text(json.dumps(values), encoding="utf-8")
        array = np.array([[np.nan if v is None else v for v in row]], dtype=np.float32)
        golden.append(Golden(sample=file, logits=tuple(session.run(array)["logits"][0].tolist())))
    grid = np.array(np.meshgrid(*[[-1.0, 0.0, 1.0]] * 3)).reshape(3, -1).T
    np.save(pack / "familiarity.npy", grid.astype(np.float32))
    labels = (
        Label(code="benign", title="Benign", positive=False),
        Label(code="malignant", title="Malignant", positive=True, priority="urgent"),
    )
    return _shared(labels=labels, golden=golden) | {
        "measurements": tuple(
            Measurement(
                code=code,
                title=f"Cell {code}",
                help=f"how even the {code} is: 1 even, 10 uneven",
                unit="score",
                minimum=1.0,
                maximum=10.0,
                may_be_missing=code == "nuclei",
            )
            for code in CODES
        ),
        "measurements_model": MeasurementsModel(bias=(0.25, -0.25)),
        "familiarity": FamiliarityReference(
            on="measurements",
            method="knn",
            k=3,
            reference="familiarity.npy",
            centre=(5.0, 5.0, 5.0),
            scale=(3.0, 3.0, 3.0),
            quantiles=tuple(np.linspace(0.0, 2.0, 101).tolist()),
            threshold=1.8,
        ),
    }


def _shared(*, labels: Sequence[Label], golden: list[Golden]) -> dict[str, Any]:
    return {
        "format": 1,
        "labels": tuple(labels),
        "operating_points": _points_of(labels),
        "calibration": Calibration(method="temperature", temperature=1.5),
        "conformal": Conformal(method="lac", coverage=0.95, threshold=0.8),
        "results": (Result(set="test", n=60, metric="accuracy", value=0.9, low=0.8, high=0.95),),
        "provenance": Provenance(
            datasets=(DatasetUsed(name="drawn", sha256="0" * 64, n=60, licence="Apache-2.0"),),
            recipe="tests/packs_for_tests.py",
            seed=1,
            trained_at="2026-11-20",
            software={"onnx": onnx.__version__},
        ),
        "golden": tuple(golden),
    }


def _points_of(answers: Sequence[Label] | Sequence[Group]) -> tuple[OperatingPoint, ...]:
    return tuple(
        OperatingPoint(
            label=each.code,
            threshold=0.3,
            sensitivity=0.95,
            specificity=0.9,
            measured_on="validation, n = 60",
        )
        for each in answers
        if each.positive
    )


def _colour_network(*, gain: float, count: int) -> onnx.ModelProto:
    """Pixels -> 0..1 -> colour planes as evidence -> their means -> logits."""
    mixes = np.eye(3, dtype=np.float32) * 1.5 - 0.5  # each colour against the two others
    drawn = np.random.default_rng(0).normal(0, 0.4, (count - 3, 3)).astype(np.float32)
    mixes = np.concatenate([mixes, drawn])
    constants = {
        "scale": np.array(1 / 255, dtype=np.float32),
        "mixes": (gain * mixes).reshape(count, 3, 1, 1),
        "shape": np.array([0, -1], dtype=np.int64),
        "axes": np.array([2, 3], dtype=np.int64),
    }
    nodes = [
        helper.make_node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["float", "scale"], ["unit"]),
        helper.make_node("Transpose", ["unit"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("AveragePool", ["planes"], ["small"], kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node("Conv", ["small", "mixes"], ["evidence"]),
        helper.make_node("ReduceMean", ["evidence", "axes"], ["logits"], keepdims=0),
        helper.make_node("GlobalAveragePool", ["small"], ["pooled"]),
        helper.make_node("Reshape", ["pooled", "shape"], ["embedding"]),
    ]
    side = SIDE_PX // 4
    return _model(
        nodes,
        given=("image", TensorProto.UINT8, ["n", SIDE_PX, SIDE_PX, 3]),
        gives={"logits": ["n", count], "embedding": ["n", 3], "evidence": ["n", count, side, side]},
        constants=constants,
    )


def _beat_network() -> onnx.ModelProto:
    """How far each fifth of a tenth of a second lies from the typical beat; far is V."""
    constants = {
        "beat": np.array([0], dtype=np.int64),
        "typical": np.array([2], dtype=np.int64),
        "rest": np.array([4], dtype=np.int64),
        "one": np.array([1], dtype=np.int64),
        "both": np.array([1, 2], dtype=np.int64),
        "for": np.array([-1, 0, 1], dtype=np.float32).reshape(1, 3, 1),
        "gain": np.array([[-24, 0, 24]], dtype=np.float32),
        "bias": np.array([[4, -4, -4]], dtype=np.float32),
        "shape": np.array([0, -1], dtype=np.int64),
    }
    nodes = [
        helper.make_node("Slice", ["signal", "beat", "typical", "one"], ["own"]),
        helper.make_node("Slice", ["signal", "typical", "rest", "one"], ["usual"]),
        helper.make_node("Sub", ["own", "usual"], ["apart"]),
        helper.make_node("Abs", ["apart"], ["far"]),
        helper.make_node("ReduceMean", ["far", "one"], ["mean"], keepdims=1),
        helper.make_node("AveragePool", ["mean"], ["small"], kernel_shape=[5], strides=[5]),
        helper.make_node("Mul", ["small", "for"], ["evidence"]),
        helper.make_node("ReduceMean", ["small", "both"], ["most"], keepdims=0),
        helper.make_node("Unsqueeze", ["most", "one"], ["column"]),
        helper.make_node("Mul", ["column", "gain"], ["scaled"]),
        helper.make_node("Add", ["scaled", "bias"], ["logits"]),
        helper.make_node("Reshape", ["small", "shape"], ["embedding"]),
    ]
    return _model(
        nodes,
        given=("signal", TensorProto.FLOAT, ["n", 5, 90]),
        gives={"logits": ["n", 3], "embedding": ["n", 18], "evidence": ["n", 3, 18]},
        constants=constants,
    )


def _additive_network() -> onnx.ModelProto:
    """Each measurement's distance from 5 pulls to benign or malignant; a missing one adds 0."""
    constants = {
        "five": np.array(5, dtype=np.float32),
        "zero": np.array(0, dtype=np.float32),
        "weights": np.array([[[-0.4, -0.3, -0.2], [0.4, 0.3, 0.2]]], dtype=np.float32),
        "bias": np.array([0.25, -0.25], dtype=np.float32),
        "middle": np.array([1], dtype=np.int64),
        "last": np.array([2], dtype=np.int64),
    }
    nodes = [
        helper.make_node("IsNaN", ["measurements"], ["missing"]),
        helper.make_node("Sub", ["measurements", "five"], ["apart"]),
        helper.make_node("Where", ["missing", "zero", "apart"], ["filled"]),
        helper.make_node("Unsqueeze", ["filled", "middle"], ["rows"]),
        helper.make_node("Mul", ["rows", "weights"], ["contributions"]),
        helper.make_node("ReduceSum", ["contributions", "last"], ["sum"], keepdims=0),
        helper.make_node("Add", ["sum", "bias"], ["logits"]),
    ]
    return _model(
        nodes,
        given=("measurements", TensorProto.FLOAT, ["n", 3]),
        gives={"logits": ["n", 2], "contributions": ["n", 2, 3]},
        constants=constants,
    )


def _model(
    nodes: list[onnx.NodeProto],
    *,
    given: tuple[str, int, list[int | str]],
    gives: dict[str, list[int | str]],
    constants: dict[str, np.ndarray[Any, Any]],
) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(*given)],
        [helper.make_tensor_value_info(k, TensorProto.FLOAT, v) for k, v in gives.items()],
        initializer=[numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", 18)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    onnx.checker.check_model(model)
    return model

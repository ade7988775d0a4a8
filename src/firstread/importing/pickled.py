"""A pickled scikit-learn model becomes a network of measurements; the pickle is opened apart."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from msgspec import structs
from numpy.typing import NDArray
from onnx import TensorProto, compose, helper, numpy_helper

from firstread.domain.errors import BadConfiguration, ModelRefused, PackRefused
from firstread.importing.graph import INSIDE, IR_VERSION, OPSET, opened_model
from firstread.importing.own_names import labels_by, matched_columns
from firstread.importing.plan import Plan
from firstread.importing.written_network import Made
from firstread.packs import Measurement
from firstread.runtime.calibrate import probabilities
from firstread.runtime.session import Session

PATIENCE_S = 600
TOLERANCE = 1e-4
_APART = "firstread.importing.pickle_apart"
_ENVIRONMENT = ("PATH", "LANG", "LD_LIBRARY_PATH")
_KEEPS_ROWS = (
    "KNeighborsClassifier", "RadiusNeighborsClassifier", "SVC", "NuSVC",
    "GaussianProcessClassifier",
)  # fmt: skip
"""Models that carry rows of what they were trained on."""


def refuse_untrusted(*, trusted: bool) -> None:
    """Raises ModelRefused where nobody said that the pickle may be opened."""
    if not trusted:
        raise ModelRefused(
            "This is a pickle: a program that runs when it is opened. If you know who made it, say "
            "--i-trust-this-pickle; it is then opened once, in a process of its own that may not "
            "write, start programs or use the network. Packs never hold one."
        )


def look_into(data: bytes, plan: Plan) -> tuple[Plan, dict[str, Any]]:
    """Open the pickle apart: the plan with what the model says of itself, and the model as JSON.

    Raises ModelRefused where it is no classifier of scikit-learn, or would do something else, and
    BadConfiguration where more must be said.
    """
    told = _asked(data, plan)
    ordered = _as_the_file_says(plan, told)
    if ordered.measurements != plan.measurements:
        told = _asked(data, ordered)  # each column in its own range
    return replace(ordered, measurements=_measurements(ordered, told)), told


def _as_the_file_says(plan: Plan, told: dict[str, Any]) -> Plan:
    """The plan with its labels and measurements in the file's order; refuses what contradicts."""
    labels, how = labels_by(told["classes"], plan)
    says = [*plan.told, *how]
    measurements = plan.measurements
    if told["names"] and len(measurements) == len(told["names"]):
        columns = matched_columns(told["names"], [(each.code, each.title) for each in measurements])
        measurements = tuple(measurements[place] for place in columns.places)
        says.append(columns.told)
    return replace(
        plan, labels=labels, measurements=measurements, told=tuple(each for each in says if each)
    )


def _asked(data: bytes, plan: Plan) -> dict[str, Any]:
    low = [each.minimum for each in plan.measurements]
    high = [each.maximum for each in plan.measurements]
    if not plan.measurements and plan.span is not None:
        low, high = ([end] for end in plan.span)
    missing = [each.may_be_missing for each in plan.measurements]
    asked = json.dumps({"low": low, "high": high, "missing": missing})
    # One thread each: the number of processes may be limited, and a model is small.
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    alone = dict.fromkeys(threads, "1")
    kept = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    try:
        ran = subprocess.run(  # noqa: S603  our own program, by the interpreter that runs this one
            [sys.executable, "-I", "-m", _APART, asked],
            input=data,
            capture_output=True,
            env=kept | alone,
            timeout=PATIENCE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ModelRefused(
            f"The model was not opened within {PATIENCE_S // 60} minutes. Save a smaller one."
        ) from None
    try:
        told: dict[str, Any] = json.loads(ran.stdout)
    except ValueError:
        lines = ran.stderr.decode(errors="replace").strip().splitlines()
        if any("ModuleNotFoundError" in line for line in lines[-1:]):
            raise ModelRefused(
                "Opening a scikit-learn model needs the extra 'import'. Install it: "
                "pip install 'firstread[import]'"
            ) from None
        raise ModelRefused(
            "The process that opened the model ended without an answer"
            f" ({lines[-1][:160] if lines else f'exit code {ran.returncode}'}). Save it again."
        ) from None
    if "refused" in told:
        raise ModelRefused(
            f"The pickle asks for '{told['refused'][:120]}', which no classifier of scikit-learn "
            "needs. It was not opened further. Save a fitted classifier alone."
        )
    if "unusable" in told:
        raise ModelRefused(
            f"The model cannot become a pack: {told['unusable']}. Save a fitted classifier with "
            "predict_proba, or a linear one."
        )
    if "error" in told:
        raise ModelRefused(
            f"The model cannot be opened or converted: {told['error'][:300].rstrip('.')}. Save it "
            "again with the scikit-learn of this machine."
        )
    return told


def _measurements(plan: Plan, told: dict[str, Any]) -> tuple[Measurement, ...]:
    count = int(told["features"])
    fills = bool((told.get("linear") or {}).get("fill"))
    if plan.measurements:
        if len(plan.measurements) != count:
            raise BadConfiguration(
                f"The model takes {count} measurements, and {len(plan.measurements)} are named. "
                "Name them all, in the order of its columns."
            )
        if plan.span is None:  # a recipe says of each whether it may be missing
            return plan.measurements
        return tuple(structs.replace(each, may_be_missing=fills) for each in plan.measurements)
    if plan.span is None:
        raise BadConfiguration(
            f"It is not said which values the model's {count} measurements can have. Say --range "
            "LOWEST:HIGHEST, or give each its own in a recipe's [[measurement]]."
        )
    names = told["names"] or [f"m{number + 1}" for number in range(count)]
    low, high = plan.span
    return tuple(
        Measurement(
            code=re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_") or f"m{number + 1}",
            title=name.replace("_", " ").capitalize(),
            help="As in the model's training data.",
            unit="none",
            minimum=low,
            maximum=high,
            may_be_missing=fills,
        )
        for number, name in enumerate(names)
    )


def write_measurements_network(told: dict[str, Any], plan: Plan, *, path: Path) -> Made:
    """Write the network of what `look_into` found to `path`; the model's own answers are compared.

    Raises ModelRefused where it would answer differently.
    """
    linear = told.get("linear")
    classes = len(told["classes"])
    if linear is not None:
        model, bias = _sum(linear, classes=classes)
    else:
        model, bias = _wrapped(told, classes=classes), None
    path.write_bytes(model.SerializeToString(deterministic=True))
    rows = np.array(told["rows"], np.float32)
    expected = np.array(told["expected"], np.float64)
    try:
        session = Session(path, kind="measurements")
        logits = np.concatenate([session.run(row[np.newaxis])["logits"] for row in rows])
    except PackRefused as error:
        raise ModelRefused(f"ONNX Runtime cannot run what the importer made: {error}") from None
    apart = _difference(logits.astype(np.float64), expected, sure=told["probabilities"])
    if not apart <= TOLERANCE:
        raise ModelRefused(
            f"The pack's network would answer {apart:.2g} away from the model. Export it to ONNX "
            "yourself, or save it with the scikit-learn of this machine."
        )
    return Made(
        measurements=plan.measurements, bias=bias, missing="; ".join(_lacks(told)), apart=apart
    )


def _lacks(told: dict[str, Any]) -> list[str]:
    found = []
    if "linear" not in told:
        found.append(
            f"no contributions: a {told['kind']} is no sum over its measurements, so nobody can "
            "say what each of them adds"
        )
    if not told["probabilities"]:
        found.append(
            f"a {told['kind']} gives no probabilities; those shown are made of its margins"
        )
    if told["kind"] in _KEEPS_ROWS:
        found.append(
            f"a {told['kind']} carries rows that it was trained on: do not pass this pack on where "
            "they are patients' own"
        )
    return found


def _difference(logits: NDArray[Any], expected: NDArray[Any], *, sure: bool) -> float:
    if sure:
        return float(abs(probabilities(logits, temperature=1.0) - expected).max())
    told = logits[:, 1] - logits[:, 0] if expected.ndim == 1 else logits
    return float((abs(told - expected) / np.maximum(1, abs(expected).max())).max())


def _sum(linear: dict[str, Any], *, classes: int) -> tuple[onnx.ModelProto, tuple[float, ...]]:
    """The network whose logits are a bias plus what each measurement adds, and that bias."""
    weights = np.array(linear["weights"], np.float64)
    bias = np.array(linear["bias"], np.float64)
    if classes == 2:
        # Log odds z of the second: softmax of (-z / 2, z / 2) is (1 - sigmoid(z), sigmoid(z)).
        weights = np.concatenate([-weights / 2, weights / 2])
        bias = np.concatenate([-bias / 2, bias / 2])
    held: dict[str, NDArray[Any]] = {
        "weights": weights.astype(np.float32)[np.newaxis],
        "bias": bias.astype(np.float32),
        "middle": np.array([1], np.int64),
        "last": np.array([2], np.int64),
    }
    nodes = []
    filled = "measurements"
    if linear["fill"] is not None:
        held["fill"] = np.array(linear["fill"], np.float32)
        nodes += [
            helper.make_node("IsNaN", [filled], ["missing"]),
            helper.make_node("Where", ["missing", "fill", filled], ["filled"]),
        ]
        filled = "filled"
    nodes += [
        helper.make_node("Unsqueeze", [filled, "middle"], ["rows"]),
        helper.make_node("Mul", ["rows", "weights"], ["contributions"]),
        helper.make_node("ReduceSum", ["contributions", "last"], ["sums"], keepdims=0),
        helper.make_node("Add", ["sums", "bias"], ["logits"]),
    ]
    features = weights.shape[1]
    outputs: dict[str, list[int | str]] = {
        "logits": ["N", classes],
        "contributions": ["N", classes, features],
    }
    weights_held = [numpy_helper.from_array(value, name) for name, value in held.items()]
    model = _model(nodes, weights_held, features=features, outputs=outputs, ml=False)
    return model, tuple(float(each) for each in held["bias"])


def _wrapped(told: dict[str, Any], *, classes: int) -> onnx.ModelProto:
    """The converted graph from `measurements` to the logarithm of its probabilities."""
    inner = compose.add_prefix(opened_model(base64.b64decode(told["onnx"])), INSIDE)
    given = inner.graph.input[0].name
    chances = next(
        (each.name for each in inner.graph.output if "prob" in each.name),
        inner.graph.output[-1].name,
    )
    held = [
        numpy_helper.from_array(np.array(1e-7, np.float32), "least"),
        numpy_helper.from_array(np.array([0, -1], np.int64), "shape"),
    ]
    nodes = [
        helper.make_node("Identity", ["measurements"], [given]),
        *inner.graph.node,
        helper.make_node("Max", [chances, "least"], ["some"]),
        helper.make_node("Log", ["some"], ["logs"]),
        helper.make_node("Reshape", ["logs", "shape"], ["logits"]),
    ]
    return _model(
        nodes,
        [*inner.graph.initializer, *held],
        features=int(told["features"]),
        outputs={"logits": ["N", classes]},
        ml=True,
    )


def _model(
    nodes: list[Any],
    weights: list[Any],
    *,
    features: int,
    outputs: dict[str, list[int | str]],
    ml: bool,
) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "pack",
        [helper.make_tensor_value_info("measurements", TensorProto.FLOAT, ["N", features])],
        [helper.make_tensor_value_info(k, TensorProto.FLOAT, v) for k, v in outputs.items()],
        initializer=weights,
    )
    sets = [helper.make_opsetid("", OPSET)] + ([helper.make_opsetid("ai.onnx.ml", 3)] if ml else [])
    return helper.make_model(graph, opset_imports=sets, ir_version=IR_VERSION)

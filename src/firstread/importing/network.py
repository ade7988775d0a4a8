"""The bytes of an ONNX file become a pack's network that is shown to answer as the file does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from msgspec.structs import replace
from numpy.typing import NDArray

from firstread.domain.errors import BadConfiguration, ModelRefused, PackRefused
from firstread.importing.graph import Graph, opened_model, plain_graph
from firstread.importing.original import Original
from firstread.importing.plan import Plan
from firstread.importing.wrap import Wrapped, layout_of, refuse_other_size, size_of, wrap
from firstread.importing.written_network import Made
from firstread.packs import Input
from firstread.runtime.calibrate import probabilities
from firstread.runtime.session import Session

TOLERANCE = 1e-4
"""Largest difference from the file's own answers, as a share of the largest logit above 1."""
HALF_TOLERANCE = 1e-2
"""The same where the file computes in half precision and rounds its own answers."""
_SUM = 0.01
"""How far probabilities may add up beside 1."""


def write_network(data: bytes, plan: Plan, *, path: Path) -> Made:
    """Write the pack's network of an ONNX file to `path`.

    It is asked pictures beside the file. Raises ModelRefused where it cannot be made or answers
    differently, BadConfiguration where more must be said of the file.
    """
    _refuse_few_labels(plan)
    model = opened_model(data)
    count = len(plan.labels)
    original = Original(data, output=plan.output, labels=count)
    plain = plain_graph(model, output=plan.output, labels=count)
    layout = layout_of(plain, plan.pixels)
    given = _input(plain, plan, layout=layout)
    pictures = some_pictures(given)
    each = [original.answers(one, pixels=plan.pixels, layout=layout) for one in pictures]
    _refuse_no_answers(each)
    said = np.stack(each)
    are = _what_they_are(plain, plan, said)
    wrapped = wrap(plain, given=given, pixels=plan.pixels, layout=layout, labels=count, are=are)
    logits = _written(wrapped, pictures, path=path)
    apart = _difference(logits, said, are=are, end=plain.end)
    if not apart <= (HALF_TOLERANCE if original.is_half else TOLERANCE):
        raise ModelRefused(
            f"The pack's network would answer {apart:.2g} away from the file. This is a fault of "
            "the importer: please report the model."
        )
    return Made(input=given, missing=wrapped.missing, apart=apart)


def _refuse_few_labels(plan: Plan) -> None:
    """Raises BadConfiguration where the answers of a classifier are not named."""
    if len(plan.labels) < 2:
        raise BadConfiguration(
            "It is not said what the model's answers mean. Name its labels in the order of its "
            "outputs: --labels a,b,c or --labels FILE."
        )


def _refuse_no_answers(given: Sequence[NDArray[Any]]) -> None:
    if len({each.size for each in given}) > 1:
        raise ModelRefused(
            "The model gives another number of answers for another picture, as a detector does. "
            "Only classifiers can be imported."
        )
    if not all(np.isfinite(each).all() for each in given):
        raise ModelRefused(
            "The model answers pictures with something that is no number (NaN or infinity). It is "
            "damaged, or --scale, --mean and --std are not those that it was trained with."
        )


def _input(plain: Graph, plan: Plan, *, layout: str) -> Input:
    own = size_of(plain, layout)
    if plan.input.width_px:
        refuse_other_size(plain, plan.input, layout=layout)
        return plan.input
    if own is None:
        raise BadConfiguration(
            "The model takes pictures of any size. Say the size that it was trained with: "
            "--size WIDTHxHEIGHT."
        )
    return replace(plan.input, width_px=own[0], height_px=own[1])


def some_pictures(given: Input) -> NDArray[np.uint8]:
    """Noise of different grain, uint8 [3, H, W, 3]: what no network answers flatly."""
    rng = np.random.default_rng(2026)
    shape = (given.height_px, given.width_px, 3)
    fine = rng.integers(0, 256, shape, np.uint8)
    coarse = rng.integers(0, 256, (shape[0] // 8 + 1, shape[1] // 8 + 1, 3), np.uint8)
    large = coarse.repeat(8, 0).repeat(8, 1)[: shape[0], : shape[1]]
    pictures = np.stack([fine, large, (fine // 4 + large // 2).astype(np.uint8)])
    if given.colour == "grey":
        pictures = pictures[..., :1].repeat(3, -1)
    return np.asarray(pictures, np.uint8)


def _what_they_are(plain: Graph, plan: Plan, said: NDArray[Any]) -> str:
    count = len(plan.labels)
    if plain.end == "Sigmoid" and said.shape[1] == 1 and count == 2:
        return "chance"
    if said.shape[1] != count:
        raise BadConfiguration(
            f"The model gives {said.shape[1]} answers, and {count} labels are named. Name one "
            "label for each answer, in their order."
        )
    if plain.end == "Sigmoid":
        raise ModelRefused(
            "The model answers each label by itself (Sigmoid), and a pack chooses one of its "
            "labels. Export it with a Softmax, or without the last layer and --answers logits."
        )
    if plain.end:
        return "logits"
    if plan.answers is not None:
        return plan.answers
    chances = bool((said >= -1e-6).all()) and bool((abs(said.sum(1) - 1) <= _SUM).all())
    return "probabilities" if chances else "logits"


def _written(wrapped: Wrapped, pictures: NDArray[np.uint8], *, path: Path) -> NDArray[Any]:
    """The answers [3, K] of the written network, one picture at a time and all at once."""
    path.write_bytes(wrapped.data)
    try:
        session = Session(path, kind="image")
        alone = np.concatenate([session.run(each[np.newaxis])["logits"] for each in pictures])
    except PackRefused as error:
        raise ModelRefused(f"ONNX Runtime cannot run what the importer made: {error}") from None
    try:
        together = session.run(pictures)["logits"]
        batches = together.shape == alone.shape and bool(np.allclose(together, alone, atol=1e-2))
    except PackRefused:
        batches = False
    if not batches:
        # The file was exported for one picture at a time, and says so somewhere inside. Packs are
        # read one picture at a time everywhere, so the network says so at its door.
        path.write_bytes(_for_one(wrapped.data))
        Session(path, kind="image")
    return np.asarray(alone, np.float64)


def _for_one(data: bytes) -> bytes:
    model = onnx.load_model_from_string(data)
    for value in (*model.graph.input, *model.graph.output):
        first = value.type.tensor_type.shape.dim[0]
        first.Clear()
        first.dim_value = 1
    return bytes(model.SerializeToString(deterministic=True))


def _difference(logits: NDArray[Any], said: NDArray[Any], *, are: str, end: str) -> float:
    """How far the answers lie apart, in logits as far as the file gives them."""
    if are == "logits" and end in ("", "LogSoftmax"):
        if end:
            logits = np.log(probabilities(logits, temperature=1.0))
        return float((abs(logits - said) / np.maximum(1.0, abs(said).max())).max())
    expected = np.concatenate([1 - said, said], 1) if are == "chance" else said
    return float(abs(probabilities(logits, temperature=1.0) - expected).max())

"""A pack gets an int8 twin: its network in whole numbers, where that is as good and faster."""

from __future__ import annotations

import logging
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from msgspec import to_builtins
from msgspec.structs import replace
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_static,
)

from firstread.datasets import Dataset, Split, split
from firstread.domain.errors import BadConfiguration, BadDataset, TwinRefused
from firstread.evaluation.answers import refuse_other_labels
from firstread.packs import Golden, Input, Manifest, Result, Twin, seal, write_manifest
from firstread.packs.golden import golden_bytes
from firstread.packs.place import put_in_place, written_alone
from firstread.runtime import PackReader, open_reader
from firstread.runtime.calibrate import probabilities
from firstread.runtime.prepare import pixels_of
from firstread.runtime.session import Session, write_folded
from firstread.train.pack.figures import results
from firstread.train.recipe import Shares, find_recipe, open_recipe

NETWORK = "model.int8.onnx"
CALIBRATED_ON = 200
"""Training pictures from which the range of each layer is taken."""
MAY_FALL = 0.005
"""By how much the share of right answers may fall: half a point in a hundred."""
_STATED = ("accuracy", "balanced accuracy", "AUC, mean over labels", "coverage of the finding set")
_HELD = ("accuracy", "coverage of the finding set")
"""The shares that may not fall."""

Step = Callable[[], None]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The twin beside the network it stands in for, on the same samples in the same run."""

    times_as_fast: float
    """Median of float time / int8 time, picture by picture, one thread."""
    float_ms: float
    int8_ms: float
    largest_difference: float
    """Of a logit."""
    float_results: tuple[Result, ...]
    int8_results: tuple[Result, ...]
    n: int

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as JSON takes them."""
        return dict(to_builtins(self))


@dataclass(frozen=True, kw_only=True)
class Quantised:
    """A sealed pack that carries its twin."""

    folder: Path
    measured: Measured


def quantise(
    pack: Path,
    dataset: Dataset,
    *,
    out: Path,
    say: Callable[[str], None] = lambda _: None,
    step: Step = lambda: None,
) -> Quantised:
    """Write the pack with an int8 twin into the folder `out`; the float network stays as it is.

    Static quantisation (Jacob et al., CVPR 2018): convolutions in 8-bit whole numbers, each filter
    with a scale of its own, activations in the range that training pictures of `dataset` showed.
    The head (embedding, logits, evidence) stays in float. Weights take 7 bits, so that processors
    without dot products of bytes give the same numbers. `step` is called after each test picture.

    Raises TwinRefused where accuracy or coverage of the finding set falls by more than half a
    point on the test part, or the twin is slower on this machine; BadDataset where the dataset is
    too small or of another kind; PackRefused where the pack is damaged.

    >>> from firstread.datasets import open_dataset
    >>> from firstread.packs import find_pack
    >>> folder = Path("../data/blood-cell")
    >>> if folder.is_dir():
    ...     made = quantise(find_pack("blood-cell"), open_dataset(folder), out=Path("packs"))
    """
    reader = open_reader(pack)
    manifest = reader.manifest
    given = manifest.input
    if given is None:
        raise BadConfiguration(
            f"The pack '{manifest.name}' reads measurements: its network is a few additions, and "
            "int8 would not make it faster. Name a pack that reads pictures."
        )
    refuse_other_labels(reader, dataset)
    parts = _parted(dataset, manifest=manifest)
    with tempfile.TemporaryDirectory(prefix="firstread-") as work:
        network = Path(work) / NETWORK
        learnt = np.random.default_rng(manifest.provenance.seed).permutation(np.array(parts.train))
        say(f"Calibrating on {min(len(learnt), CALIBRATED_ON)} training pictures")
        _write_twin(
            pack / "model.onnx",
            network,
            pictures=(
                pixels_of(dataset.data(dataset.items[int(index)]), given)
                for index in learnt[:CALIBRATED_ON]
            ),
            labels=len(manifest.labels),
        )
        twin = Session(network, kind=manifest.kind)
        say(f"Measuring on {len(parts.test)} test pictures")
        measured = _measured(reader, twin, dataset, parts.test, step=step)
        _refuse_worse(measured, manifest=manifest)
        folder = _sealed(pack, network, twin, manifest, dataset, measured, out=out)
    return Quantised(folder=folder, measured=measured)


def _parted(dataset: Dataset, *, manifest: Manifest) -> Split:
    """The parts as the pack was trained with them, so that nothing it learnt from is its test."""
    shares = _shares(manifest)
    parts = split(
        dataset, validation=shares.validation, test=shares.test, seed=manifest.provenance.seed
    )
    if not parts.train or not parts.test:
        raise BadDataset(
            f"The folder {dataset.name} has too few samples to be parted into training and test. "
            "Add samples, or patients."
        )
    return parts


def _shares(manifest: Manifest) -> Shares:
    """The shares that the pack was trained with, so that its test part is known here too."""
    try:
        return open_recipe(find_recipe(Path(manifest.provenance.recipe).stem)).shares
    except BadConfiguration:
        return Shares()


class _Pictures(CalibrationDataReader):  # type: ignore[misc]  # the library has no types
    def __init__(self, pictures: Iterator[NDArray[np.uint8]]) -> None:
        self._pictures = pictures

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        pixels = next(self._pictures, None)
        return None if pixels is None else {"image": pixels[np.newaxis]}


def _write_twin(
    model: Path, out: Path, *, pictures: Iterator[NDArray[np.uint8]], labels: int
) -> None:
    folded = out.with_name("folded.onnx")
    write_folded(model, folded)
    network = _without_unused_domains(onnx.load(str(folded)))
    onnx.save(network, str(folded))
    head = _head(network.graph, labels=labels)
    if all(node.op_type != "Conv" or node.name in head for node in network.graph.node):
        raise BadConfiguration(
            "The pack's network has no convolutions beside its head, so int8 would change nothing. "
            "Read with the pack as it is."
        )
    logger = logging.getLogger()
    level = logger.level
    logger.setLevel(logging.ERROR)  # its advice is for those who call it by hand
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            quantize_static(
                str(folded),
                str(out),
                _Pictures(pictures),
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=["Conv"],
                per_channel=True,
                reduce_range=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                nodes_to_exclude=head,
            )
    finally:
        logger.setLevel(level)
    plain = onnx.load(str(out))
    plain.ClearField("metadata_props")
    onnx.checker.check_model(plain)
    out.write_bytes(plain.SerializeToString(deterministic=True))


def _without_unused_domains(network: onnx.ModelProto) -> onnx.ModelProto:
    """The runtime names every family of operators that it knows; a pack names those it uses."""
    used = {node.domain for node in network.graph.node}
    kept = [each for each in network.opset_import if each.domain in used]
    del network.opset_import[:]
    network.opset_import.extend(kept)
    return network


def _head(graph: onnx.GraphProto, *, labels: int) -> list[str]:
    """The convolutions that give one channel for each label and feed no other: the evidence."""
    takers: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            takers.setdefault(name, []).append(node)
    channels = {each.name: each.dims[0] for each in graph.initializer if each.dims}

    def feeds_another(node: onnx.NodeProto) -> bool:
        ahead, seen = list(node.output), set()
        while ahead:
            for taker in takers.get(ahead.pop(), []):
                if taker.op_type == "Conv":
                    return True
                fresh = [name for name in taker.output if name not in seen]
                seen.update(fresh)
                ahead.extend(fresh)
        return False

    return [
        node.name
        for node in graph.node
        if node.op_type == "Conv"
        and channels.get(node.input[1]) == labels
        and not feeds_another(node)
    ]


def _measured(
    reader: PackReader, twin: Session, dataset: Dataset, indices: Sequence[int], *, step: Step
) -> Measured:
    """Both networks in turn on each picture, so that a busy machine slows both alike."""
    given = reader.manifest.input
    assert given is not None  # noqa: S101  asked for before
    times: list[tuple[float, float]] = []
    logits: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = []
    for index in indices:
        batch = pixels_of(dataset.data(dataset.items[index]), given)[np.newaxis]
        if not times:  # the first run of each lays out its memory
            reader.run(batch), twin.run(batch)
        began = time.perf_counter()
        plain = reader.run(batch)
        between = time.perf_counter()
        whole = twin.run(batch)
        times.append((between - began, time.perf_counter() - between))
        logits.append((plain["logits"][0], whole["logits"][0]))
        step()
    codes = reader.manifest.codes
    truths = np.array([codes.index(dataset.items[index].label) for index in indices], np.int64)
    float_logits, int8_logits = (np.stack(each) for each in zip(*logits, strict=True))
    float_s, int8_s = np.array(times).T
    return Measured(
        times_as_fast=round(float(np.median(float_s / int8_s)), 2),
        float_ms=round(float(np.median(float_s)) * 1000, 2),
        int8_ms=round(float(np.median(int8_s)) * 1000, 2),
        largest_difference=round(float(np.abs(float_logits - int8_logits).max()), 4),
        float_results=_figures(reader.manifest, truths, float_logits, dataset=dataset),
        int8_results=_figures(reader.manifest, truths, int8_logits, dataset=dataset),
        n=len(indices),
    )


def _figures(
    manifest: Manifest, truths: NDArray[np.int64], logits: NDArray[np.float32], *, dataset: Dataset
) -> tuple[Result, ...]:
    found = results(
        truths,
        probabilities(logits, temperature=manifest.calibration.temperature),
        labels=manifest.codes,
        positive=(),
        conformal=manifest.conformal,
        of=f"test part of {dataset.name}",
    )
    return tuple(each for each in found if each.metric in _STATED)


def _refuse_worse(measured: Measured, *, manifest: Manifest) -> None:
    kept = f"No twin was written: read with the pack '{manifest.name}' as it is."
    for plain, whole in zip(measured.float_results, measured.int8_results, strict=True):
        if plain.metric in _HELD and whole.value < plain.value - MAY_FALL:
            raise TwinRefused(
                f"With int8 the {plain.metric} falls from {plain.value:.2%} to {whole.value:.2%} "
                f"on {measured.n} test samples; at most 0.5 points are allowed. {kept}"
            )
    if measured.times_as_fast < 1:
        raise TwinRefused(
            f"On this machine int8 is slower: {measured.int8_ms:g} ms instead of "
            f"{measured.float_ms:g} ms a picture. {kept}"
        )


def _sealed(
    pack: Path,
    network: Path,
    twin: Session,
    manifest: Manifest,
    dataset: Dataset,
    measured: Measured,
    *,
    out: Path,
) -> Path:
    """The pack with its twin, whole or not at all."""
    stated = Twin(
        precision="int8",
        network=NETWORK,
        times_as_fast=measured.times_as_fast,
        measured_on=f"test part of {dataset.name}, n = {measured.n}; {twin.runtime}",
        golden=tuple(_golden(pack, each, twin, manifest.input) for each in manifest.golden),
        results=measured.int8_results,
    )
    with written_alone(out, manifest.name) as part:
        shutil.copytree(pack, part, dirs_exist_ok=True)
        if manifest.twin is not None:
            (part / manifest.twin.network).unlink(missing_ok=True)
        shutil.copyfile(network, part / NETWORK)
        write_manifest(replace(manifest, twin=stated), part)
        seal(part)
        open_reader(part, precision="int8")
        return put_in_place(part, out / manifest.name)


def _golden(pack: Path, golden: Golden, twin: Session, given: Input | None) -> Golden:
    assert given is not None  # noqa: S101  asked for before
    batch: NDArray[Any] = pixels_of(golden_bytes(pack, golden), given)[np.newaxis]
    logits = twin.run(batch)["logits"][0]
    return Golden(sample=golden.sample, logits=tuple(round(float(each), 6) for each in logits))

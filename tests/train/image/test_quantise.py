"""A pack gets an int8 twin where it is as good, and keeps none where it is not."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from msgspec import structs

onnx = pytest.importorskip("onnx")

from firstread.cli.main import main  # noqa: E402
from firstread.datasets import open_dataset  # noqa: E402
from firstread.domain.errors import BadConfiguration, BadDataset, TwinRefused  # noqa: E402
from firstread.packs import Result, open_manifest, verify  # noqa: E402
from firstread.runtime import open_reader  # noqa: E402
from firstread.train.image import quantise as room  # noqa: E402
from firstread.train.image.quantise import Measured, Quantised, quantise  # noqa: E402
from tests.images_for_tests import cell_png  # noqa: E402
from tests.packs_for_tests import make_pack  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("FIRSTREAD_DATASETS", ROOT.parent / "shared" / "data"))
SHIPPED = ROOT / "packs" / "marrow-cell"


@pytest.fixture(scope="module")
def marrow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of phantoms with the labels of the shipped pack."""
    from firstread import phantom

    folder = tmp_path_factory.mktemp("data") / "marrow"
    for label in ("eosinophil", "lymphocyte", "blast"):
        (folder / label).mkdir(parents=True)
        for seed in range(6):
            data = phantom.make("leukaemia", label=label, seed=seed).png
            (folder / label / f"{seed}.png").write_bytes(data)
    return folder


def _fast_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """How fast int8 is depends on the machine, and is no matter for a test."""
    plain = room._measured

    def measured(*given: object, **named: object) -> Measured:
        return replace(plain(*given, **named), times_as_fast=1.5)  # type: ignore[arg-type]

    monkeypatch.setattr(room, "_measured", measured)


@pytest.fixture(scope="module")
def made(marrow: Path, tmp_path_factory: pytest.TempPathFactory) -> Quantised:
    """What the command makes of the shipped pack."""
    out = tmp_path_factory.mktemp("packs")
    words = ["packs", "quantise", str(SHIPPED), "--data", str(marrow), "--out", str(out)]
    with pytest.MonkeyPatch.context() as patch:
        _fast_enough(patch)
        found = CliRunner().invoke(main, [*words, "--json"])
    assert found.exit_code == 0, found.output
    told = json.loads(found.stdout)
    folder = Path(told.pop("path"))
    assert folder == out / "marrow-cell"
    results = {
        key: tuple(Result(**each) for each in told.pop(key))
        for key in ("float_results", "int8_results")
    }
    return Quantised(folder=folder, measured=Measured(**told, **results))


def test_a_pack_with_a_twin_is_the_pack_and_its_twin(made: Quantised) -> None:
    verify(made.folder)
    before, after = open_manifest(SHIPPED), open_manifest(made.folder)
    assert structs.replace(after, twin=None) == before
    assert after.twin is not None
    assert after.twin.measured_on.startswith("test part of marrow, n = ")
    for path in SHIPPED.rglob("*"):
        if path.is_file() and path.name not in ("pack.toml", "SHA256SUMS"):
            copied = made.folder / path.relative_to(SHIPPED)
            assert copied.read_bytes() == path.read_bytes()


def test_the_twin_answers_nearly_as_the_pack_does(made: Quantised) -> None:
    plain, twin = open_reader(made.folder), open_reader(made.folder, precision="int8")
    from firstread import phantom

    for seed in range(100, 106):
        data = phantom.make("leukaemia", seed=seed).png
        one, other = plain.read(data), twin.read(data)
        assert one.read.label == other.read.label
        assert np.allclose(one.logits, other.logits, atol=0.5)
        assert other.embedding is not None
        assert other.evidence is not None
        # The evidence still explains the answer: its mean and the head's bias are the logits.
        bias = one.logits - one.evidence.mean((1, 2))  # type: ignore[union-attr]
        assert np.allclose(other.evidence.mean((1, 2)) + bias, other.logits, atol=1e-3)


def test_convolutions_are_in_whole_numbers_and_the_head_is_not(made: Quantised) -> None:
    network = onnx.load(str(made.folder / "model.int8.onnx"))
    nodes = {name: node for node in network.graph.node for name in node.output}
    convolutions = [node for node in network.graph.node if node.op_type == "Conv"]
    whole = [node for node in convolutions if nodes[node.input[0]].op_type == "DequantizeLinear"]
    (head,) = [node for node in convolutions if node not in whole]
    assert head.output[0] == "evidence"
    assert all(nodes[node.input[1]].op_type == "DequantizeLinear" for node in whole)
    dense = next(node for node in network.graph.node if node.op_type == "Gemm")
    weights = {each.name: each for each in network.graph.initializer}
    assert weights[dense.input[1]].data_type == onnx.TensorProto.FLOAT
    # 7 bits: the sum of two products of bytes then fits where a processor adds them in 16 bits.
    bytes_of = [onnx.numpy_helper.to_array(each) for each in network.graph.initializer]
    assert all(abs(each.astype(int)).max() <= 64 for each in bytes_of if each.dtype == np.int8)
    assert "/" not in "".join(each.key for each in network.metadata_props)


def test_quantising_again_gives_the_same_bytes(
    made: Quantised, marrow: Path, tmp_path: Path
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        _fast_enough(patch)
        again = quantise(made.folder, open_dataset(marrow), out=tmp_path)
    one, two = (folder / "model.int8.onnx" for folder in (made.folder, again.folder))
    assert one.read_bytes() == two.read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["marrow-cell"]


def _with(made: Quantised, metric: str, *, plain: float, whole: float) -> Measured:
    def set_to(found: tuple[Result, ...], value: float) -> tuple[Result, ...]:
        return tuple(
            structs.replace(each, value=value) if each.metric == metric else each for each in found
        )

    return replace(
        made.measured,
        float_results=set_to(made.measured.float_results, plain),
        int8_results=set_to(made.measured.int8_results, whole),
    )


@pytest.mark.parametrize("metric", ["accuracy", "coverage of the finding set"])
def test_a_twin_that_is_right_less_often_is_refused(made: Quantised, metric: str) -> None:
    manifest = open_manifest(SHIPPED)
    with pytest.raises(TwinRefused, match=rf"the {metric} falls from 98\.00% to 97\.40%"):
        room._refuse_worse(_with(made, metric, plain=0.98, whole=0.974), manifest=manifest)
    room._refuse_worse(_with(made, metric, plain=0.98, whole=0.9751), manifest=manifest)


def test_a_twin_that_is_slower_is_refused_and_nothing_is_written(
    made: Quantised, marrow: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slower = replace(made.measured, times_as_fast=0.9, float_ms=9.0, int8_ms=12.0)
    monkeypatch.setattr(room, "_measured", lambda *_, **__: slower)
    with pytest.raises(TwinRefused, match="int8 is slower: 12 ms instead of 9 ms") as refusal:
        quantise(SHIPPED, open_dataset(marrow), out=tmp_path)
    assert "read with the pack 'marrow-cell' as it is" in str(refusal.value)
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_quantised_is_said(tmp_path: Path, marrow: Path) -> None:
    rows = make_pack(tmp_path, kind="measurements")
    with pytest.raises(BadConfiguration, match="reads measurements"):
        quantise(rows, open_dataset(marrow), out=tmp_path / "out")
    with pytest.raises(BadDataset, match="has the label 'blast'"):
        quantise(make_pack(tmp_path), open_dataset(marrow), out=tmp_path / "out")
    for colour in ("red", "blue"):
        (tmp_path / "colours" / colour).mkdir(parents=True)
        for seed in range(9):
            (tmp_path / "colours" / colour / f"{seed}.png").write_bytes(cell_png(colour, seed=seed))
    with pytest.raises(BadConfiguration, match="has no convolutions"):
        quantise(
            make_pack(tmp_path / "one"), open_dataset(tmp_path / "colours"), out=tmp_path / "out"
        )
    (tmp_path / "few" / "blast").mkdir(parents=True)
    (tmp_path / "few" / "blast" / "1.png").write_bytes(cell_png())
    with pytest.raises(BadDataset, match="too few samples"):
        quantise(SHIPPED, open_dataset(tmp_path / "few"), out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_command_shows_both_beside_each_other(made: Quantised) -> None:
    from firstread.cli.packs import _measured

    shown = "\n".join(_measured(made.measured))
    assert "int8 is 1.50 times as fast" in shown
    assert "accuracy" in shown
    assert "milliseconds a picture" in shown


def _pictures(name: str) -> Path:
    """The folder of real pictures, which no clone holds."""
    if not (DATA / name).is_dir():
        pytest.skip(f"the pictures of {name} are not here: set FIRSTREAD_DATASETS")
    return DATA / name


@pytest.mark.data
def test_a_shipped_pack_keeps_its_accuracy_in_whole_numbers(tmp_path: Path) -> None:
    pictures = _pictures("marrow-cell")
    with pytest.MonkeyPatch.context() as patch:
        _fast_enough(patch)
        made = quantise(SHIPPED, open_dataset(pictures), out=tmp_path)
    plain, whole = (
        next(each.value for each in found if each.metric == "accuracy")
        for found in (made.measured.float_results, made.measured.int8_results)
    )
    assert whole > plain - 0.005


@pytest.mark.data
def test_a_shipped_pack_that_whole_numbers_make_worse_gets_no_twin(tmp_path: Path) -> None:
    pictures = _pictures("blood-cell")
    with pytest.MonkeyPatch.context() as patch:
        _fast_enough(patch)
        with pytest.raises(TwinRefused, match="read with the pack 'blood-cell' as it is"):
            quantise(ROOT / "packs" / "blood-cell", open_dataset(pictures), out=tmp_path)

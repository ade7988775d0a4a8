"""A graph that was optimised once is kept for this machine, and never believed without a reason."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from firstread.runtime.graph_cache import (
    KEPT_AT_MOST,
    cache_folder,
    graph_key,
    keep_graph,
    kept_graph,
    make_folder,
)
from firstread.runtime.session import Session

PACK = "a" * 64
PIXELS = np.random.default_rng(1).integers(0, 256, (1, 8, 8, 3), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FIRSTREAD_CACHE", str(tmp_path / "cache"))
    found = cache_folder()
    assert found == tmp_path / "cache" / "graphs"
    return found


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """A network of more than a megabyte: 192 numbers of a picture to 2 logits, the long way."""
    rng = np.random.default_rng(7)
    weights = {
        "wide": rng.normal(size=(192, 1500)).astype(np.float32) / 100,
        "narrow": rng.normal(size=(1500, 2)).astype(np.float32) / 100,
        "flat": np.array([-1, 192], dtype=np.int64),
    }
    nodes = [
        helper.make_node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Reshape", ["float", "flat"], ["row"]),
        helper.make_node("MatMul", ["row", "wide"], ["many"]),
        helper.make_node("Relu", ["many"], ["some"]),
        helper.make_node("MatMul", ["some", "narrow"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["n", 8, 8, 3])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 2])],
        initializer=[numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    path = tmp_path / "model.onnx"
    opsets = [helper.make_opsetid("", 18)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), str(path))
    return path


def _logits(network: Path, *, pack: str = PACK) -> list[float]:
    session = Session(network, kind="image", pack_sha256=pack)
    return [float(each) for each in session.run(PIXELS)["logits"][0]]


def _only(folder: Path) -> Path:
    (kept,) = folder.iterdir()
    return kept


def test_a_kept_graph_gives_the_same_numbers(folder: Path, network: Path) -> None:
    plain = Session(network, kind="image").run(PIXELS)["logits"][0].tolist()
    assert not folder.exists()
    assert _logits(network) == plain
    assert _only(folder).stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert _logits(network) == plain


def test_a_kept_graph_is_what_is_opened(folder: Path, network: Path) -> None:
    before = _logits(network)
    network.write_bytes(b"no network" + bytes(1_000_000))
    assert _logits(network) == before


def test_another_pack_has_another_graph(folder: Path, network: Path) -> None:
    _logits(network)
    _logits(network, pack="b" * 64)
    assert len(list(folder.iterdir())) == 2


@pytest.mark.parametrize("place", [0, 1000, -1])
def test_a_damaged_graph_is_made_anew(folder: Path, network: Path, place: int) -> None:
    before = _logits(network)
    whole = _only(folder).read_bytes()
    damaged = bytearray(whole)
    damaged[place] ^= 1
    _only(folder).write_bytes(bytes(damaged))
    assert _logits(network) == before
    assert _only(folder).read_bytes() == whole


@pytest.mark.parametrize("data", [b"", b"short", bytes(5000)])
def test_what_is_no_graph_is_made_anew(folder: Path, network: Path, data: bytes) -> None:
    before = _logits(network)
    _only(folder).write_bytes(data)
    assert _logits(network) == before


def test_a_sealed_file_that_is_no_graph_is_made_anew(folder: Path, network: Path) -> None:
    before = _logits(network)
    kept = _only(folder)
    (folder.parent / "other").write_bytes(b"sealed, and no graph")
    keep_graph(folder, kept.name, folder.parent / "other")
    assert kept_graph(folder, kept.name) == b"sealed, and no graph"
    assert _logits(network) == before


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_a_graph_that_others_may_write_to_is_not_opened(
    folder: Path, network: Path, mode: int
) -> None:
    _logits(network)
    kept = _only(folder)
    assert kept_graph(folder, kept.name) is not None
    kept.chmod(mode)
    assert kept_graph(folder, kept.name) is None


def test_a_folder_that_others_may_write_to_is_not_used(folder: Path, network: Path) -> None:
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    _logits(network)
    assert not list(folder.iterdir())


def test_a_link_is_not_followed(folder: Path, network: Path, tmp_path: Path) -> None:
    _logits(network)
    kept = _only(folder)
    kept.rename(tmp_path / "elsewhere")
    kept.symlink_to(tmp_path / "elsewhere")
    assert kept_graph(folder, kept.name) is None
    folder.rename(tmp_path / "moved")
    folder.symlink_to(tmp_path / "moved")
    assert not make_folder(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_a_graph_of_somebody_else_is_not_opened(folder: Path, network: Path) -> None:
    _logits(network)
    os.chown(_only(folder), 12345, -1)
    assert kept_graph(folder, _only(folder).name) is None


def test_where_nothing_can_be_written_packs_open_as_before(
    tmp_path: Path, network: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    for place in (str(tmp_path / "file" / "cache"), "off", "/proc/none"):
        monkeypatch.setenv("FIRSTREAD_CACHE", place)
        assert len(_logits(network)) == 2
    assert sorted(each.name for each in tmp_path.iterdir()) == ["file", "model.onnx"]


def test_without_a_setting_it_lies_in_the_users_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FIRSTREAD_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "firstread" / "graphs"
    monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "firstread" / "graphs"


def test_a_small_network_is_not_kept(folder: Path, tmp_path: Path) -> None:
    from firstread.runtime import open_reader
    from tests.packs_for_tests import make_pack

    open_reader(make_pack(tmp_path))
    assert not folder.exists()


def test_the_graph_that_was_not_used_for_longest_goes_first(folder: Path, tmp_path: Path) -> None:
    assert make_folder(folder)
    (tmp_path / "graph").write_bytes(b"graph")
    for number in range(KEPT_AT_MOST):
        keep_graph(folder, f"{number:064}", tmp_path / "graph")
        os.utime(folder / f"{number:064}", (number, number))
    assert kept_graph(folder, f"{0:064}") == b"graph"  # used, so it is the newest now
    keep_graph(folder, "f" * 64, tmp_path / "graph")
    left = {each.name for each in folder.iterdir()}
    assert len(left) == KEPT_AT_MOST
    assert f"{0:064}" in left
    assert f"{1:064}" not in left


def test_each_of_pack_runtime_and_options_makes_another_key() -> None:
    def key(pack: str = PACK, runtime: str = "onnxruntime 1", option: str = "threads 1") -> str:
        return graph_key(pack, runtime=runtime, options=(option,))

    keys = {key(), key(pack="b" * 64), key(runtime="onnxruntime 2"), key(option="threads 2")}
    assert len(keys) == 4
    assert key() == key()

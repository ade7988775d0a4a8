"""What the comparison of servers reports, from figures that stand here."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
import time
import uuid
from io import BytesIO
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from PIL import Image

from benchmarks.serving import bench_packs, networks, pictures
from benchmarks.serving.blocks import Block, refuse_other_answers
from benchmarks.serving.machine import Watch, calibrate, processes
from benchmarks.serving.report import BEGIN, END, write_report
from benchmarks.serving.results import Kept, outcome
from benchmarks.serving.rows import ROWS, Goal, Row
from benchmarks.serving.servers import FORMS, PEERS
from firstread.packs import find_pack
from firstread.runtime import open_reader

MACHINE = {
    "processor": "Paper", "cores": 2, "architecture": "x86_64", "python": "3.11",
    "onnxruntime": "1.31", "load": 2.1, "date": "2026-11-21",
}  # fmt: skip


def block(contender: str, reads_per_s: float, *, number: int = 1, **more: object) -> Block:
    figures: dict[str, object] = {
        "p50_ms": 8000 / reads_per_s, "p99_ms": 9000 / reads_per_s, "cpu_share": 0.9,
        "pss_mb": 100.0, "rss_mb": 150.0, "processes": 3, "start_s": 0.4, "probability": 0.77,
    }  # fmt: skip
    return Block(
        row="small", contender=contender, round=number, speed_before=30, speed_after=31,
        label="none", reads_per_s=reads_per_s, **{**figures, **more},
    )  # fmt: skip


def row(key: str) -> Row:
    return next(each for each in ROWS if each.key == key)


ROUNDS = [
    block("limit", 100), block("firstread", 90), block("flask", 60), block("ray", 30),
    block("limit", 50, number=2), block("firstread", 44, number=2), block("flask", 20, number=2),
    block("ray", 22, number=2),
]  # fmt: skip


def test_a_ratio_is_taken_within_each_round_and_its_median_counts() -> None:
    got = outcome(Goal(of="limit", value=0.85), [each.plain() for each in ROUNDS])
    assert got is not None
    assert (got.median, got.least, got.most) == pytest.approx((0.89, 0.88, 0.90))
    assert got.reached


def test_the_best_peer_is_the_one_that_was_best_in_that_round() -> None:
    got = outcome(Goal(of="best peer", value=1.3), [each.plain() for each in ROUNDS])
    assert got is not None
    assert (got.least, got.most) == pytest.approx((90 / 60, 44 / 22))


def test_a_round_in_which_no_peer_ran_is_left_out() -> None:
    goal = Goal(of="best peer", value=1.3)
    alone = [block("limit", 100, number=3), block("firstread", 90, number=3)]
    with_peers = outcome(goal, [each.plain() for each in ROUNDS + alone])
    assert with_peers == outcome(goal, [each.plain() for each in ROUNDS])
    assert outcome(goal, [each.plain() for each in alone]) is None


def test_memory_and_start_must_stay_below_their_goal() -> None:
    blocks = [block("firstread", 90, pss_mb=111.0, start_s=0.49).plain()]
    memory = outcome(Goal(of="memory", value=110), blocks)
    start = outcome(Goal(of="start", value=0.5), blocks)
    assert memory is not None
    assert start is not None
    assert (memory.reached, start.reached) == (False, True)


def test_the_page_gets_tables_and_a_plot_between_its_markers(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    page.write_text(f"# Before\n\n{BEGIN}\nold\n{END}\n\nAfter.\n")
    kept = Kept(tmp_path / "results.json")
    kept.keep(row("small"), ROUNDS, machine=MACHINE)
    write_report(kept, page)
    text = page.read_text()
    assert text.startswith("# Before\n")
    assert text.endswith(f"{END}\n\nAfter.\n")
    assert "old" not in text
    assert "0.89 of the limit (0.88 to 0.90)" in text
    assert "| Flask, gunicorn |" in text
    assert "Ray Serve" in (tmp_path / "pictures" / "serving.svg").read_text()


def test_the_same_figures_draw_the_same_bytes(tmp_path: Path) -> None:
    sums = set()
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        page = folder / "page.md"
        page.write_text(f"{BEGIN}{END}")
        kept = Kept(folder / "results.json")
        kept.keep(row("small"), ROUNDS, machine=MACHINE)
        write_report(kept, page)
        sums.add(hashlib.sha256((folder / "pictures" / "serving.svg").read_bytes()).hexdigest())
    assert len(sums) == 1


def test_a_goal_that_was_missed_is_said(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"{BEGIN}{END}")
    kept = Kept(tmp_path / "results.json")
    slow = [block("limit", 100), block("firstread", 60), block("flask", 50)]
    kept.keep(row("small"), slow, machine=MACHINE)
    write_report(kept, page)
    assert "0.60 of the limit" in page.read_text()
    assert "0.85 of it (not reached)" in page.read_text()


def test_rows_are_kept_apart_and_replaced_when_measured_again(tmp_path: Path) -> None:
    Kept(tmp_path / "r.json").keep(row("small"), ROUNDS, machine=MACHINE)
    Kept(tmp_path / "r.json").keep(row("large"), ROUNDS[:4], machine=MACHINE)
    Kept(tmp_path / "r.json").keep(row("small"), ROUNDS[:4], machine=MACHINE)
    kept = Kept(tmp_path / "r.json")
    assert len(kept.blocks(row("small"))) == len(kept.blocks(row("large"))) == 4


def test_a_page_without_markers_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Mine\n")
    with pytest.raises(SystemExit, match="has no place for the report"):
        write_report(Kept(tmp_path / "results.json"), page)
    assert page.read_text() == "# Mine\n"


def test_a_server_that_answers_otherwise_ends_the_run() -> None:
    other = block("flask", 50, probability=0.99)
    with pytest.raises(SystemExit, match="not the same work"):
        refuse_other_answers([block("limit", 100), other])


def test_a_machine_whose_speed_changed_meanwhile_shows_it() -> None:
    drifted = Block(
        row="small", contender="limit", round=1, speed_before=30, speed_after=24,
        label="none", probability=0.5,
    )  # fmt: skip
    assert drifted.drift == pytest.approx(0.2)


def test_the_pictures_have_the_stated_sizes() -> None:
    small, large = pictures.small(), pictures.large()
    assert Image.open(BytesIO(small)).size == (257, 257)
    assert Image.open(BytesIO(large)).size == (2592, 1944)
    assert len(small) == pytest.approx(pictures.SMALL_BYTES, rel=0.05)
    assert len(large) == pytest.approx(pictures.LARGE_BYTES, rel=0.06)


def test_the_network_of_allds2020_is_a_pack_that_opens(tmp_path: Path) -> None:
    bench_packs.make_packs(tmp_path, golden=pictures.small(), names=["allds2020"])
    answer = open_reader(tmp_path / "allds2020").read(pictures.small()).read
    assert answer.label in ("all", "none")
    assert 0.55 < answer.probability < 0.95  # not so sure that a wrong preparation would not show


def test_the_network_is_the_one_of_the_weights_that_keras_gets(tmp_path: Path) -> None:
    networks.write_allds2020(tmp_path / "model.onnx")
    given = networks.allds2020_weights()
    image = np.random.default_rng(3).integers(0, 256, size=(1, 100, 100, 3), dtype=np.uint8)
    session = ort.InferenceSession(str(tmp_path / "model.onnx"))
    (logits,) = session.run(["logits"], {"image": image})
    features = image[0].astype(np.float32) / 255
    for kernel, bias in ((given["conv1"], given["bias1"]), (given["conv2"], given["bias2"])):
        padded = np.pad(features, ((2, 2), (2, 2), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (5, 5), axis=(0, 1))
        features = np.maximum(np.einsum("yxchw,hwcf->yxf", windows, kernel) + bias, 0)
    pooled = features.reshape(50, 2, 50, 2, 30).max((1, 3))
    expected = pooled.reshape(-1) @ given["dense"] + given["bias3"]
    assert np.allclose(logits[0], expected, atol=1e-3)


def test_the_bare_network_gives_logits_and_nothing_else(tmp_path: Path) -> None:
    networks.write_bare(tmp_path / "bare.onnx", of=find_pack("blood-cell") / "model.onnx")
    assert [each.name for each in onnx.load(str(tmp_path / "bare.onnx")).graph.output] == ["logits"]


def test_every_peer_has_a_program_and_pinned_requirements_without_an_address() -> None:
    for peer in PEERS:
        folder = Path(__file__).resolve().parents[2] / "benchmarks" / "serving" / "peers" / peer
        pinned = (folder / "requirements.txt").read_text()
        assert list(folder.glob("*.py")), peer
        assert "--hash=sha256:" in pinned
        assert "//" not in pinned
        assert "\ntorch==" not in pinned


def test_each_form_carries_the_picture_whole() -> None:
    picture = b"\xff\xd8 picture"
    assert FORMS["raw"][1](picture) == picture
    told = json.loads(FORMS["json"][1](picture))
    assert base64.b64decode(told["image"]) == picture
    given = json.loads(FORMS["open inference"][1](picture))["inputs"][0]
    assert base64.b64decode(given["data"][0]) == picture


def test_the_memory_of_marked_processes_is_seen() -> None:
    mark = uuid.uuid4().hex
    program = "held = bytearray(40_000_000); held[::4096] = b'x' * len(held[::4096]); input()"
    child = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        env={"FIRSTREAD_BENCHMARK": mark},
    )
    try:
        while not processes(mark):
            pass
        with Watch(mark, every_s=0.05) as watch:
            time.sleep(0.5)
        assert 40 < watch.usage().pss_mb < 80
        assert watch.usage().processes == 1
    finally:
        child.communicate(b"\n")


def test_a_calibration_is_a_speed() -> None:
    assert calibrate() > 0

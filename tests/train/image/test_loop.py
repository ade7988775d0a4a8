"""A training that is killed, damaged or stops early ends as it should, and says so."""
# ruff: noqa: E402  what needs the extra is imported after the skip

from __future__ import annotations

import csv
import math
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs

torch = pytest.importorskip("torch")

from firstread.domain.errors import BadConfiguration
from firstread.train import device as devices
from firstread.train.history import Progress, Step
from firstread.train.image.batches import batches, lesson, order
from firstread.train.image.loop import Trained, fit
from tests.train.learning_for_tests import SOURCE, pixels, recipe, weights

NO_CARD = not torch.cuda.is_available()
ROOT = Path(__file__).resolve().parents[3]


def same(one: Trained, other: Trained) -> bool:
    mine, theirs = weights(one), weights(other)
    return mine.keys() == theirs.keys() and all(torch.equal(mine[k], theirs[k]) for k in mine)


def told(history: tuple[Progress, ...]) -> list[Progress]:
    """The epochs without what a clock says of them."""
    return [replace(row, took_s=0.0, left_s=0.0) for row in history]


def checkpoint(state: Path) -> Path:
    (found,) = state.glob("*.pt")
    return found


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(tmp_path):
    first = fit(recipe(), [pixels()], state=tmp_path / "1")
    second = fit(recipe(), [pixels()], state=tmp_path / "2")
    other = fit(structs.replace(recipe(), seed=4), [pixels()], state=tmp_path / "3")
    assert same(first, second)
    assert told(first.history) == told(second.history)
    assert not same(first, other)


def test_squares_are_told_apart_and_every_epoch_is_measured(tmp_path):
    seen: list[Progress] = []
    steps: list[Step] = []
    trained = fit(
        recipe(epochs=12), [pixels()], state=tmp_path, report=seen.append, step=steps.append
    )
    assert [row.epoch for row in seen] == list(range(1, 13))
    assert trained.kept_epoch == 12
    assert seen[-1].accuracy == 1.0
    assert seen[-1].auc == 1.0
    assert seen[-1].loss < seen[0].loss
    assert 0 <= seen[-1].validation_loss < 0.1
    assert 0 <= seen[-1].calibration_error < 0.1
    assert all(row.took_s > 0 for row in seen)
    assert [row.left_s > 0 for row in seen] == [True] * 11 + [False]
    assert [(step.done, step.steps) for step in steps[:3]] == [(1, 3), (2, 3), (3, 3)]


def test_the_table_of_epochs_lies_beside_the_checkpoint(tmp_path):
    trained = fit(recipe(), [pixels()], state=tmp_path)
    with checkpoint(tmp_path).with_suffix(".csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [int(row["epoch"]) for row in rows] == [1, 2, 3, 4, 5, 6]
    assert float(rows[-1]["accuracy"]) == pytest.approx(trained.history[-1].accuracy, rel=1e-4)
    assert set(rows[0]) >= {"loss", "validation_loss", "auc", "calibration_error", "took_s"}


@pytest.mark.parametrize("patience", [0, 3])
def test_a_run_that_loses_its_power_again_and_again_ends_with_the_same_bits(tmp_path, patience):
    """With patience its labels are drawn by lot, so that it stops early; also that is the same."""
    given = [pixels(told=not patience)]
    whole = fit(recipe(patience=patience, epochs=12), given, state=tmp_path / "whole")
    assert (len(whole.history) < 12) == bool(patience)
    state = tmp_path / "broken"
    script = ROOT / "tests" / "train" / "learning_for_tests.py"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    for epoch, done in ((2, 1), (2, 3), (7, 2)):
        words = [str(state), str(epoch), str(done), str(patience)]
        ended = subprocess.run(
            [sys.executable, str(script), *words], env=environment, capture_output=True, check=False
        )
        assert ended.returncode == -signal.SIGKILL, ended.stderr
    learnt: list[Progress] = []
    again = fit(recipe(patience=patience, epochs=12), given, state=state, report=learnt.append)
    assert learnt[0].epoch == 7
    assert same(whole, again)
    assert told(whole.history) == told(again.history)
    assert whole.kept_epoch == again.kept_epoch


def test_a_run_without_hope_stops_early_and_keeps_its_best_weights(tmp_path):
    given = pixels(told=False)
    trained = fit(recipe(patience=3, epochs=40), [given], state=tmp_path)
    counted = [row for row in trained.history if row.epoch > 20]
    best = min(counted, key=lambda row: row.validation_loss)
    assert trained.kept_epoch == best.epoch
    assert len(trained.history) == best.epoch + 3 < 40
    # The weights are those of that epoch: a run whose last epoch it is has the same.
    alone = fit(recipe(patience=3, epochs=40), [given], state=tmp_path)
    assert same(trained, alone)


def test_small_pictures_do_not_count_as_best(tmp_path):
    """The pack will read large ones: what looked best before they came must not end the run."""
    trained = fit(
        recipe(patience=1, epochs=8, small_until=0.75), [pixels(told=False)], state=tmp_path
    )
    assert trained.kept_epoch > 6


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[: len(data) // 2],
        lambda data: b"",
        lambda data: b"this is not a checkpoint" * 100,
        lambda data: data[:5000] + bytes(64) + data[5064:],
        lambda data: data[:-30],
    ],
    ids=["cut", "empty", "foreign", "overwritten", "end lost"],
)
def test_a_damaged_checkpoint_is_set_aside_and_costs_only_time(
    tmp_path, damage: Callable[[bytes], bytes]
):
    whole = fit(recipe(epochs=2), [pixels()], state=tmp_path)
    kept = checkpoint(tmp_path)
    kept.write_bytes(damage(kept.read_bytes()))
    said: list[str] = []
    again = fit(recipe(epochs=2), [pixels()], state=tmp_path, say=said.append)
    assert said == [
        f"The checkpoint is damaged. It is kept as {kept.stem}.unusable, and training starts again."
    ]
    assert same(whole, again)


def test_any_flipped_byte_of_a_checkpoint_is_noticed_or_does_no_harm(tmp_path):
    whole = fit(recipe(epochs=1), [pixels()], state=tmp_path)
    kept = checkpoint(tmp_path)
    good = kept.read_bytes()
    rng = np.random.default_rng(0)
    for place in rng.integers(0, len(good), 60).tolist():
        bad = bytearray(good)
        bad[place] ^= 1 << int(rng.integers(8))
        kept.write_bytes(bytes(bad))
        assert same(whole, fit(recipe(epochs=1), [pixels()], state=tmp_path))


def test_a_checkpoint_of_another_network_is_not_mixed_with_this_one(tmp_path):
    whole = fit(recipe(epochs=2), [pixels()], state=tmp_path)
    kept = checkpoint(tmp_path)
    state = torch.load(kept, weights_only=True)
    state["network"].pop(next(iter(state["network"])))
    torch.save(state, kept)
    said: list[str] = []
    again = fit(recipe(epochs=2), [pixels()], state=tmp_path, say=said.append)
    assert "is of another network or version" in said[0]
    assert same(whole, again)


def test_a_checkpoint_that_learnt_from_other_samples_is_not_gone_on_with(tmp_path):
    said: list[str] = []
    fit(recipe(), [pixels()], state=tmp_path, say=said.append)
    fit(recipe(), [pixels()], state=tmp_path, say=said.append)
    assert not said
    other = fit(recipe(), [pixels(count=44)], state=tmp_path, say=said.append)
    assert "has learnt from other samples than these" in said[0]
    assert len(list(tmp_path.glob("*.unusable"))) == 1
    anew = weights(fit(recipe(), [pixels(count=44)], state=tmp_path / "anew"))
    assert all(torch.equal(value, anew[name]) for name, value in weights(other).items())


def test_a_checkpoint_cannot_run_code(tmp_path):
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "sprung",))

    fit(recipe(epochs=1), [pixels()], state=tmp_path)
    torch.save({"epoch": 0, "network": Trap()}, checkpoint(tmp_path))
    fit(recipe(epochs=1), [pixels()], state=tmp_path)
    assert not (tmp_path / "sprung").exists()


def test_a_full_disk_is_a_sentence_and_the_last_checkpoint_stays(colours, recipe_file, tmp_path):
    command = [sys.executable, "-m", "firstread", "train", str(recipe_file), "--data", str(colours)]
    command += ["--out", str(tmp_path / "packs"), "--work", str(tmp_path / "work")]

    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run(
        command, env=environment, preexec_fn=little_room, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    assert "cannot be used: File too large" in ended.stderr
    assert "whether the disk has space" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not list(tmp_path.glob("work/*"))


def test_a_loss_that_is_no_number_ends_the_run_with_the_remedy(tmp_path):
    with pytest.raises(BadConfiguration, match=r"In epoch 1 .* Lower \[schedule\] rate"):
        fit(recipe(rate=1e30, warmup=1e-6), [pixels()], state=tmp_path)
    assert not list(tmp_path.glob("*.pt"))


def test_batches_made_ahead_are_those_made_in_turn():
    from firstread.train.image.batches import _drawn

    place = devices.choose("cpu", precision="float32")
    lessons = [lesson(pixels(), place)]
    ahead = list(batches(lessons, recipe(), place, epoch=1))
    in_turn = list(_drawn(lessons, recipe(), place, epoch=1))
    assert len(ahead) == len(in_turn) == len(order(lessons, recipe(), epoch=1)) == 3
    for one, other in zip(ahead, in_turn, strict=True):
        assert torch.equal(one.images, other.images)
        assert torch.equal(one.targets, other.targets)


def test_a_mistake_in_making_batches_reaches_the_person(tmp_path):
    broken = pixels()
    wrong = replace(broken, targets=np.full_like(broken.targets, 7))
    with pytest.raises(RuntimeError, match="Class values must be smaller"):
        fit(recipe(), [wrong], state=tmp_path)


@pytest.mark.skipif(not NO_CARD, reason="there is a graphics card here")
def test_without_a_graphics_card_asking_for_one_is_refused():
    with pytest.raises(BadConfiguration, match=r"There is no graphics card .* say --device cpu"):
        devices.choose("cuda")
    assert devices.choose("auto", precision="float32").place.type == "cpu"


@pytest.mark.parametrize(
    ("wanted", "precision", "sentence"),
    [("gpu", "float32", "no device 'gpu'"), ("auto", "int8", "precision 'int8' is unknown")],
)
def test_an_unknown_device_or_precision_is_named(wanted, precision, sentence):
    with pytest.raises(BadConfiguration, match=sentence):
        devices.choose(wanted, precision=precision)


@pytest.mark.hardware
@pytest.mark.skipif(NO_CARD, reason="there is no graphics card here")
def test_a_graphics_card_learns_and_hands_its_checkpoint_to_a_processor(tmp_path):
    card, processor = devices.choose("cuda"), devices.choose("cpu", precision="float32")
    trained = fit(recipe(epochs=12), [pixels()], state=tmp_path, device=card)
    assert trained.history[-1].accuracy == 1.0
    assert next(trained.network.parameters()).device.type == "cpu"
    assert math.isfinite(trained.history[-1].loss)
    taken_over = fit(recipe(epochs=12), [pixels()], state=tmp_path, device=processor)
    assert same(trained, taken_over)


def test_a_second_source_is_learnt_beside_the_first_and_known_again(tmp_path):
    other = structs.replace(SOURCE, name="circles")
    both = structs.replace(recipe(), sources=(SOURCE, other))
    beside = replace(pixels(count=60), source=other)
    whole = fit(both, [pixels(), beside], state=tmp_path)
    said: list[str] = []
    again = fit(both, [pixels(), beside], state=tmp_path, say=said.append)
    assert same(whole, again)
    assert said == []
    changed = replace(beside, images=255 - beside.images)
    fit(both, [pixels(), changed], state=tmp_path, say=said.append)
    assert "has learnt from other samples than these" in said[0]

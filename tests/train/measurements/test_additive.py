"""The additive model: exact shares, curves that only rise, and nothing for what is missing."""
# ruff: noqa: E402  what needs the extra is imported after the skip

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from firstread.datasets import open_dataset
from firstread.runtime import open_reader
from firstread.train.measurements.additive import AdditiveReader, fit_shapes, out_of_fold
from firstread.train.recipe import Additive, find_recipe, open_recipe
from firstread.train.run import train

HOW = Additive(knots=(1.0, 5.0, 10.0), ridge=1.0, folds=4, repeats=2)


def made(n: int = 120) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    truths = (rng.random(n) < 0.4).astype(np.int64)
    rows = np.clip(np.round(rng.normal(3 + 4 * truths[:, None], 1.5, (n, 3))), 1, 10)
    rows[:, 2] = rng.integers(1, 11, n)
    rows[::15, 1] = np.nan
    return rows, truths


def test_shares_add_up_to_the_logits_and_a_missing_one_adds_nothing():
    rows, truths = made()
    shapes = fit_shapes(rows, truths, HOW)
    reader = AdditiveReader(shapes)
    logits, parts = reader(torch.tensor(rows, dtype=torch.float32))
    bias = torch.tensor([-shapes.bias / 2, shapes.bias / 2], dtype=torch.float32)
    torch.testing.assert_close(parts.sum(2) + bias, logits, rtol=0, atol=1e-5)
    assert parts[0, :, 1].tolist() == [0.0, 0.0]
    odds = (logits[:, 1] - logits[:, 0]).numpy()
    np.testing.assert_allclose(odds, shapes.log_odds(rows), atol=1e-4)


def test_no_curve_falls():
    rows, truths = made()
    shapes = fit_shapes(rows, 1 - truths, HOW)
    assert (shapes.slopes >= 0).all()
    rising = fit_shapes(rows, truths, HOW)
    assert rising.slopes[0].max() > 0.1


def measured(folder, rows, truths):
    names = [each.code for each in open_recipe(find_recipe("breast-cytology")).measurements]
    wide = np.tile(rows, 3)
    lines = ["sample_id," + ",".join(names) + ",class"]
    for number, (row, truth) in enumerate(zip(wide, truths, strict=True)):
        row[[0, 1, 2, 3, 4, 6, 7, 8]] = np.nan_to_num(row[[0, 1, 2, 3, 4, 6, 7, 8]], nan=1.0)
        cells = ["?" if np.isnan(value) else f"{value:g}" for value in row]
        lines.append(f"{number // 2}," + ",".join(cells) + f",{4 if truth else 2}")
    folder.mkdir()
    (folder / "measurements.csv").write_text("\n".join(lines) + "\n")
    return folder


def test_rows_of_one_patient_are_never_learnt_from_when_they_are_judged(tmp_path):
    rows, truths = made()
    dataset = open_dataset(measured(tmp_path / "rows", rows, truths))
    answers = out_of_fold(dataset, rows, truths, HOW, seed=1)
    assert answers.shape == (2, len(rows))
    assert ((answers > 0) == (truths == 1)).mean() > 0.85


def test_the_shipped_recipe_makes_a_pack_of_any_such_table(tmp_path):
    rows, truths = made()
    data = measured(tmp_path / "breast-cytology", rows, truths)
    recipe = open_recipe(find_recipe("breast-cytology"))
    pack = train(recipe, data=data, out=tmp_path / "packs", work=tmp_path / "work")
    reader = open_reader(pack)
    codes = [each.code for each in reader.manifest.measurements]
    high = reader.read_measurements(dict.fromkeys(codes, 9.0)).read
    low = reader.read_measurements(dict.fromkeys(codes, 1.0) | {"bare_nuclei": None}).read
    assert (high.label, low.label) == ("malignant", "benign")
    assert high.alarms == ("malignant",)
    missing = next(each for each in low.contributions if each.measurement == "bare_nuclei")
    assert missing.logits == (0.0, 0.0)

"""The study of leakage draws its sides as it says, and its page says what its rows say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from benchmarks.leakage import studies
from benchmarks.leakage.page import BEGIN, END, write_page
from benchmarks.leakage.run import ROWS

ROOT = Path(__file__).resolve().parents[2]


def pictures(count: int = 400) -> studies.Pictures:
    rng = np.random.default_rng(0)
    targets = np.arange(count) % 2
    images = rng.integers(0, 100, (count, 100, 100, 3)).astype(np.uint8)
    images[targets == 1] += 100
    # The last ten are doubles of the first ten.
    together = np.arange(count)
    together[-10:] = together[:10]
    return studies.Pictures(images=images, targets=targets, together=together)


def test_what_is_true_is_asked_of_cells_that_nobody_learnt_from():
    given = pictures()
    for seed in range(5):
        mine, aside, others = studies._drawn(given, np.random.default_rng(seed))
        assert len(mine) == 240
        assert len(aside) == 20
        assert given.targets[mine].sum() == 120
        assert given.targets[aside].sum() == 10
        seen = set(given.together[mine]) | set(given.together[aside])
        assert len(seen) == 260
        assert not seen & set(given.together[others])


def test_both_ways_are_asked_about_the_same_cells(monkeypatch):
    learnt = []

    def short(images, targets, how, *, seed):
        learnt.append(len(images))
        return studies_fit(images[:64], targets[:64], how, seed=seed)

    studies_fit = studies.fit
    monkeypatch.setattr(studies, "fit", short)
    monkeypatch.setattr(
        studies, "COPIES", studies.AllDs2020(rate=1e-3, epochs=1, rotations=1, threads=1)
    )
    found = dict(studies.copies(pictures(300), optimiser="adam", seed=1))
    done, honest = found["as it was done"], found["split first"]
    assert done["others"].n == honest["others"].n
    assert done["aside"].n == honest["aside"].n == 20
    # 0.255 of the copies there, 0.255 of the pictures here, each picture once.
    assert done["validation"].n == round(0.255 * 240 * 9)
    assert honest["validation"].n == 2 * round(0.255 * 120)
    assert abs(learnt[0] - learnt[1]) < 9


def test_tested_cells_are_of_patients_that_the_other_network_never_saw(monkeypatch):
    seen = []

    def none(images, targets, how, *, seed):
        seen.append({int(image[0, 0, 0]) for image in images})
        return studies_fit(images[:8], targets[:8], how, seed=seed)

    studies_fit = studies.fit
    monkeypatch.setattr(studies, "fit", none)
    monkeypatch.setattr(studies, "PATIENTS", studies.AllDs2020(epochs=1, threads=1))
    count = 200
    together = np.arange(count) // 10
    images = np.zeros((count, 8, 8, 3), np.uint8) + together[:, None, None, None].astype(np.uint8)
    given = studies.Pictures(images=images, targets=np.arange(count) % 2, together=together)
    ways = dict(studies.patients(given, optimiser="adam", seed=0))
    same, others = seen
    assert len(same) == len(others) == 10
    assert not same & others
    assert ways["split by picture"]["tested"].n == ways["split by patient"]["tested"].n == 20


def test_a_picture_shrinks_to_the_mean_of_nine_pixels():
    image = np.zeros((1, 100, 100, 3), np.uint8)
    image[0, :3, :3] = 90
    image[0, 0, 3] = 9
    small = studies.thirds(image)
    assert small.shape == (1, 33, 33, 3)
    assert small[0, 0, :2, 0].tolist() == [90, 1]


def row(way: str, seed: int, **accuracies: float) -> dict[str, object]:
    study = "patients" if "tested" in accuracies else "copies"
    parts = {
        part: {"n": 20, "accuracy": value, "auc": value, "recall": value, "specificity": value}
        for part, value in accuracies.items()
    }
    return {"study": study, "optimiser": "adam", "way": way, "seed": seed} | parts


ROWS_OF_PAPER = [
    *(
        row("as it was done", seed, validation=0.97 + seed / 100, aside=0.75, others=0.80)
        for seed in (0, 1)
    ),
    *(row("split first", seed, validation=0.81, aside=0.80, others=0.80) for seed in (0, 1)),
    *(row("split by picture", seed, tested=0.95) for seed in (0, 1)),
    *(row("split by patient", seed, tested=0.94) for seed in (0, 1)),
]


def test_the_page_says_how_much_too_good_each_way_is(tmp_path):
    page = tmp_path / "leakage.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write_page(ROWS_OF_PAPER, docs=tmp_path)
    text = page.read_text()
    assert "+17.5 (+11.1 to +23.9)" in text
    assert "+1.0 (+1.0 to +1.0)" in text
    assert "old" not in text
    assert text.startswith("before")
    assert text.endswith("after\n")
    first = (tmp_path / "pictures" / "leakage.svg").read_bytes()
    write_page(ROWS_OF_PAPER, docs=tmp_path)
    assert page.read_text() == text
    assert (tmp_path / "pictures" / "leakage.svg").read_bytes() == first


def test_a_page_without_a_place_is_refused(tmp_path):
    (tmp_path / "leakage.md").write_text("nothing")
    with pytest.raises(SystemExit, match="has no place"):
        write_page(ROWS_OF_PAPER, docs=tmp_path)


def test_the_committed_page_is_what_the_committed_rows_say(tmp_path):
    if not ROWS.is_file():
        pytest.skip("nothing was measured yet: make leakage")
    page = tmp_path / "leakage.md"
    page.write_text((ROOT / "docs" / "leakage.md").read_text())
    write_page(json.loads(ROWS.read_text()), docs=tmp_path)
    assert page.read_text() == (ROOT / "docs" / "leakage.md").read_text()


def test_without_the_data_it_says_so_and_ends(tmp_path):
    ran = subprocess.run(
        [sys.executable, "benchmarks/leakage/run.py", "--data", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert "Skipped copies" in ran.stdout
    assert "Skipped patients" in ran.stdout

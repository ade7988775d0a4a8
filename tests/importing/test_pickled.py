"""scikit-learn models become packs of measurements; a pickle is opened apart, or not at all."""

from __future__ import annotations

import io
import os
import pickle
import re
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

import firstread
from firstread.domain.errors import BadConfiguration, ModelRefused
from firstread.runtime import open_reader
from tests.importing.models_for_tests import imported

SOURCE = Path(firstread.__file__).parent


def table(*, classes: int = 2) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    rows = rng.uniform(1, 10, (200, 4))
    sums = rows[:, 0] + rows[:, 1] / 2 + rng.normal(0, 1, 200)
    return rows, np.digitize(sums, np.quantile(sums, np.arange(1, classes) / classes))


def saved(model: object, tmp_path: Path, *, classes: int = 2) -> Path:
    model.fit(*table(classes=classes))
    joblib.dump(model, tmp_path / "model.joblib", compress=3)
    return tmp_path / "model.joblib"


def taken(file: Path, tmp_path: Path, **said: object):
    said = {"labels": "benign,malignant", "measurements": "a,b,c,d", "ranges": "1:10"} | said
    return imported(file, tmp_path, trusted=said.pop("trusted", True), **said)


def test_a_linear_model_says_what_each_measurement_adds(tmp_path):
    model = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression())
    pack = taken(saved(model, tmp_path), tmp_path, positive="malignant")
    reader = open_reader(pack.folder)
    rows = np.random.default_rng(1).uniform(1, 10, (20, 4)).astype(np.float32)
    for row in rows:
        read = reader.read_measurements(dict(zip("abcd", map(float, row), strict=True))).read
        expected = model.predict_proba(row[np.newaxis].astype(np.float64))[0]
        found = {each.label: each.probability for each in read.findings}
        assert abs(found["malignant"] - expected[1]) < 1e-4
        bias = np.array(reader.manifest.measurements_model.bias)
        sums = bias + np.sum([each.logits for each in read.contributions], axis=0)
        assert abs(sums[1] - sums[0] - model.decision_function(row[np.newaxis])[0]) < 1e-3


def test_a_model_that_fills_in_what_is_missing_may_be_given_less(tmp_path):
    filling = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression())
    reader = open_reader(taken(saved(filling, tmp_path), tmp_path).folder)
    row = {"a": 5.0, "b": None, "c": 2.0, "d": 7.0}
    said = filling.predict_proba([[5.0, np.nan, 2.0, 7.0]])[0][1]
    found = {each.label: each.probability for each in reader.read_measurements(row).read.findings}
    assert found["malignant"] == pytest.approx(said, abs=1e-4)
    plain = taken(saved(LogisticRegression(), tmp_path), tmp_path, name="plain")
    assert not any(each.may_be_missing for each in open_reader(plain.folder).manifest.measurements)


def test_a_forest_is_read_without_contributions_and_says_so(tmp_path):
    model = RandomForestClassifier(12, random_state=0)
    file = saved(model, tmp_path, classes=3)
    pack = taken(file, tmp_path, labels="low,middle,high")
    assert any("no contributions: a RandomForestClassifier is no sum" in each for each in pack.says)
    reader = open_reader(pack.folder)
    rows = np.random.default_rng(1).uniform(1, 10, (20, 4)).astype(np.float32)
    for row in rows:
        read = reader.read_measurements(dict(zip("abcd", map(float, row), strict=True))).read
        found = [
            next(f.probability for f in read.findings if f.label == c)
            for c in reader.manifest.codes
        ]
        assert np.abs(found - model.predict_proba(row[np.newaxis])[0]).max() < 1e-4
        assert read.contributions == ()
    assert "cannot say what each contributes" in (pack.folder / "card.md").read_text()


def test_margins_without_probabilities_are_said_to_be_that(tmp_path):
    pack = taken(saved(LinearSVC(), tmp_path, classes=3), tmp_path, labels="low,middle,high")
    assert any("gives no probabilities" in each for each in pack.says)


def test_without_the_flag_no_pickle_is_opened(tmp_path):
    file = saved(LogisticRegression(), tmp_path)
    with pytest.raises(ModelRefused, match="--i-trust-this-pickle"):
        taken(file, tmp_path, trusted=False)
    with pytest.raises(BadConfiguration, match="takes measurements, not pictures"):
        taken(file, tmp_path, size="224")
    with pytest.raises(BadConfiguration, match="Leave --samples out"):
        taken(file, tmp_path, wanted={"samples": tmp_path})
    with pytest.raises(BadConfiguration, match=r"2 classes apart .0, 1., and 3 labels are named"):
        taken(file, tmp_path, labels="a,b,c")


class Writes:
    """What a hostile pickle does when it is opened."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (os.system, (f"touch {self.path}",))


class Opens(Writes):
    def __reduce__(self):
        return (open, (str(self.path), "w"))


@pytest.mark.parametrize("kind", [Writes, Opens])
def test_a_pickle_that_would_write_a_file_writes_none(tmp_path, kind):
    trace = tmp_path / "was-here"
    (tmp_path / "evil.pkl").write_bytes(pickle.dumps(kind(trace)))
    with pytest.raises(ModelRefused, match=r"asks for '(posix|nt|builtins|io|_io)\."):
        taken(tmp_path / "evil.pkl", tmp_path)
    hidden = io.BytesIO()
    joblib.dump({"model": LogisticRegression(), "more": kind(trace)}, hidden)
    (tmp_path / "evil.joblib").write_bytes(hidden.getvalue())
    with pytest.raises(ModelRefused, match="asks for"):
        taken(tmp_path / "evil.joblib", tmp_path)
    assert not trace.exists()
    assert not list(tmp_path.glob("packs/*"))


def test_a_pickle_of_something_else_or_cut_short_gets_a_sentence(tmp_path):
    (tmp_path / "list.pkl").write_bytes(pickle.dumps([1, 2, 3]))
    with pytest.raises(ModelRefused, match="no classifier of scikit-learn"):
        taken(tmp_path / "list.pkl", tmp_path)
    whole = saved(LogisticRegression(), tmp_path).read_bytes()
    (tmp_path / "cut.joblib").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelRefused, match="cannot be opened"):
        taken(tmp_path / "cut.joblib", tmp_path)


def test_no_pickle_is_opened_anywhere_else():
    """Neither the clinic nor a reader could: the source holds nothing that opens one."""
    opens = re.compile(
        r"^\s*(?:import|from) (?:pickle|joblib|dill|cloudpickle|shelve|marshal)\b"
        r"|allow_pickle=True|torch\.load\((?!.*weights_only=True)",
        re.MULTILINE,
    )
    found = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        if opens.search(path.read_text(encoding="utf-8"))
    }
    # The one opens them, in a process of its own; the other knows what torch raises of them.
    assert found <= {
        "importing/pickle_apart.py",
        "importing/torch_weights.py",
        "train/checkpoint.py",
    }
    apart = (SOURCE / "importing" / "torch_weights.py").read_text()
    assert "pickle.load" not in apart
    assert "weights_only=True" in apart

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
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler
from sklearn.svm import LinearSVC

import firstread
from firstread.domain.errors import BadConfiguration, ModelRefused
from firstread.runtime import open_reader
from tests.importing.models_for_tests import imported

SOURCE = Path(firstread.__file__).parent
NAMED = Path(__file__).parent / "files" / "lr_named.joblib"
"""Its classes are benign and malignant, its columns a, b and c."""


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


def answers_as_the_model(model: object, folder: Path) -> None:
    """Each row is answered as the model answers it, label by label in the file's order."""
    reader = open_reader(folder)
    rows = np.random.default_rng(2).uniform(1, 10, (12, 4)).astype(np.float32)
    for row in rows:
        read = reader.read_measurements(dict(zip("abcd", map(float, row), strict=True))).read
        found = {each.label: each.probability for each in read.findings}
        expected = model.predict_proba(row[np.newaxis])[0]
        assert np.abs([found[code] for code in reader.manifest.codes] - expected).max() < 1e-4


def hist() -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(max_iter=8, random_state=0)


@pytest.mark.parametrize(
    ("model", "classes"),
    [
        (hist(), 2),
        (CalibratedClassifierCV(hist(), cv=2), 3),
        (VotingClassifier([("a", LogisticRegression()), ("b", hist())], voting="soft"), 2),
        (GridSearchCV(LogisticRegression(), {"C": [1, 10]}, cv=2), 3),
        (GradientBoostingClassifier(n_estimators=4), 2),
        (MLPClassifier((4,), tol=10.0, random_state=0), 3),
        (make_pipeline(StandardScaler(with_mean=False), LogisticRegression()), 2),
        (make_pipeline(StandardScaler(with_std=False), LogisticRegression()), 3),
        (make_pipeline(StandardScaler(with_mean=False, with_std=False), LogisticRegression()), 2),
        (make_pipeline(StandardScaler(with_mean=False), hist()), 3),
        (make_pipeline(RobustScaler(with_centering=False), LogisticRegression()), 2),
        (make_pipeline(RobustScaler(with_scaling=False), LogisticRegression()), 3),
        (make_pipeline(MinMaxScaler((-1, 1)), LogisticRegression()), 2),
        (make_pipeline(MinMaxScaler(clip=True), LogisticRegression()), 3),
        (make_pipeline(MaxAbsScaler(), LogisticRegression()), 2),
        (make_pipeline(make_pipeline(SimpleImputer(), RobustScaler()), LogisticRegression()), 3),
    ],
)
def test_what_the_docs_promise_converts_and_answers_the_same(tmp_path, model, classes):
    file = saved(model, tmp_path, classes=classes)
    labels = "benign,malignant" if classes == 2 else "low,middle,high"
    answers_as_the_model(model, taken(file, tmp_path, labels=labels).folder)


def test_a_linear_model_of_two_classes_without_probabilities_converts(tmp_path):
    assert taken(saved(RidgeClassifier(), tmp_path), tmp_path).folder.is_dir()


def test_labels_and_measurements_in_another_order_are_put_in_the_file_s_and_told(tmp_path):
    row = {"a": 2.0, "b": 1.0, "c": 1.0}
    read = {}
    for name, labels, columns in (
        ("right", "benign,malignant", "a,b,c"),
        ("turned", "Malignant,BENIGN", "c,b,a"),
    ):
        pack = taken(NAMED, tmp_path, name=name, labels=labels, measurements=columns)
        found = open_reader(pack.folder).read_measurements(row).read
        read[name] = {each.label.casefold(): each.probability for each in found.findings}
        told = "\n".join(pack.says)
        turned = name == "turned"
        assert (
            "classes are benign, malignant; the labels were put in that order" in told
        ) == turned
        assert ("columns are a, b, c; the measurements were put in that order" in told) == turned
    assert read["right"] == read["turned"]
    assert read["turned"]["malignant"] == pytest.approx(0.0040, abs=1e-4)  # as scikit-learn says


@pytest.mark.parametrize("labels", ["ill,well", "malignant,ill", "1,2", "0,1"])
def test_labels_that_are_not_the_file_s_classes_are_refused_with_both_named(tmp_path, labels):
    said = f"classes are benign, malignant, and the labels .* {labels.replace(',', ', ')}"
    with pytest.raises(BadConfiguration, match=said):
        taken(NAMED, tmp_path, labels=labels, measurements="a,b,c")


def test_measurements_that_are_not_the_file_s_columns_are_refused_with_both_named(tmp_path):
    with pytest.raises(BadConfiguration, match=r"columns are a, b, c, and the .* a, b, d"):
        taken(NAMED, tmp_path, measurements="a,b,d")


def test_a_recipe_may_show_the_file_s_classes_under_other_titles(tmp_path):
    (tmp_path / "r.toml").write_text(
        'kind = "import"\n[pack]\ncheck = "foreign"\n'
        + "".join(
            f'[[label]]\ncode = "{code}"\ntitle = "{title}"\npositive = {positive}\n'
            for code, title, positive in (
                ("malignant", "Bösartig", "true"), ("benign", "Gutartig", "false"),
            )
        )
    )  # fmt: skip
    pack = taken(
        NAMED, tmp_path, recipe=str(tmp_path / "r.toml"), labels=None, measurements="a,b,c"
    )
    labels = open_reader(pack.folder).manifest.labels
    assert [(each.title, each.positive) for each in labels] == [
        ("Gutartig", False),
        ("Bösartig", True),
    ]


def test_the_alarm_may_be_named_where_the_file_names_its_classes(tmp_path):
    pack = taken(NAMED, tmp_path, labels=None, measurements=None, positive="malignant")
    labels = open_reader(pack.folder).manifest.labels
    assert [(each.code, each.positive) for each in labels] == [
        ("benign", False),
        ("malignant", True),
    ]


def fitted(model: object, tmp_path: Path, *, classes: list[object], names: list[str] | None = None):
    pandas = pytest.importorskip("pandas")
    rows, truths = table(classes=len(classes))
    columns = pandas.DataFrame(rows, columns=names) if names else rows
    model.fit(columns, np.array(classes)[truths])
    joblib.dump(model, tmp_path / "model.joblib")
    return tmp_path / "model.joblib"


@pytest.mark.parametrize(
    ("classes", "told"),
    [([2, 4], "class 2 is called benign here, and 4 malignant"),
     ([0, 1], "class 0 is called benign here, and 1 malignant"),
     ([False, True], "class False is called benign here, and True malignant")],
)  # fmt: skip
def test_which_number_is_called_what_is_told(tmp_path, classes, told):
    pack = taken(fitted(LogisticRegression(), tmp_path, classes=classes), tmp_path)
    assert told in pack.says[0]


def test_labels_that_count_from_1_are_noticed(tmp_path):
    file = fitted(LogisticRegression(), tmp_path, classes=[0, 1, 2])
    with pytest.raises(BadConfiguration, match="count from 1, and the file from 0"):
        taken(file, tmp_path, labels="1,2,3")
    turned = fitted(LogisticRegression(), tmp_path, classes=[1.0, 2.0, 3.0])
    assert "1.0, 2.0, 3.0; the labels" in taken(turned, tmp_path, labels="3,1,2").says[0]


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(StandardScaler(), LogisticRegression()),
        CalibratedClassifierCV(LinearSVC(), cv=2),
        VotingClassifier([("a", LogisticRegression()), ("b", hist())], voting="soft"),
        GridSearchCV(make_pipeline(StandardScaler(), LogisticRegression()), {}, cv=2),
        make_pipeline(MinMaxScaler(), CalibratedClassifierCV(RandomForestClassifier(3), cv=2)),
    ],
    ids=["pipeline", "calibrated", "voting", "search", "calibrated in a pipeline"],
)
def test_names_are_found_wherever_the_model_keeps_them(tmp_path, model):
    file = fitted(model, tmp_path, classes=["benign", "malignant"], names=["w", "x", "y", "z"])
    with pytest.raises(BadConfiguration, match="columns are w, x, y, z"):
        taken(file, tmp_path)
    with pytest.raises(BadConfiguration, match="classes are benign, malignant"):
        taken(file, tmp_path, labels="ill,well", measurements="w,x,y,z")


def test_columns_that_are_only_counted_may_be_named(tmp_path):
    file = fitted(LogisticRegression(), tmp_path, classes=[0, 1], names=["x0", "x1", "x2", "x3"])
    assert [each.code for each in open_reader(taken(file, tmp_path).folder).manifest.measurements]


def test_a_threshold_of_its_own_is_refused_rather_than_lost(tmp_path):
    model = FixedThresholdClassifier(LogisticRegression(), threshold=0.2)
    with pytest.raises(ModelRefused, match=r"threshold of its own \(0.2\)"):
        taken(saved(model, tmp_path), tmp_path)


def test_a_model_that_answers_several_questions_is_refused(tmp_path):
    rows, truths = table()
    joblib.dump(
        RandomForestClassifier(3).fit(rows, np.stack([truths, 1 - truths], 1)),
        tmp_path / "m.joblib",
    )
    with pytest.raises(ModelRefused, match="several questions"):
        taken(tmp_path / "m.joblib", tmp_path)


@pytest.mark.parametrize("model", [hist(), GradientBoostingClassifier(n_estimators=3)])
def test_what_may_be_missing_is_compared_with_rows_that_lack_it(tmp_path, model):
    rows, truths = table()
    if isinstance(model, HistGradientBoostingClassifier):
        rows[np.random.default_rng(0).random(rows.shape) < 0.2] = np.nan
    joblib.dump(model.fit(rows, truths), tmp_path / "m.joblib")
    columns = "".join(
        f'[[measurement]]\ncode = "{code}"\nminimum = 1\nmaximum = 10\nmay_be_missing = true\n'
        for code in "abcd"
    )
    (tmp_path / "r.toml").write_text(
        f'kind = "import"\nlabels = ["benign", "malignant"]\n[pack]\ncheck = "foreign"\n{columns}'
    )
    said = {
        "recipe": str(tmp_path / "r.toml"),
        "labels": None,
        "measurements": None,
        "ranges": None,
    }
    if isinstance(model, GradientBoostingClassifier):
        with pytest.raises(ModelRefused, match="NaN"):
            taken(tmp_path / "m.joblib", tmp_path, **said)
        return
    reader = open_reader(taken(tmp_path / "m.joblib", tmp_path, **said).folder)
    read = reader.read_measurements({"a": 3.0, "c": 2.0, "d": 9.0}).read
    found = {each.label: each.probability for each in read.findings}
    expected = model.predict_proba([[3.0, np.nan, 2.0, 9.0]])[0]
    assert found["malignant"] == pytest.approx(expected[1], abs=1e-4)

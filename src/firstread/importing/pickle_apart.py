"""A program by itself: opens a pickled scikit-learn model from its input, and writes what it holds.

Run by `pickled.py` in a process of its own, which may write no file, start no program, and talk to
no network. A pickle is a program: of what it names only scikit-learn's own classes and NumPy's are
looked up, so that another's code never runs. What leaves is JSON: numbers, names, an ONNX graph.
"""

from __future__ import annotations

import base64
import ctypes
import importlib
import importlib.util
import io
import json
import os
import resource
import sys
import warnings
from typing import Any

MEMORY_BYTES = 8 * 1024**3
CPU_S = 300
_NEW_USER, _NEW_NET = 0x10000000, 0x40000000
_ROWS = 64

_PLAIN = {
    "builtins": {
        "object", "set", "frozenset", "slice", "complex", "bytearray", "list", "dict", "tuple",
        "int", "float", "str", "bool", "bytes", "range",
    },
    "copyreg": {"_reconstructor", "__newobj__"},
    "_codecs": {"encode"},
    "collections": {"OrderedDict", "defaultdict"},
    "joblib.numpy_pickle": {"NumpyArrayWrapper"},
    "numpy": {"ndarray", "dtype"},
    "numpy.ma": {"MaskedArray"},
    "numpy.ma.core": {"MaskedArray", "_mareconstruct"},
    "numpy.random._pickle": {
        "__randomstate_ctor", "__bit_generator_ctor", "__generator_ctor",
    },
    "numpy.random._mt19937": {"MT19937"},
    "numpy.random._pcg64": {"PCG64", "PCG64DXSM"},
    "numpy.random._philox": {"Philox"},
    "numpy.random._sfc64": {"SFC64"},
    "numpy.random._generator": {"Generator"},
    "numpy.random.bit_generator": {"SeedSequence", "__pyx_unpickle_SeedSequence"},
    "numpy.random.mtrand": {"RandomState"},
}  # fmt: skip
for _core in ("numpy.core", "numpy._core"):
    _PLAIN[f"{_core}.multiarray"] = {"_reconstruct", "scalar"}
    _PLAIN[f"{_core}.numeric"] = {"_frombuffer"}

_REFUSED_EVENTS = (
    "socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.spawn",
    "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate",
    "os.chmod", "os.chown", "os.putenv", "shutil.", "ftplib.", "smtplib.", "urllib.", "pty.",
    "ctypes.dlopen", "os.kill", "os.startfile", "webbrowser.",
)  # fmt: skip


class _Refused(Exception):
    """What the model would do, and is not let."""


class _Unusable(Exception):
    """Why the model cannot become a pack though it is harmless."""


def _leave_network() -> None:
    """No network where the system can take it away; only a process of one thread can leave it."""
    libc = ctypes.CDLL(None, use_errno=True)
    # A system may not allow this; the hook below refuses sockets all the same.
    libc.unshare(_NEW_USER | _NEW_NET)


def _lock_down() -> None:
    """Before anything is opened: limits of what this process may write and take."""
    for what, most in (
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_AS, MEMORY_BYTES),
    ):
        resource.setrlimit(what, (most, most))


def _watch() -> None:
    """From now on nothing of this process is written, started or sent."""

    def look(event: str, given: tuple[Any, ...]) -> None:
        if event.startswith(_REFUSED_EVENTS):
            raise _Refused(event)
        if event == "open":
            mode, flags = given[1], given[2]
            writes = isinstance(mode, str) and any(sign in mode for sign in "wax+")
            if writes or (isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)):
                raise _Refused("open to write")

    sys.addaudithook(look)


def _looked_up(module: str, name: str) -> Any:
    """The class that a pickle names, where it is one of those that models are made of."""
    if name in _PLAIN.get(module, ()):
        return getattr(importlib.import_module(module), name)
    top = module.partition(".")[0]
    if top in ("sklearn", "scipy") or module == "numpy.dtypes":
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
        of = str(getattr(found, "__module__", ""))
        rebuilds = top == "sklearn" and name.startswith(("__pyx_unpickle", "newObj"))
        is_class = isinstance(found, type) and of.partition(".")[0] == module.partition(".")[0]
        if rebuilds or (is_class and (top != "scipy" or module.startswith("scipy.sparse"))):
            return found
    raise _Refused(f"{module}.{name}")


def _opened(data: bytes) -> Any:
    numpy_pickle: Any = importlib.import_module("joblib.numpy_pickle")
    joblib: Any = importlib.import_module("joblib")

    # joblib's own reader, for its arrays and packings, with our eyes on what a pickle names.
    numpy_pickle.NumpyUnpickler.find_class = lambda _self, module, name: _looked_up(module, name)
    return joblib.load(io.BytesIO(data))


def _told(
    model: Any, *, low: list[float], high: list[float], missing: list[bool]
) -> dict[str, Any]:
    """What leaves this process of a classifier."""
    import numpy as np
    import sklearn
    from sklearn.base import BaseEstimator, is_classifier

    if (
        not isinstance(model, BaseEstimator)
        or not is_classifier(model)
        or not hasattr(model, "classes_")
    ):
        raise _Unusable("it is no classifier of scikit-learn that is fitted")
    model = _decided(model)
    count = int(model.n_features_in_)
    rng = np.random.default_rng(7)
    lows = np.array(low if len(low) == count else [(low or [0.0])[0]] * count, np.float64)
    highs = np.array(high if len(high) == count else [(high or [1.0])[0]] * count, np.float64)
    rows = rng.uniform(lows, highs, (_ROWS, count)).astype(np.float32)
    if any(missing) and len(missing) == count:
        # As measurements are missing: every other row lacks some of those that may be.
        gaps = rng.random(rows.shape) < 0.4
        gaps[::2] = False
        rows[gaps & np.array(missing)] = np.nan
    named = _with_names(rows, model) if hasattr(model, "feature_names_in_") else rows
    sure = hasattr(model, "predict_proba")
    expected = model.predict_proba(named) if sure else model.decision_function(named)
    found: dict[str, Any] = {
        "classes": _classes(model),
        "features": count,
        "names": _names(model, count),
        "made_with": str(model.__getstate__().get("_sklearn_version", "")),
        "opened_with": sklearn.__version__,
        "probabilities": sure,
        "rows": rows.tolist(),
        "expected": np.asarray(expected, np.float64).tolist(),
        "kind": type(_steps(model)[-1]).__name__,
    }
    linear = _linear(model)
    if linear is not None:
        return found | {"linear": linear}
    if not sure:
        raise _Unusable("it gives no probabilities, and is no sum over its measurements")
    return found | {"onnx": base64.b64encode(_onnx(model, count)).decode()}


def _decided(model: Any) -> Any:
    """The classifier that a search chose; what decides by a threshold of its own is refused."""
    while hasattr(model, "best_estimator_"):
        model = model.best_estimator_
    if hasattr(model, "best_threshold_") or type(model).__name__ == "FixedThresholdClassifier":
        at = getattr(model, "best_threshold_", getattr(model, "threshold", "auto"))
        raise _Unusable(
            f"it decides by a threshold of its own ({at}), which would be lost; save its "
            "estimator_, and let --calibrate find the threshold"
        )
    return model


def _classes(model: Any) -> list[str]:
    import numpy as np

    classes = model.classes_
    if isinstance(classes, list) or np.ndim(classes) != 1:
        raise _Unusable("it answers several questions at once")
    return [str(each) for each in classes]


def _names(model: Any, count: int) -> list[str]:
    """What the columns were called that it was fitted with, wherever in it that is kept."""
    names = [str(each) for each in getattr(model, "feature_names_in_", [])]
    if names:
        return names
    inner: list[Any] = [getattr(model, name, None) for name in ("estimator_", "estimator")]
    if hasattr(model, "steps"):
        inner = [step for step in (step for _, step in model.steps) if not _is_nothing(step)][:1]
    for name in ("calibrated_classifiers_", "estimators_"):
        inner += list(getattr(model, name, []))[:1]
    for each in inner:
        if each is not None and getattr(each, "n_features_in_", count) == count:
            names = _names(each, count)
            if len(names) == count:
                return names
    return []


def _with_names(rows: Any, model: Any) -> Any:
    """The rows as a table with the names that the model was fitted with, where pandas is there."""
    if importlib.util.find_spec("pandas") is None:
        return rows
    table: Any = importlib.import_module("pandas")
    return table.DataFrame(rows, columns=list(model.feature_names_in_))


def _linear(model: Any) -> dict[str, Any] | None:
    """Weights [K or 1, F] and biases of a sum over measurements, scaling folded in; or None."""
    import numpy as np

    *before, last = _steps(model)
    if not _is_sum(last):
        return None
    weights = np.atleast_2d(np.asarray(last.coef_, np.float64))
    bias = np.asarray(last.intercept_, np.float64).reshape(-1)
    if bias.size == 1 < weights.shape[0]:
        bias = np.repeat(bias, weights.shape[0])
    fill = _fill(before[0], features=weights.shape[1]) if before else None
    for step in reversed(before[1:] if fill is not None else before):
        folded = _scaling(step, features=weights.shape[1])
        if folded is None:
            return None
        centre, scale = folded
        bias = bias - weights @ (centre / scale)
        weights = weights / scale
    return {"weights": weights.tolist(), "bias": bias.tolist(), "fill": fill}


def _steps(model: Any) -> list[Any]:
    """The steps of a pipeline, also of one within another; else the model alone."""
    if not hasattr(model, "steps"):
        return [model]
    return [each for _, step in model.steps if not _is_nothing(step) for each in _steps(step)]


def _is_nothing(step: Any) -> bool:
    return step is None or (isinstance(step, str) and step == "passthrough")


def _is_sum(last: Any) -> bool:
    """Whether a model's probabilities, or its margins, follow from sums over its measurements."""
    from sklearn import discriminant_analysis, linear_model, svm

    softmax = (
        linear_model.LogisticRegression, discriminant_analysis.LinearDiscriminantAnalysis,
    )  # fmt: skip
    margins = (
        linear_model.RidgeClassifier, linear_model.Perceptron, linear_model.SGDClassifier,
        svm.LinearSVC,
    )  # fmt: skip
    if not isinstance(last, softmax + margins):
        return False
    if len(last.classes_) == 2:
        return True
    if isinstance(last, softmax):
        return bool(getattr(last, "multi_class", None) != "ovr")
    return not hasattr(last, "predict_proba")  # of several labels they are no softmax of sums


def _fill(step: Any, *, features: int) -> list[float] | None:
    """What stands in for missing measurements; None where the step does not fill them in."""
    import numpy as np
    from sklearn import impute

    if not isinstance(step, impute.SimpleImputer) or step.add_indicator:
        return None
    values = np.asarray(step.statistics_, np.float64)
    missing = step.missing_values
    plain = isinstance(missing, float) and np.isnan(missing) and values.shape == (features,)
    return values.tolist() if plain else None


def _scaling(step: Any, *, features: int) -> tuple[Any, Any] | None:
    """What a step subtracts, and then divides by; None where it does something else."""
    import numpy as np
    from sklearn import preprocessing

    none, one = np.zeros(features), np.ones(features)
    if isinstance(step, preprocessing.StandardScaler):
        # It may hold a mean that it does not subtract.
        return (step.mean_ if step.with_mean else none), (step.scale_ if step.with_std else one)
    if isinstance(step, preprocessing.RobustScaler):
        return (step.center_ if step.with_centering else none), (
            step.scale_ if step.with_scaling else one
        )
    if isinstance(step, preprocessing.MaxAbsScaler) and not getattr(step, "clip", False):
        return none, step.scale_
    if isinstance(step, preprocessing.MinMaxScaler) and not step.clip:
        return -step.min_ / step.scale_, 1 / step.scale_
    return None


def _onnx(model: Any, count: int) -> bytes:
    import numpy as np
    import skl2onnx
    from skl2onnx.common import _container
    from skl2onnx.common.data_types import FloatTensorType

    make_node = _container.make_node

    def with_plain_numbers(*given: Any, **said: Any) -> Any:
        # Of histogram boosting skl2onnx hands truth values on, which newer onnx refuses.
        for key, value in said.items():
            if isinstance(value, list) and any(isinstance(each, bool | np.bool_) for each in value):
                said[key] = [int(each) for each in value]
        return make_node(*given, **said)

    _container.make_node = with_plain_numbers
    last = _steps(model)[-1]
    if hasattr(last, "flatten_transform"):
        last.flatten_transform = False  # says how it transforms, nothing of its probabilities
    converted = skl2onnx.to_onnx(
        model,
        initial_types=[("X", FloatTensorType([None, count]))],
        options={id(last): {"zipmap": False}},
        target_opset={"": 18, "ai.onnx.ml": 3},
    )
    return bytes(converted.SerializeToString())


def main() -> int:
    """Reads a pickle from standard input; writes one JSON object to standard output."""
    asked = json.loads(sys.argv[1])
    data = sys.stdin.buffer.read()
    _leave_network()
    # Everything that is needed is imported while files may still be opened freely.
    for name in ("joblib.numpy_pickle", "skl2onnx", "sklearn.ensemble", "sklearn.pipeline"):
        importlib.import_module(name)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _lock_down()
        _watch()
        try:
            told = _told(_opened(data), **asked)
        except _Refused as error:
            told = {"refused": str(error)}
        except _Unusable as error:
            told = {"unusable": str(error)}
        except Exception as error:  # noqa: BLE001  a pickle can raise anything, and its process ends here
            told = {"error": f"{type(error).__name__}: {error}"[:400]}
    sys.stdout.write(json.dumps(told))
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

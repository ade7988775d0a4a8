"""A program by itself: opens a pickled scikit-learn model from its input, and writes what it holds.

Run by `pickled.py` in a process of its own, which may write no file, start no program, and talk to
no network. A pickle is a program: of what it names only scikit-learn's own classes and NumPy's are
looked up, so that another's code never runs. What leaves is JSON: numbers, names, an ONNX graph.
"""

from __future__ import annotations

import base64
import ctypes
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
    "numpy.random._pickle": {
        "__randomstate_ctor", "__bit_generator_ctor", "__generator_ctor",
    },
    "numpy.random._mt19937": {"MT19937"},
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
    import importlib

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
    import joblib
    from joblib import numpy_pickle

    # joblib's own reader, for its arrays and packings, with our eyes on what a pickle names.
    numpy_pickle.NumpyUnpickler.find_class = lambda _self, module, name: _looked_up(module, name)
    return joblib.load(io.BytesIO(data))


def _told(model: Any, *, low: list[float], high: list[float]) -> dict[str, Any]:
    """What leaves this process of a classifier."""
    import numpy as np
    import sklearn
    from sklearn.base import is_classifier

    if not is_classifier(model) or not hasattr(model, "classes_"):
        raise _Unusable("it is no classifier of scikit-learn that is fitted")
    count = int(model.n_features_in_)
    rng = np.random.default_rng(7)
    lows = np.array(low if len(low) == count else [(low or [0.0])[0]] * count, np.float64)
    highs = np.array(high if len(high) == count else [(high or [1.0])[0]] * count, np.float64)
    rows = rng.uniform(lows, highs, (_ROWS, count)).astype(np.float32)
    if hasattr(model, "feature_names_in_"):
        named = _with_names(rows, model)
    else:
        named = rows
    sure = hasattr(model, "predict_proba")
    expected = model.predict_proba(named) if sure else model.decision_function(named)
    found: dict[str, Any] = {
        "classes": [str(each) for each in model.classes_],
        "features": count,
        "names": [str(each) for each in getattr(model, "feature_names_in_", [])],
        "made_with": str(model.__getstate__().get("_sklearn_version", "")),
        "opened_with": sklearn.__version__,
        "probabilities": sure,
        "rows": rows.tolist(),
        "expected": np.asarray(expected, np.float64).tolist(),
        "kind": type(model.steps[-1][1] if hasattr(model, "steps") else model).__name__,
    }
    linear = _linear(model)
    if linear is not None:
        return found | {"linear": linear}
    if not sure:
        raise _Unusable("it gives no probabilities, and is no sum over its measurements")
    return found | {"onnx": base64.b64encode(_onnx(model, count)).decode()}


def _with_names(rows: Any, model: Any) -> Any:
    """The rows as a table with the names that the model was fitted with, where pandas is there."""
    try:
        import pandas as pd
    except ModuleNotFoundError:
        return rows
    return pd.DataFrame(rows, columns=list(model.feature_names_in_))


def _linear(model: Any) -> dict[str, Any] | None:
    """Weights [K or 1, F] and biases of a sum over measurements, scaling folded in; or None."""
    import numpy as np
    from sklearn import discriminant_analysis, impute, linear_model, preprocessing, svm

    steps = [step for _, step in model.steps] if hasattr(model, "steps") else [model]
    *before, last = [step for step in steps if step not in (None, "passthrough")]
    sums = (
        linear_model.LogisticRegression, linear_model.RidgeClassifier, linear_model.Perceptron,
        linear_model.SGDClassifier, svm.LinearSVC,
        discriminant_analysis.LinearDiscriminantAnalysis,
    )  # fmt: skip
    if not isinstance(last, sums):
        return None
    several = len(last.classes_) > 2
    softmax = isinstance(
        last, linear_model.LogisticRegression | discriminant_analysis.LinearDiscriminantAnalysis
    )
    if several and hasattr(last, "predict_proba") and not softmax:
        return None  # its probabilities are no softmax of sums
    if several and softmax and getattr(last, "multi_class", None) == "ovr":
        return None
    weights = np.asarray(last.coef_, np.float64)
    bias = np.asarray(last.intercept_, np.float64).reshape(-1)
    if bias.size == 1 < weights.shape[0]:
        bias = np.repeat(bias, weights.shape[0])
    fill = None
    for step in reversed(before):
        if isinstance(step, preprocessing.StandardScaler):
            scale = np.ones(weights.shape[1]) if step.scale_ is None else step.scale_
            centre = np.zeros(weights.shape[1]) if step.mean_ is None else step.mean_
        elif isinstance(step, preprocessing.MinMaxScaler):
            if step.clip:
                return None
            scale, centre = 1 / step.scale_, -step.min_ / step.scale_
        elif isinstance(step, preprocessing.MaxAbsScaler):
            scale, centre = step.scale_, np.zeros(weights.shape[1])
        elif isinstance(step, preprocessing.RobustScaler):
            scale = np.ones(weights.shape[1]) if step.scale_ is None else step.scale_
            centre = np.zeros(weights.shape[1]) if step.center_ is None else step.center_
        elif isinstance(step, impute.SimpleImputer) and step is before[0]:
            if step.add_indicator or not np.isnan(step.missing_values):
                return None
            fill = np.asarray(step.statistics_, np.float64)
            if fill.shape != (weights.shape[1],):
                return None
            continue
        else:
            return None
        bias = bias - weights @ (centre / scale)
        weights = weights / scale
    return {
        "weights": weights.tolist(),
        "bias": bias.tolist(),
        "fill": None if fill is None else fill.tolist(),
    }


def _onnx(model: Any, count: int) -> bytes:
    import skl2onnx
    from skl2onnx.common.data_types import FloatTensorType

    last = model.steps[-1][1] if hasattr(model, "steps") else model
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
    import joblib.numpy_pickle  # noqa: F401
    import skl2onnx  # noqa: F401
    import sklearn.ensemble
    import sklearn.pipeline  # noqa: F401

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _lock_down()
        _watch()
        try:
            told = _told(_opened(data), low=asked["low"], high=asked["high"])
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

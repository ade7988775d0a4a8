"""Figures as plain JSON values: the form that `firstread evaluate --json` prints."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from firstread.evaluation.alarms import AlarmFigures
from firstread.evaluation.evaluation import BeatFigures, Evaluation
from firstread.evaluation.further_figures import Compared, More
from firstread.evaluation.metrics import Share

_TOLD = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)
"""The thresholds at which net benefit is told."""


def as_plain(found: Evaluation) -> dict[str, Any]:
    """The figures as plain JSON values; NaN becomes null."""
    first_five = found.figures.get("top_five_accuracy")
    plain: dict[str, Any] = {
        "pack": found.pack,
        "version": found.version,
        "dataset": found.dataset,
        "n": found.n,
        "patients": found.answers.patients,
        "intervals_by": "sample" if found.answers.clusters is None else "patient",
        **_shares("accuracy", found.accuracy),
        **(_shares("top_five_accuracy", first_five) if first_five else {}),
        "balanced_accuracy": found.balanced_accuracy,
        "auc": found.auc,
        "f1": found.f1,
        "figures": {name: asdict(each) for name, each in found.figures.items()},
        "labels": _labels(found),
        "sensitivity": {each.label: asdict(each.sensitivity) for each in found.labels},
        "specificity": {each.label: asdict(each.specificity) for each in found.labels},
        "ppv": {each.label: asdict(each.ppv) for each in found.labels},
        "npv": {each.label: asdict(each.npv) for each in found.labels},
        "ece": found.ece,
        "ece_debiased": found.ece_debiased,
        "calibration_line": asdict(found.line),
        "reliability": [asdict(each) for each in found.reliability],
        **_shares("coverage", found.coverage),
        "mean_set_size": found.mean_set_size,
        "alarms": {each.code: _alarm(each) for each in found.alarms},
        "set_aside": [asdict(each) for each in found.kept],
        "unfamiliar": found.unfamiliar / found.n,
        "unfamiliar_n": found.unfamiliar,
        "unfit_n": found.unfit,
        "ms": found.ms,
        "confusion": {
            "labels": [each.label for each in found.labels],
            "rows": [list(row) for row in found.confusion],
        },
        "warnings": list(found.warnings),
        "unreadable": list(found.unreadable),
    }
    if found.beats is not None:
        plain["beats"] = _beats(found.beats)
    cleaned: dict[str, Any] = without_nan(plain)
    return cleaned


def _beats(found: BeatFigures) -> dict[str, Any]:
    """What only recordings have: `aami` counts beats that were missed, or found where none is."""
    return {
        "detection": {
            "sensitivity": asdict(found.detection_sensitivity),
            "ppv": asdict(found.detection_ppv),
        },
        "aami": {
            each.label: {
                "n": each.n,
                "sensitivity": asdict(each.sensitivity),
                "ppv": asdict(each.ppv),
            }
            for each in found.labels
        },
        "records": [asdict(each) for each in found.records],
    }


def whole_as_plain(found: Evaluation, more: More) -> dict[str, Any]:
    """The figures, and what was asked beside them under keys of its own."""
    plain: dict[str, Any] = {}
    if more.subgroups:
        plain["subgroups"] = {
            by: [asdict(each) for each in values] for by, values in more.subgroups.items()
        }
    if more.compared is not None:
        plain["against"] = _compared(more.compared)
    if more.foreign:
        plain["familiarity_against"] = [asdict(each) for each in more.foreign]
    if more.spoiled:
        plain["spoiled"] = [asdict(each) for each in more.spoiled]
    cleaned: dict[str, Any] = without_nan(plain)
    return as_plain(found) | cleaned


def _compared(given: Compared) -> dict[str, Any]:
    found = given.comparison
    return {
        "first": given.first,
        "second": given.second,
        "n": found.n,
        "intervals_by": "patient" if found.by_patient else "sample",
        "sentence": given.sentence,
        "mcnemar": asdict(found.mcnemar) | {"p": found.mcnemar.p},
        "differences": {name: asdict(each) for name, each in found.differences.items()},
        "auc": {
            code: asdict(each.difference) | {"p": each.p} for code, each in found.areas.items()
        },
        "differing": [asdict(each) for each in found.differing],
    }


def _shares(name: str, share: Share) -> dict[str, float]:
    return {name: share.value, f"{name}_low": share.low, f"{name}_high": share.high}


def _labels(found: Evaluation) -> dict[str, Any]:
    return {
        each.label: {
            "n": each.n,
            "auc": each.auc,
            "auc_low": more.auc.low,
            "auc_high": more.auc.high,
            "f1": each.f1,
            "average_precision": more.average_precision,
            **_shares("coverage", more.coverage),
            "mean_set_size": more.mean_set_size,
        }
        for each, more in zip(found.labels, found.more, strict=True)
    }


def _alarm(found: AlarmFigures) -> dict[str, Any]:
    gain, useful = found.benefit, found.benefit.useful()
    places = [int(np.argmin(np.abs(gain.thresholds - at))) for at in _TOLD]
    return {
        "n": found.n,
        "auc": asdict(found.auc),
        "average_precision": asdict(found.average_precision),
        **({} if found.at_alarm is None else asdict(found.at_alarm)),
        "sensitivity_at_specificity": {f"{at:g}": asdict(s) for at, s in found.sensitivity_at},
        "specificity_at_sensitivity": {f"{at:g}": asdict(s) for at, s in found.specificity_at},
        "calibration_line": asdict(found.line),
        "net_benefit": [
            {
                "threshold": float(gain.thresholds[place]),
                "pack": float(gain.of_pack[place]),
                "all": float(gain.of_all[place]),
            }
            for place in places
        ],
        "useful_from": useful[0] if useful else None,
        "useful_to": useful[1] if useful else None,
    }


def without_nan(value: Any) -> Any:
    """The same value with null for what is not known, and six decimals."""
    if isinstance(value, Mapping):
        return {key: without_nan(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(each) for each in value]
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value

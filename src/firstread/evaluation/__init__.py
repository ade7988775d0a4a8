"""How well a pack reads: metrics, intervals and plots, on the lean install."""

from firstread.evaluation.evaluate import Evaluation, evaluate
from firstread.evaluation.metrics import (
    LabelFigures,
    Share,
    auc,
    bootstrap_auc,
    calibration_error,
    confusion,
    mean_of,
    of_labels,
    wilson,
)

__all__ = [
    "Evaluation",
    "LabelFigures",
    "Share",
    "auc",
    "bootstrap_auc",
    "calibration_error",
    "confusion",
    "evaluate",
    "mean_of",
    "of_labels",
    "wilson",
]

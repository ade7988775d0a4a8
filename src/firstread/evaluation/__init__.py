"""How well a pack reads: metrics, intervals, comparison and plots, on the lean install."""

from firstread.evaluation.answers import Answers, read_dataset
from firstread.evaluation.evaluate import evaluate
from firstread.evaluation.evaluation import Evaluation
from firstread.evaluation.figures import measured
from firstread.evaluation.metrics import (
    LabelFigures,
    Share,
    auc,
    calibration_error,
    confusion,
    mean_of,
    of_labels,
    share_of,
    wilson,
)
from firstread.evaluation.plain import as_plain

__all__ = [
    "Answers",
    "Evaluation",
    "LabelFigures",
    "Share",
    "as_plain",
    "auc",
    "calibration_error",
    "confusion",
    "evaluate",
    "mean_of",
    "measured",
    "of_labels",
    "read_dataset",
    "share_of",
    "wilson",
]

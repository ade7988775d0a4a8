"""Melodies are measured one by one."""

from firstread.evaluation.figures import evaluate_samples
from firstread.evaluation.kinds import KindOfEvaluation

KIND = KindOfEvaluation(evaluate=evaluate_samples)

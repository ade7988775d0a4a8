"""Recordings: measured beat by beat, of which tables say nothing."""

from firstread.evaluation.beats import evaluate_recordings
from firstread.evaluation.kinds import KindOfEvaluation

KIND = KindOfEvaluation(evaluate=evaluate_recordings, in_tables=False)

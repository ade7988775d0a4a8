"""Recordings: the bytes of an electrocardiogram become leads in millivolts, and its beats."""

from firstread.recordings.opening import is_recording, open_recording
from firstread.recordings.pair import is_pair, join_pair
from firstread.recordings.recording import Recording

__all__ = ["Recording", "is_pair", "is_recording", "join_pair", "open_recording"]

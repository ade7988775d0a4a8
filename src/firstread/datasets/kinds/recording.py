"""Recordings are labelled beat by beat, in annotations beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from firstread.datasets.dataset import Dataset
from firstread.datasets.forms.records import beats_of
from firstread.datasets.kinds import KindOfSamples, Seen
from firstread.domain.errors import BadDataset, UnreadableSample
from firstread.recordings import open_recording


def _look(dataset: Dataset, *, step: Callable[[], None] = lambda: None) -> Seen:
    errors: dict[int, str] = {}
    for number, item in enumerate(dataset.items):
        try:
            open_recording(dataset.data(item))
        except (BadDataset, UnreadableSample) as error:
            errors[number] = str(error)
        step()
    return Seen(errors=errors)


def _count(dataset: Dataset) -> Mapping[str, int]:
    return Counter(label for item in dataset.items for label in beats_of(dataset, item).labels)


KIND = KindOfSamples(look=_look, count=_count)

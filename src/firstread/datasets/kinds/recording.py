"""Recordings are labelled beat by beat, in annotations beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace

from firstread.datasets.dataset import Dataset, Item
from firstread.datasets.forms.annotations import true_beats
from firstread.datasets.forms.records import ANNOTATED, annotated, beats_of
from firstread.datasets.kinds import KindOfSamples, Seen, sample_of
from firstread.datasets.sample import Sample, Stored
from firstread.dicom.pixels import is_dicom
from firstread.domain.errors import BadDataset, UnreadableSample
from firstread.recordings import open_recording

_MARKS = {b"PK\x03\x04": ".zip", b"0       ": ".edf"}
"""What the bytes of recordings begin with; tables are text."""


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


def _give(dataset: Dataset, item: Item) -> Sample:
    """With the annotations as they were written, whose words are finer than a label."""
    sample = sample_of(dataset, item)
    columns = {name: value for name, value in item.columns if name != ANNOTATED}
    return replace(sample, annotations=dataset.fetch(annotated(item)), columns=columns)


def _stored(sample: Sample) -> Stored:
    if not sample.data or not sample.annotations or sample.measurements:
        raise BadDataset(
            f"The sample {sample.name[:200]!r} is no annotated recording: it needs the bytes of "
            "the recording and the annotations of its beats, and no measurements."
        )
    if not true_beats(sample.annotations, name=sample.name[:200]).labels:
        raise BadDataset(
            f"The annotations of {sample.name[:200]!r} name no beat. Take the recording out."
        )
    known = next((end for mark, end in _MARKS.items() if sample.data.startswith(mark)), ".csv")
    ending = ".dcm" if is_dicom(sample.data) else known
    return Stored(ending=ending, data=sample.data, beside={ANNOTATED: (".atr", sample.annotations)})


KIND = KindOfSamples(look=_look, stored=_stored, give=_give, count=_count)

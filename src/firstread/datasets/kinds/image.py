"""Pictures are decoded once, small, and compared by what they show."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from firstread.datasets.dataset import Dataset
from firstread.datasets.kinds import KindOfSamples, Seen
from firstread.datasets.pictures.looks import Looks, look_at
from firstread.datasets.pictures.near import NearDuplicates, find_near_duplicates
from firstread.datasets.pictures.rows import rows_of
from firstread.datasets.sample import Sample, Stored
from firstread.dicom.pixels import header_of, is_dicom, png_of
from firstread.domain.errors import BadDataset, UnreadableSample
from firstread.imaging import thumbnail

_SIDE_PX = 112
_MARKS = {
    b"\x89PNG": ".png",
    b"\xff\xd8": ".jpg",
    b"II*\0": ".tif",
    b"MM\0*": ".tif",
    b"BM": ".bmp",
    b"RIFF": ".webp",
    b"GIF8": ".gif",
}
"""What the bytes of pictures begin with."""


def _look(dataset: Dataset, *, step: Callable[[], None] = lambda: None) -> Seen:
    looks = look_at(dataset, step=step)
    return Seen(errors=looks.errors, looks=looks)


def _looks(seen: Seen) -> Looks:
    if seen.looks is None:
        raise ValueError("Pictures are compared after they were looked at.")
    return seen.looks


def _near(seen: Seen) -> NearDuplicates:
    return find_near_duplicates(_looks(seen).grey)


def _describe(dataset: Dataset, seen: Seen) -> NDArray[np.float64]:  # noqa: ARG001  as every kind
    return rows_of(_looks(seen))


def _thumbnail(data: bytes) -> bytes:
    return thumbnail(data, max_side_px=_SIDE_PX)


def _stored(sample: Sample) -> Stored:
    """The bytes as they came. A DICOM file says whose it is, so that its picture alone is kept."""
    data = sample.data
    if not data or sample.measurements or sample.annotations:
        raise BadDataset(
            f"The sample {sample.name[:200]!r} is no picture: it needs bytes, and neither "
            "measurements nor annotations."
        )
    if is_dicom(data):
        data = _one_frame(data, name=sample.name)
    known = next((ending for mark, ending in _MARKS.items() if data.startswith(mark)), ".bin")
    return Stored(ending=known, data=data)


def _one_frame(data: bytes, *, name: str) -> bytes:
    try:
        frames = header_of(data).frames
        if frames != 1:
            raise BadDataset(
                f"The DICOM file {name[:200]!r} holds {frames} frames, of which each is a sample. "
                "Give them one by one."
            )
        return png_of(data)
    except UnreadableSample as why:
        raise BadDataset(f"{name[:200]!r} cannot be written: {why}") from why


KIND = KindOfSamples(
    look=_look,
    stored=_stored,
    one="picture",
    near=_near,
    describe=_describe,
    told_apart_by="colours, shades and edges",
    thumbnail=_thumbnail,
)

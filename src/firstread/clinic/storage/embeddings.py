"""Embeddings as they lie in the rows of reads, and those of many reads as one array.

What a network made of a sample before it named it: samples that look alike to it lie near each
other. Of a recording it is the mean over its beats, of which a day has 100,000.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from django.db.models import QuerySet
from numpy.typing import NDArray

from firstread.clinic.models import ReadRow

_LARGEST = float(np.finfo(np.float16).max)


@dataclass(frozen=True, kw_only=True, eq=False)
class Embeddings:
    """Those of N reads, in the order of their ids."""

    ids: NDArray[np.int64]
    """[N]: of the rows."""
    vectors: NDArray[np.float32]
    """[N, D]"""


def pack_embedding(vector: NDArray[np.float32] | None) -> bytes | None:
    """The embedding [D] as little-endian float16, 2 D bytes: 384 for 192 numbers.

    What half precision cannot hold becomes the largest that it can. None where there is no
    embedding, or where it holds what is no number and so says nothing of the sample.
    """
    if vector is None or np.isnan(vector).any():
        return None
    return vector.clip(-_LARGEST, _LARGEST).astype("<f2").tobytes()


def unpack_embedding(data: bytes) -> NDArray[np.float32]:
    """The embedding [D] that `pack_embedding` made into bytes, as half precision kept it."""
    return np.frombuffer(data, dtype="<f2").astype(np.float32)


def embeddings_of(reads: QuerySet[ReadRow]) -> Embeddings:
    """Those that the reads have; reads without one are left out.

    Raises ValueError where they are not of one length: the embeddings of different packs cannot
    be compared, so ask for reads of one `pack_sha256`.
    """
    rows = reads.filter(embedding__isnull=False).order_by("pk").values_list("pk", "embedding")
    ids, pieces = [], []
    for pk, data in rows.iterator():
        if data is not None:
            ids.append(pk)
            pieces.append(bytes(data))
    if len({len(piece) for piece in pieces}) > 1:
        raise ValueError("these reads are of packs whose embeddings differ in length")
    whole = unpack_embedding(b"".join(pieces))
    return Embeddings(
        ids=np.array(ids, dtype=np.int64), vectors=whole.reshape(len(ids), -1 if ids else 0)
    )

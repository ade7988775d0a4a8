"""A melody is read by how often it has each note."""

import numpy as np

from firstread.packs import Manifest
from firstread.runtime.kinds import KindOfRead
from firstread.runtime.open_pack import OpenPack, Outcome
from tests.melody_for_tests import NOTES, notes_of


def _read(pack: OpenPack, data: bytes, *, sample_sha256: str, began: float) -> Outcome:
    outputs = pack.run(notes_of(data)[np.newaxis])
    return pack.outcome(sample_sha256, outputs, began=began, vector=None)


def _shape(manifest: Manifest) -> tuple[int, ...]:
    return (len(NOTES),)


KIND = KindOfRead(
    input="notes",
    element=np.float32,
    axes="NT",
    outputs={"logits": "NK"},
    shape=_shape,
    read=_read,
)

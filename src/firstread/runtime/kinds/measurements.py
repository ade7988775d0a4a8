"""A row of measurements: checked one by one, and read with what each adds to the answer."""

from __future__ import annotations

import hashlib
import math
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firstread.domain.errors import BadMeasurement
from firstread.domain.read import Contribution
from firstread.packs import Manifest
from firstread.runtime.kinds import KindOfRead
from firstread.runtime.measurements import (
    Given,
    as_array,
    contributions_of,
    measurements_as_bytes,
    measurements_of,
)
from firstread.runtime.open_pack import OpenPack, Outcome, of_one


def _read(pack: OpenPack, data: bytes, *, sample_sha256: str, began: float) -> Outcome:
    return _outcome(
        pack,
        measurements_of(data, measurements=pack.manifest.measurements),
        sample_sha256=sample_sha256,
        began=began,
    )


def _read_row(pack: OpenPack, values: Given) -> Outcome:
    began = time.perf_counter()
    as_array(values, measurements=pack.manifest.measurements)  # first, for its sentences
    named = hashlib.sha256(measurements_as_bytes(values)).hexdigest()
    return _outcome(pack, values, sample_sha256=named, began=began)


def _outcome(pack: OpenPack, values: Given, *, sample_sha256: str, began: float) -> Outcome:
    manifest = pack.manifest
    row = as_array(values, measurements=manifest.measurements)
    outputs = pack.run(row[np.newaxis])
    parts = of_one(outputs, "contributions")
    if parts is None or manifest.measurements_model is None:
        contributions: tuple[Contribution, ...] = ()  # the network is not a sum over them
    else:
        contributions = contributions_of(row, parts, measurements=manifest.measurements)
    return pack.outcome(
        sample_sha256, outputs, began=began, vector=row, contributions=contributions
    )


def _shape(manifest: Manifest) -> tuple[int, ...]:
    return (len(manifest.measurements),)


def _lowest(manifest: Manifest) -> list[float]:
    return [each.minimum for each in manifest.measurements]


def _checked(values: NDArray[Any], manifest: Manifest) -> list[NDArray[Any]]:
    codes = [each.code for each in manifest.measurements]
    rows: list[NDArray[Any]] = []
    for number, row in enumerate(values.tolist()):
        # NaN is how a tensor says that a measurement is missing.
        known = zip(codes, row, strict=True)
        given = {code: value for code, value in known if not math.isnan(value)}
        try:
            rows.append(as_array(given, measurements=manifest.measurements))
        except BadMeasurement as error:
            said = f"Row {number} of 'measurements': {error}"
            raise BadMeasurement(said, field=error.field) from None
    return rows


KIND = KindOfRead(
    input="measurements",
    element=np.float32,
    axes="NF",
    outputs={"logits": "NK", "embedding": "ND", "contributions": "NKF"},
    needed=("logits", "contributions"),
    shape=_shape,
    read=_read,
    read_row=_read_row,
    blank_values=_lowest,
    checked=_checked,
)

"""Measurements come in as rows; that two are equal says nothing of whose they are."""

from collections.abc import Mapping

from firstread.clinic.steps.kinds import KindOfCase
from firstread.packs import Manifest
from firstread.runtime.measurements import as_array, measurements_as_bytes


def _row(values: Mapping[str, float | None], manifest: Manifest) -> bytes:
    as_array(values, measurements=manifest.measurements)  # refuses what the pack would refuse
    return measurements_as_bytes({m.code: values.get(m.code) for m in manifest.measurements})


KIND = KindOfCase(row=_row, equal_tells=False)

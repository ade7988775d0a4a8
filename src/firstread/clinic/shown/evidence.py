"""The evidence map of a label as a transparent picture to lay over the sample."""

from __future__ import annotations

from firstread.clinic.checks.checks import manifest_named
from firstread.clinic.models import ReadRow
from firstread.clinic.storage.evidence_bytes import unpack_array
from firstread.clinic.storage.reads import codes_of, maps_of
from firstread.domain.errors import UnknownCase
from firstread.imaging.overlay import overlay_png


def png(case_sample_id: int, *, label: str) -> bytes:
    """The overlay of the first read's map for a label, in the proportions of the sample.

    Raises UnknownCase where there is no such sample, read, map or label.
    """
    row = (
        ReadRow.objects.select_related("case_sample__sample", "case_sample__case__check_row")
        .filter(case_sample=case_sample_id)
        .first()
    )
    if row is None or row.evidence is None:
        raise UnknownCase("This sample has no evidence map. Read the case without one.")
    if label not in codes_of(row):
        raise UnknownCase("The pack that read this sample has no such label. Open the case anew.")
    maps = maps_of(row)
    if label not in maps:
        raise UnknownCase(
            "Of so many labels the maps of the most probable are kept. Choose one of those."
        )
    sample, given = row.case_sample.sample, manifest_named(row.pack).input
    return overlay_png(
        unpack_array(bytes(row.evidence))[maps.index(label)],
        sample_px=(sample.width_px or 1, sample.height_px or 1),
        network_px=(given.width_px, given.height_px) if given else None,
        fit=given.fit if given else "stretch",
    )

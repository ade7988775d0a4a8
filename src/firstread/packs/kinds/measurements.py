"""A pack of measurements names each with its unit and range."""

from collections.abc import Iterator

from firstread.packs.codes import repeated
from firstread.packs.kinds import KindOfPack, no_image_problems
from firstread.packs.manifest import Manifest


def _problems(manifest: Manifest) -> Iterator[str]:
    yield from no_image_problems(manifest)
    if manifest.recording is not None:
        yield "'recording' belongs to packs of kind recording"
    if not manifest.measurements:
        yield "'measurement' is missing, and a pack of kind measurements needs it"
    yield from repeated("measurement.code", (each.code for each in manifest.measurements))
    for each in manifest.measurements:
        if each.minimum >= each.maximum:
            yield f"measurement {each.code!r} has a minimum that is not below its maximum"
    model = manifest.measurements_model
    if model is not None and len(model.bias) != len(manifest.labels):
        yield "'measurements_model.bias' must have one number for each label"


KIND = KindOfPack(problems=_problems)

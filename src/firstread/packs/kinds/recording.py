"""A pack of recordings says how each beat is shown to its network."""

from collections.abc import Iterator

from firstread.packs.kinds import KindOfPack, no_image_problems
from firstread.packs.manifest import Manifest


def _problems(manifest: Manifest) -> Iterator[str]:
    yield from no_image_problems(manifest)
    if manifest.recording is None:
        yield "'recording' is missing, and a pack of kind recording needs it"


KIND = KindOfPack(problems=_problems)

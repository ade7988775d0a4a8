"""A pack of pictures says how they are made to fit its network."""

from collections.abc import Iterator

from firstread.packs.kinds import KindOfPack
from firstread.packs.manifest import Manifest


def _problems(manifest: Manifest) -> Iterator[str]:
    if manifest.input is None:
        yield "'input' is missing, and a pack of kind image needs it"


KIND = KindOfPack(problems=_problems)

"""A pack of melodies says how many octaves it hears."""

from collections.abc import Iterator

from firstread.packs import Manifest
from firstread.packs.kinds import KindOfPack
from firstread.toml import Table


class Takes(Table, frozen=True, kw_only=True):
    octaves: int


def _problems(manifest: Manifest) -> Iterator[str]:
    if (manifest.takes or {}).get("octaves", 1) > 8:
        yield "'takes.octaves' must be 8 or less"


KIND = KindOfPack(takes=Takes, problems=_problems)

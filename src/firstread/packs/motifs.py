"""The pack that tells what a picture shows: it stands on the shelf and reads for no check."""

from firstread.packs.manifest import Manifest

MOTIFS = "motifs"
"""Its name, and what stands for its check."""


def reads_for_a_check(manifest: Manifest) -> bool:
    """Whether a pack reads for a check, and is not one that packs ask."""
    return manifest.check != MOTIFS

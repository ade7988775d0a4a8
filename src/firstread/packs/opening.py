"""A `pack.toml` is opened: its text becomes a manifest, or a refusal that names the key."""

from __future__ import annotations

from pathlib import Path

from firstread.domain.errors import PackRefused
from firstread.packs.coherence import refuse_incoherent
from firstread.packs.kinds import KINDS
from firstread.packs.manifest import Manifest
from firstread.toml import Document

FORMAT = 1
"""The newest form of pack.toml that this version opens."""
PACK_TOML = Document(
    refusal=PackRefused,
    damaged="pack.toml is not TOML: {why}. Train or copy the pack again.",
    lacks="pack.toml lacks '{key}'. Train or copy the pack again.",
    unknown="pack.toml has '{key}', which this Firstread does not know. Remove it, or upgrade "
    "Firstread.",
    wrong="In pack.toml '{key}' {demand}. Train or copy the pack again.",
)


def parse_manifest(text: str) -> Manifest:
    """The manifest that the text of a `pack.toml` holds.

    Raises PackRefused, with the key's name, where a key is missing, unknown, or of a wrong type,
    and where two keys contradict each other.
    """
    table = PACK_TOML.parse(text)
    form = table.get("format")
    if type(form) is int and form > FORMAT:
        raise PackRefused(
            f"The pack has form {form}, and this Firstread opens forms up to {FORMAT}. "
            "Upgrade Firstread."
        )
    manifest = PACK_TOML.value(Manifest, table)
    refuse_incoherent(manifest)
    takes = KINDS[manifest.kind].takes
    if takes is not None:
        PACK_TOML.value(takes, manifest.takes or {}, where="takes")
    return manifest


def open_manifest(pack: str | Path) -> Manifest:
    """The manifest of the pack folder `pack`; its checksums are not looked at.

    Raises PackRefused where there is no readable `pack.toml`.
    """
    path = Path(pack) / "pack.toml"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise PackRefused(
            f"The folder '{Path(pack).name}' has no readable pack.toml. Copy the pack again."
        ) from None
    return parse_manifest(text)

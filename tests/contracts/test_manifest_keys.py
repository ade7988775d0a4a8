"""Every key of pack.toml is explained in the documentation."""

from __future__ import annotations

from pathlib import Path

from firstread.packs import manifest
from firstread.toml import Table

PAGE = Path(__file__).resolve().parents[2] / "docs" / "packs.md"


def test_every_manifest_key_is_documented():
    page = PAGE.read_text()
    kinds = [
        kind
        for kind in vars(manifest).values()
        if isinstance(kind, type) and issubclass(kind, Table)
        if kind not in (Table, manifest.Manifest)
    ]
    assert len(kinds) > 8
    keys = {key for kind in kinds for key in kind.__struct_fields__}
    assert {key for key in keys if f"`{key}`" not in page} == set()

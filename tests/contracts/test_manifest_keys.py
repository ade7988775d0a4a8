"""Every key of pack.toml is explained in the documentation."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from pathlib import Path

from firstread.packs import manifest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "packs.md"


def test_every_manifest_key_is_documented():
    page = PAGE.read_text()
    kinds = [
        kind
        for kind in vars(manifest).values()
        if is_dataclass(kind) and isinstance(kind, type) and kind is not manifest.Manifest
    ]
    assert len(kinds) > 8
    keys = {field.name for kind in kinds for field in fields(kind)}
    assert {key for key in keys if f"`{key}`" not in page} == set()

"""A check is set up from its pack; what the operator sets goes before it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from firstread.clinic.checks.checks import ensure_checks
from firstread.clinic.models import Check
from firstread.packs import find_pack, open_manifest, seal, write_manifest
from firstread.server.config import CheckSettings
from tests.clinic_for_tests import Clinic
from tests.packs_for_tests import make_pack


def test_a_check_asks_for_as_many_specialists_as_its_pack_says(
    clinic: Clinic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setenv("FIRSTREAD_PACKS", str(tmp_path))
    pack = make_pack(tmp_path)
    manifest = open_manifest(pack)
    for readers, said, wanted in [(2, None, 2), (1, None, 1), (2, 1, 1)]:
        about = replace(manifest.pack, check="sputum", readers=readers)
        write_manifest(replace(manifest, pack=about), pack)
        seal(pack)
        checks = {"sputum": CheckSettings(readers=said)}
        settings.FIRSTREAD = replace(settings.FIRSTREAD, checks=checks)
        Check.objects.filter(name="sputum").delete()
        ensure_checks()
        assert Check.objects.get(name="sputum").readers == wanted


def test_the_shipped_pack_of_marrow_cells_asks_for_two() -> None:
    assert open_manifest(find_pack("marrow-cell")).pack.readers == 2
    assert open_manifest(find_pack("blood-cell")).pack.readers == 1

"""The real files of other people's models, where they lie beside the project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def data_folder() -> Path:
    """The folder of the data beside the project; skips where there is none."""
    folder = Path(os.environ.get("FIRSTREAD_DATASETS", ROOT.parent / "shared" / "data"))
    if not (folder / "objects").is_dir():
        pytest.skip(f"there are no models of others in {folder} (FIRSTREAD_DATASETS)")
    return folder

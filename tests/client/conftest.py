"""A real server on loopback, with people and their tokens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def server(live_server: Any, shelf: Path) -> str:
    from tests.programs_for_tests import open_clinic

    open_clinic()
    return str(live_server.url)

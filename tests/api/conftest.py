"""A clinic with two checks, and programs that call its API."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def clinic(transactional_db: None, shelf: Path) -> None:
    from tests.programs_for_tests import open_clinic

    open_clinic()


@pytest.fixture
def program(clinic: None) -> Callable[..., Any]:
    from tests.programs_for_tests import make_program

    return make_program


@pytest.fixture
def read_all(clinic: None) -> Callable[[], None]:
    from tests.programs_for_tests import read_all_cases

    return read_all_cases

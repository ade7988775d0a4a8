"""A clinic with two checks and an inbox of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace


@pytest.fixture
def clinic(transactional_db: None, shelf: Path) -> None:
    from tests.programs_for_tests import open_clinic

    open_clinic()


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    for check in ("leukaemia", "breast-cytology"):
        (tmp_path / "inbox" / check).mkdir(parents=True)
    return tmp_path / "inbox"


@pytest.fixture
def door(clinic: None, inbox: Path) -> Callable[..., Any]:
    """A door that waits for nothing, unless asked to."""
    from django.conf import settings

    from firstread.clinic.doors.folder import door_of

    def make(**inbox_settings: Any) -> Any:
        waits_not = {"folder": inbox, "settle_s": 0, "patience_s": 0}
        changed = replace(settings.FIRSTREAD.inbox, **{**waits_not, **inbox_settings})
        config = replace(settings.FIRSTREAD, inbox=changed)
        made = door_of(config, lambda: None)
        assert made is not None
        made.inbox.prepare()
        return made

    return make

"""The running clinic that the browser tests look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # the rows may be imported only once Django is set up
    from tests.clinic_for_tests import Clinic


SERVER_WARNINGS = (
    # Django leaves the body of a request to the garbage collector.
    pytest.mark.filterwarnings("ignore:Unclosed file:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    # WhiteNoise sends its files by a plain iterator, which Django turns into an asynchronous one.
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume:Warning"),
)


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where the pages are, and who there is."""

    url: str
    clinic: Clinic

"""Whatever the description of the API allows, and much that it does not, is answered as it says."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings


@pytest.mark.filterwarnings("default")  # those of schemathesis are not ours
def test_the_api_does_what_its_description_says(
    transactional_db: None, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import schemathesis
    from django.core.wsgi import get_wsgi_application
    from schemathesis.specs.openapi.checks import positive_data_acceptance

    from firstread.clinic.api import access
    from tests.programs_for_tests import make_program, open_clinic

    open_clinic()
    monkeypatch.setattr(access, "REQUESTS_PER_S", 1_000_000)
    headers = {"Authorization": f"Bearer {make_program('chief').secret}"}
    with warnings.catch_warnings(action="ignore"):
        schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application())
    walked = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        walked += 1

        @given(case=operation.as_strategy())
        @settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
        def every_request(case: Any) -> None:
            # A check, a label or a picture may have the right form and still be unknown.
            case.call_and_validate(headers=headers, excluded_checks=[positive_data_acceptance])

        every_request()
    assert walked == 13

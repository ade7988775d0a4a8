"""A short campaign: every kind of trouble once, while samples come in by all doors."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from tests.campaign.campaign import Plan, run
from tests.campaign.report import write
from tests.postgresql_for_tests import missing_postgresql


@pytest.mark.timeout(240)
def test_nothing_is_lost_whatever_breaks(tmp_path: Path) -> None:
    plan = Plan(
        samples=60,
        seed=2,
        database="sqlite" if missing_postgresql() else "postgresql",
        minutes=1.0,
        a_second=3.0,
        lease_s=2.0,
        each_once=True,
    )
    with tempfile.TemporaryDirectory() as work:  # which PostgreSQL's own user may enter
        outcome = run(plan, work=Path(work))
    report = write(outcome, tmp_path / "report")
    assert outcome.ledger.wrong == [], (report / "campaign.md").read_text()
    assert {each.suffix for each in report.iterdir()} == {".json", ".md", ".svg"}

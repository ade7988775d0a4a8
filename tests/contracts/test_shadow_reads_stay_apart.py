"""Whether a read is a shadow read is asked in one module, so that nobody can forget to ask."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.exceptions import FieldError

SOURCE = Path(__file__).resolve().parents[2] / "src" / "firstread"
ASKS = SOURCE / "clinic" / "models" / "reads.py"
BY_NAME = {SOURCE / "clinic" / "steps" / "shadow_read.py"}
"""What may reach shadow reads, by their manager's name: who compares packs, nobody who shows."""
ASKING = re.compile(r"\bshadow\s*=|__shadow\b|\.shadow\b|[\"']shadow[\"']")
ROUND_ABOUT = re.compile(r"\bshadow_reads\b|_base_manager|clinic_readrow")


def _lines(pattern: re.Pattern[str], *, besides: set[Path]) -> list[str]:
    files = [path for path in SOURCE.rglob("*") if path.suffix in {".py", ".html", ".txt"}]
    return [
        f"{path.relative_to(SOURCE)}:{number}: {line.strip()}"
        for path in files
        if path not in besides and path.parent.name != "migrations"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if pattern.search(line)
    ]


def test_no_module_but_that_of_the_managers_asks_whether_a_read_is_a_shadow_read():
    assert _lines(ASKING, besides={ASKS}) == []


def test_shadow_reads_are_reached_by_name_and_only_where_packs_are_compared():
    assert _lines(ROUND_ABOUT, besides={ASKS, *BY_NAME}) == []


@pytest.mark.parametrize("way", ["reads", "reads__shadow", "readrow", "readrow_set"])
def test_no_query_gets_from_a_sample_to_reads_past_the_managers(way: str) -> None:
    from firstread.clinic.models import CaseSample

    with pytest.raises(FieldError):
        CaseSample.objects.filter(**{way: 1})


@pytest.mark.parametrize(
    "line",
    [
        "ReadRow.objects.filter(case_sample=1, shadow=False)",
        "case.samples.exclude(reads__shadow=False)",
        "[row for row in rows if not row.shadow]",
        'rows.values("shadow")',
        "{% if row.shadow %}",
    ],
)
def test_a_line_that_asks_would_be_found(line: str) -> None:
    assert ASKING.search(line)

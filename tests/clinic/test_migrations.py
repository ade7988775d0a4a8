"""A site of an earlier version keeps its rows, and its large tables are not written anew."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test.utils import CaptureQueriesContext

from firstread.clinic.models import ReadRow
from firstread.clinic.replay import Tally, fill
from firstread.clinic.storage.reads import read_of
from tests.clinic_for_tests import Clinic, put_in_row, read_all, read_case

BEFORE_EMBEDDINGS = ("clinic", "0002_readrow_beats")


def _migrate(*targets: tuple[str, str]) -> Any:
    """Bring the database there; gives the models as they are then."""
    executor = MigrationExecutor(connection)
    executor.migrate(list(targets))
    return executor.loader.project_state(list(targets)).apps


@pytest.fixture
def newest() -> Iterator[list[tuple[str, str]]]:
    targets = MigrationExecutor(connection).loader.graph.leaf_nodes()
    yield targets
    _migrate(*targets)


def test_reads_of_before_embeddings_were_kept_stay_as_they_were_and_can_be_filled_in(
    committed_clinic: Clinic, newest: list[tuple[str, str]]
) -> None:
    read_case("red", "green", accession="M-1")
    put_in_row(size=9.0, shape=9.0, accession="M-2")
    read_all()
    kept = dict(ReadRow.objects.values_list("pk", "embedding"))
    old = _migrate(BEFORE_EMBEDDINGS).get_model("clinic", "ReadRow")
    before = list(old.objects.order_by("pk").values())
    assert len(before) == 3
    assert "embedding" not in before[0]
    with CaptureQueriesContext(
        connection,
    ) as asked:
        _migrate(*newest)
    assert not [each["sql"] for each in asked if "new__clinic_readrow" in each["sql"]]
    after = list(ReadRow.objects.order_by("pk").values())
    assert [{name: each[name] for name in before[0]} for each in after] == before
    assert [each["embedding"] for each in after] == [None, None, None]
    tally = Tally()
    assert len(list(fill(tally))) == 3
    assert (tally.filled, tally.nothing_to_keep, tally.left) == (2, 1, {})
    assert dict(ReadRow.objects.values_list("pk", "embedding")) == kept
    assert [read_of(row).label for row in ReadRow.objects.order_by("pk")] == [
        "red",
        "green",
        "malignant",
    ]

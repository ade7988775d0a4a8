"""Who is looked at first."""

from __future__ import annotations

import pytest

from firstread.domain.priority import Priority, priority_of
from firstread.domain.read import Familiarity
from tests.reads_for_tests import make_read

OF_LABEL = {"blast": Priority.STAT, "promyelocyte": Priority.ASAP}


@pytest.mark.parametrize(
    ("alarms", "unfit", "familiar", "priority"),
    [
        ((), None, True, Priority.ROUTINE),
        (("promyelocyte",), None, True, Priority.ASAP),
        (("promyelocyte", "blast"), None, True, Priority.STAT),
        ((), "The picture is blurred: take it again in focus.", True, Priority.URGENT),
        ((), None, False, Priority.URGENT),
        (("blast",), "too dark", False, Priority.STAT),
        (("unheard-of",), None, True, Priority.ROUTINE),
    ],
)
def test_the_most_pressing_reason_counts(
    alarms: tuple[str, ...], unfit: str | None, *, familiar: bool, priority: Priority
) -> None:
    familiarity = Familiarity(score=0.5, familiar=familiar)
    read = make_read({"blast": 0.5}, alarms=alarms, unfit=unfit, familiarity=familiarity)
    assert priority_of(read, of_label=OF_LABEL) is priority


def test_a_read_without_familiarity_is_no_reason_to_hurry() -> None:
    assert priority_of(make_read({"blast": 0.5}), of_label=OF_LABEL) is Priority.ROUTINE


def test_a_name_from_a_pack_is_a_priority() -> None:
    assert [Priority.named(name) for name in ("routine", "urgent", "asap", "stat")] == list(
        Priority
    )

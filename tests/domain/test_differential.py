"""Of many cells, how they share out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstread.domain.differential import differential, wilson
from tests.reads_for_tests import make_read


def test_shares_are_counted_over_fit_cells_commonest_first() -> None:
    reads = [make_read({"neutrophil": 0.9})] * 3 + [make_read({"blast": 0.9})]
    reads.append(make_read({"blast": 0.9}, unfit="The picture is too dark."))
    shares = differential(reads, labels=["blast", "lymphocyte", "neutrophil"])
    assert [(s.label, s.count, s.of) for s in shares] == [
        ("neutrophil", 3, 4),
        ("blast", 1, 4),
        ("lymphocyte", 0, 4),
    ]
    assert shares[0].share == 0.75
    assert shares[2].low == 0
    assert shares[2].high == pytest.approx(0.4899, abs=1e-4)


def test_no_fit_cell_rules_nothing_out() -> None:
    (share,) = differential([], labels=["blast"])
    assert (share.count, share.of, share.share, share.low, share.high) == (0, 0, 0, 0, 1)


@given(st.integers(1, 10_000), st.data())
def test_the_interval_holds_the_share(of: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, of))
    low, high = wilson(count, of=of)
    assert 0 <= low <= count / of <= high <= 1

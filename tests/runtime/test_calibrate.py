"""Probabilities, finding sets and alarms keep their laws."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from firstread.packs import Conformal, OperatingPoint
from firstread.runtime.calibrate import alarms, finding_set, probabilities

LOGITS = st.lists(st.floats(-60, 60, width=32), min_size=2, max_size=9)


@given(LOGITS, st.floats(0.05, 20))
def test_probabilities_add_up_and_keep_the_order(logits: list[float], temperature: float) -> None:
    chances = probabilities(np.array(logits, dtype=np.float32), temperature=temperature)
    assert abs(chances.sum() - 1) < 1e-9
    assert chances[int(np.argmax(logits))] == chances.max()


@given(LOGITS, st.floats(0, 1))
def test_a_finding_set_is_never_empty_and_holds_every_likely_label(
    logits: list[float], threshold: float
) -> None:
    codes = [f"label-{n}" for n in range(len(logits))]
    chances = probabilities(np.array(logits, dtype=np.float32), temperature=1)
    conformal = Conformal(method="lac", coverage=0.9, threshold=threshold)
    found = finding_set(codes, chances, conformal=conformal)
    assert found[0] == codes[int(np.argmax(chances))]
    for code, chance in zip(codes, chances, strict=True):
        if chance >= 1 - threshold:
            assert code in found


def test_an_alarm_needs_no_majority() -> None:
    point = OperatingPoint(
        label="blast", threshold=0.1, sensitivity=0.99, specificity=0.9, measured_on="n = 10"
    )
    codes, chances = ["lymphocyte", "blast", "ig"], np.array([0.6, 0.3, 0.1])
    raised = alarms(codes, chances, positive=["blast", "ig"], points=[point])
    assert raised == ("blast",)
    assert alarms(codes, np.array([0.2, 0.05, 0.75]), positive=["ig"], points=[point]) == ("ig",)

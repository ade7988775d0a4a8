"""Probabilities, finding sets and alarms keep their laws."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from firstread.packs import (
    Conformal,
    Group,
    Label,
    Manifest,
    OperatingPoint,
    find_pack,
    open_manifest,
)
from firstread.runtime.calibrate import alarms, finding_set, groups_of, probabilities

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


LABELS = ("lymphocyte", "blast", "ig")


def manifest(
    *, positive: tuple[str, ...], points: dict[str, float], groups: tuple[Group, ...] = ()
) -> Manifest:
    known = open_manifest(find_pack("marrow-cell"))
    return replace(
        known,
        labels=tuple(Label(code=code, title=code, positive=code in positive) for code in LABELS),
        groups=groups,
        operating_points=tuple(
            OperatingPoint(
                label=label, threshold=least, sensitivity=0.9, specificity=0.9, measured_on="n = 9"
            )
            for label, least in points.items()
        ),
    )


def test_an_alarm_needs_no_majority() -> None:
    pack = manifest(positive=("blast", "ig"), points={"blast": 0.1})
    assert alarms(np.array([0.6, 0.3, 0.1]), manifest=pack) == ("blast",)
    assert alarms(np.array([0.2, 0.05, 0.75]), manifest=pack) == ("ig",)


IMMATURE = Group(code="immature", title="Immature", labels=("blast", "ig"), positive=True)


def test_a_group_raises_the_alarm_that_none_of_its_labels_would() -> None:
    pack = manifest(positive=(), points={"immature": 0.4}, groups=(IMMATURE,))
    chances = np.array([0.55, 0.25, 0.2])
    assert alarms(chances, manifest=pack) == ("immature",)
    (found,) = groups_of(LABELS, chances, groups=pack.groups)
    assert (found.label, round(found.probability, 12)) == ("immature", 0.45)


def test_a_group_comes_before_its_labels_and_without_a_point_needs_the_half() -> None:
    pack = manifest(positive=("blast",), points={}, groups=(IMMATURE,))
    assert alarms(np.array([0.3, 0.6, 0.1]), manifest=pack) == ("immature", "blast")
    assert alarms(np.array([0.51, 0.39, 0.1]), manifest=pack) == ()


@given(st.lists(st.floats(-60, 60, width=32), min_size=3, max_size=3))
def test_a_group_is_as_probable_as_its_labels_together_and_never_more_than_certain(
    logits: list[float],
) -> None:
    chances = probabilities(np.array(logits, dtype=np.float32), temperature=1)
    (found,) = groups_of(LABELS, chances, groups=[IMMATURE])
    assert max(chances[1:]) <= found.probability <= 1
    assert abs(found.probability - (1 - chances[0])) < 1e-9

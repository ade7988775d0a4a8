"""What stands where a finding would, in one wording for every face."""

from __future__ import annotations

import pytest

from firstread.domain.case import NO_ALARM, doubt_of_case, headline
from firstread.domain.left_out import counted
from firstread.domain.priority import Priority, priority_of_case
from firstread.domain.read import Familiarity, Read
from firstread.domain.verdict import Doubt, verdict_of_doubt
from tests.reads_for_tests import make_read

UNLIKE = Familiarity(score=0.006, familiar=False)
FAR = Familiarity(score=0.0004, familiar=False)
BLURRED = "The picture is blurred: take it again in focus."


def blast(**other: object) -> Read:
    return make_read({"blast": 0.9, "neutrophil": 0.1}, alarms=("blast",), **other)


def neutrophil(**other: object) -> Read:
    return make_read({"neutrophil": 0.9, "blast": 0.1}, **other)


@pytest.mark.parametrize(
    ("read", "says"),
    [
        (blast(), ""),
        (blast(familiarity=Familiarity(score=0.4, familiar=True)), ""),
        (blast(familiarity=UNLIKE), "Unlike what it was measured on"),
        (blast(familiarity=FAR), "Not the kind of picture this was made for"),
        (blast(unfit=BLURRED, familiarity=FAR), "Unfit for a first read"),
        (blast(calibrated=False), "Not calibrated"),
        (blast(calibrated=False, familiarity=UNLIKE), "Unlike what it was measured on"),
    ],
)
def test_the_gravest_doubt_stands_where_the_finding_would(read: Read, says: str) -> None:
    verdict = read.verdict
    assert verdict.says == says
    assert verdict.takes_two_acts is not verdict.may_ring
    assert verdict.may_ring is (says == "")


def test_an_unfit_sample_tells_its_own_reason() -> None:
    assert blast(unfit=BLURRED).verdict.why == f"{BLURRED} A person reads it unaided."


def test_an_answer_names_no_label_and_no_alarm_that_does_not_stand() -> None:
    answer = blast(familiarity=UNLIKE).as_answer()
    assert (answer["label"], answer["probability"]) == (None, None)
    assert (answer["alarms"], answer["finding_set"]) == ([], [])
    assert answer["verdict"]["says"] == "Unlike what it was measured on"
    assert (answer["verdict"]["stands"], answer["verdict"]["doubt"]) == (False, "unfamiliar")
    assert answer["verdict"]["would_say"] == "blast"
    assert answer["verdict"]["would_alarm"] == ["blast"]
    assert answer["findings"][0] == {"label": "blast", "probability": 0.9}


def test_what_is_not_calibrated_is_named_and_told() -> None:
    answer = blast(calibrated=False).as_answer()
    assert (answer["label"], answer["verdict"]["doubt"]) == ("blast", "uncalibrated")
    assert not answer["verdict"]["stands"]


def test_a_kept_read_says_only_where_it_is_not_calibrated() -> None:
    assert "calibrated" not in blast().as_dict()
    assert blast(calibrated=False).as_dict()["calibrated"] is False


@pytest.mark.parametrize(
    ("reads", "doubt"),
    [
        ([neutrophil()] * 99 + [neutrophil(familiarity=UNLIKE)], None),
        ([neutrophil()] * 49 + [neutrophil(unfit=BLURRED)] * 51, Doubt.UNFIT),
        ([neutrophil()] * 2 + [neutrophil(familiarity=UNLIKE)] * 2, Doubt.UNFAMILIAR),
        ([neutrophil()] * 99 + [blast(familiarity=UNLIKE)], Doubt.UNFAMILIAR),
        ([neutrophil()] * 98 + [blast(), blast(familiarity=UNLIKE)], None),
        ([blast()] + [neutrophil(unfit=BLURRED)] * 9, None),
        ([neutrophil()] * 99 + [blast(familiarity=FAR)], None),
        ([neutrophil(calibrated=False)] * 3, Doubt.UNCALIBRATED),
    ],
)
def test_a_case_is_doubtful_by_half_of_its_samples_or_by_its_only_alarm(
    reads: list[Read], doubt: Doubt | None
) -> None:
    assert doubt_of_case(reads) is doubt


def test_an_alarm_of_unfamiliar_samples_alone_is_never_called_none_and_is_urgent() -> None:
    reads = [neutrophil()] * 99 + [blast(familiarity=UNLIKE)]
    top = headline(reads, alarming=["blast"])
    assert top is not None
    assert top.label == "blast" != NO_ALARM
    assert priority_of_case(reads, of_label={"blast": Priority.STAT}) is Priority.STAT


def test_what_was_left_out_is_told_with_its_reasons() -> None:
    dark = "The picture is too dark: take it again with more light."
    reads = [neutrophil()] * 89 + [neutrophil(familiarity=UNLIKE)] * 3
    reads += [neutrophil(unfit=BLURRED)] * 5 + [neutrophil(unfit=dark)] * 2
    reads.append(neutrophil(familiarity=FAR))
    assert counted(reads, not_opened=1).told() == (
        "92 of 101 counted, 3 of them unlike what it was measured on; 9 left out: 5 blurred, "
        "2 too dark, 1 not the kind of picture this was made for, 1 could not be opened"
    )
    assert counted([neutrophil()] * 4).told() == ""


@pytest.mark.parametrize("doubt", list(Doubt))
def test_agreeing_is_refused_with_a_sentence_that_names_the_field(doubt: Doubt) -> None:
    verdict = verdict_of_doubt(doubt)
    assert f'send "confirm": "{doubt}"' in verdict.needs_confirming("")
    assert verdict.needs_confirming("yes")
    assert verdict.needs_confirming(doubt) == ""

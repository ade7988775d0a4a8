"""Who decides a case, and what stands for it in the worklist."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from firstread.domain.case import NO_ALARM, Answer, Basis, decide, headline
from tests.reads_for_tests import make_read

ANA = Answer(by="ana", label="blast")
BO = Answer(by="bo", label="blast")
BO_DIFFERS = Answer(by="bo", label="lymphocyte")
EVA = Answer(by="eva", label="lymphocyte", chief=True)


def test_one_reader_decides_alone_where_the_check_says_so() -> None:
    assert decide([], readers=1).waits_for == "specialist"
    assert decide([ANA], readers=1).basis is Basis.ONE_READER


def test_two_readers_who_agree_decide() -> None:
    assert decide([ANA], readers=2).waits_for == "specialist"
    decision = decide([ANA, BO], readers=2)
    assert (decision.label, decision.basis) == ("blast", Basis.TWO_READERS)


def test_two_who_differ_wait_for_the_chief_whose_word_ends_it() -> None:
    assert decide([ANA, BO_DIFFERS], readers=2).waits_for == "chief"
    decision = decide([ANA, BO_DIFFERS, EVA], readers=2)
    assert (decision.label, decision.basis) == ("lymphocyte", Basis.CHIEF)


@given(
    st.lists(
        st.builds(
            Answer, by=st.text(max_size=3), label=st.sampled_from("abc"), chief=st.booleans()
        ),
        max_size=5,
    ),
    st.integers(1, 2),
)
def test_a_case_is_decided_or_waits_for_somebody(answers: list[Answer], readers: int) -> None:
    decision = decide(answers, readers=readers)
    assert (decision.label is None) == (decision.waits_for is not None)
    assert (decision.label is None) == (decision.basis is None)


def test_a_single_cell_stands_for_itself() -> None:
    found = headline([make_read({"lymphocyte": 0.8, "blast": 0.2})], alarming=["blast"])
    assert found is not None
    assert (found.label, found.probability) == ("lymphocyte", 0.8)


def test_of_many_cells_the_commonest_alarm_stands_for_the_case() -> None:
    reads = [
        make_read({"lymphocyte": 0.9, "blast": 0.1}),
        make_read({"blast": 0.7, "promyelocyte": 0.3}, alarms=("blast", "promyelocyte")),
        make_read({"blast": 0.6, "lymphocyte": 0.4}, alarms=("blast",)),
    ]
    found = headline(reads, alarming=["blast", "promyelocyte"])
    assert found is not None
    assert (found.label, found.probability) == ("blast", 0.7)


def test_many_cells_without_an_alarm_say_so() -> None:
    reads = [make_read({"lymphocyte": 0.9, "blast": 0.1}), make_read({"monocyte": 1.0})]
    found = headline(reads, alarming=["blast"])
    assert found is not None
    assert (found.label, found.probability) == (NO_ALARM, 0.9)


def test_unfit_cells_say_nothing() -> None:
    assert headline([make_read({"blast": 0.9}, unfit="blurred")], alarming=["blast"]) is None

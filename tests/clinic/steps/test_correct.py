"""What was put in wrongly is corrected: who may, what it does, what stays."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from firstread.clinic import audit
from firstread.clinic.checks import readers
from firstread.clinic.models import (
    AuditRow,
    Case,
    Check,
    Outgoing,
    Reader,
    ReadRow,
    ReplacedRead,
    Review,
    SignOff,
    VoidReview,
    clock,
)
from firstread.clinic.shown.case import look
from firstread.clinic.steps.correct import correct
from firstread.clinic.steps.first_read import read_next
from firstread.clinic.steps.review import answer
from firstread.domain.errors import (
    BadMeasurement,
    NotAllowed,
    UnknownCheck,
    WrongState,
)
from tests.clinic_for_tests import (
    Clinic,
    at_once,
    outcome,
    put_in,
    put_in_row,
    read_all,
    read_case,
)


@pytest.fixture
def malaria(clinic: Clinic) -> Check:
    return _malaria(clinic)


def _malaria(clinic: Clinic) -> Check:
    """Another check of pictures, one a case; bo reads it, and ana does not."""
    check = Check.objects.create(name="malaria", title="Malaria", pack="colour", kind="image")
    Reader.objects.create(check_row=check, person=clinic.bo)
    return check


def _sentences(case: Case, clinic: Clinic) -> list[str]:
    return [line.sentence for line in look(case.pk, by=clinic.chief).history]


def test_a_wrong_accession_and_patient_are_corrected_and_stay_readable(clinic: Clinic) -> None:
    case = put_in("red", accession="A1", patient="P1")
    correct(case.pk, by=clinic.tech, accession=" A2 ", patient="P2", reason="Mistyped.")
    case.refresh_from_db()
    assert (case.accession, case.patient.identifier, case.state) == ("A2", "P2", "received")
    said = "corrected the accession from A1 to A2 and the patient from P1 to P2: Mistyped."
    assert said in _sentences(case, clinic)
    row = AuditRow.objects.get(action="corrected")
    assert "A1" not in str(row.detail)
    audit.verify()


def test_a_patient_may_be_taken_away(clinic: Clinic) -> None:
    case = put_in("red", accession="A1", patient="P1")
    assert correct(case.pk, by=clinic.tech, patient="").patient is None


def test_the_same_correction_again_is_one(clinic: Clinic) -> None:
    case = put_in("red", accession="A1")
    for _ in range(2):
        correct(case.pk, by=clinic.tech, accession="A2")
    assert AuditRow.objects.filter(action="corrected").count() == 1


@pytest.mark.parametrize("who", ["tech", "operator", "chief", "ana"])
def test_the_laboratory_and_who_reads_the_check_may_correct(clinic: Clinic, who: str) -> None:
    case = put_in("red", accession="A1")
    assert correct(case.pk, by=getattr(clinic, who), accession="A2").accession == "A2"


def test_a_specialist_of_another_check_may_not(clinic: Clinic, malaria: Check) -> None:
    clinic.ana.reads.all().delete()
    case = put_in("red", accession="A1")
    with pytest.raises(NotAllowed, match="technician"):
        correct(case.pk, by=clinic.ana, accession="A2")
    assert not look(case.pk, by=clinic.ana).may_correct


def test_an_accession_that_is_another_cases_is_refused(clinic: Clinic) -> None:
    put_in("red", accession="A1")
    other = put_in("green", accession="A2", seed=5)
    with pytest.raises(WrongState, match="has a case of that accession already"):
        correct(other.pk, by=clinic.tech, accession="A1")
    other.refresh_from_db()
    assert other.accession == "A2"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"accession": " "}, "accession"), ({"accession": "x" * 65}, "accession"),
     ({"patient": "a\nb"}, "patient"), ({"check": "breast-cytology"}, "check")],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_its_field(
    clinic: Clinic, wrong: dict[str, str], field: str
) -> None:
    case = put_in("red", accession="A1")
    with pytest.raises(BadMeasurement) as refused:
        correct(case.pk, by=clinic.tech, **wrong)
    assert refused.value.field == field


def test_a_check_that_is_none_is_refused(clinic: Clinic) -> None:
    with pytest.raises(UnknownCheck):
        correct(put_in("red").pk, by=clinic.tech, check="nonsense")


def test_several_samples_do_not_go_to_a_check_of_one(clinic: Clinic, malaria: Check) -> None:
    with pytest.raises(BadMeasurement, match="takes one picture a case"):
        correct(put_in("red", "green").pk, by=clinic.tech, check="malaria")


def test_measurements_go_only_to_a_check_that_takes_the_same(clinic: Clinic) -> None:
    Check.objects.create(name="again", title="Again", pack="sizes", kind="measurements")
    case = put_in_row(accession="R1")
    assert correct(case.pk, by=clinic.tech, check="again").check_row_id == "again"


def test_a_case_moved_to_another_check_is_read_anew_and_the_earlier_read_is_kept(
    clinic: Clinic, malaria: Check
) -> None:
    case = read_case("red", accession="A1")
    before = ReadRow.objects.get()
    correct(case.pk, by=clinic.tech, check="malaria")
    case.refresh_from_db()
    assert (case.state, case.finding, case.waits_for, case.read_at) == ("received", "", "", None)
    assert look(case.pk, by=clinic.tech).cells[0].read is None
    read_all()
    case.refresh_from_db()
    assert (case.state, case.check_row_id, case.finding) == ("read", "malaria", "red")
    assert ReadRow.objects.get().pk != before.pk
    assert ReplacedRead.objects.get().body == before.body
    assert "corrected the check from leukaemia to malaria, which reads it anew" in _sentences(
        case, clinic
    )
    correct(case.pk, by=clinic.tech, check="leukaemia")
    read_all()
    assert ReplacedRead.objects.count() == 2


def test_answers_to_the_wrong_check_count_no_longer_and_who_gave_them_is_told(
    clinic: Clinic, malaria: Check
) -> None:
    case = read_case("red", accession="A1")
    answer(case.pk, by=clinic.ana, label="red", comment="So red.")
    correct(case.pk, by=clinic.tech, check="malaria", reason="A thick film.")
    assert not Review.objects.exists()
    kept = VoidReview.objects.get()
    assert (kept.by, kept.label, kept.comment, kept.because) == (
        clinic.ana, "red", "So red.", "moved",
    )  # fmt: skip
    subjects = Outgoing.objects.filter(to=clinic.ana).values_list("payload__subject", flat=True)
    assert "Firstread: An answer of yours counts no longer" in subjects
    read_all()
    # Whoever reads the new check finds no trace of what was answered to the old one.
    shown = look(case.pk, by=clinic.bo)
    assert not [line for line in shown.history if "Red" in line.sentence]
    assert not shown.reviews_hidden
    assert answer(case.pk, by=clinic.bo, label="blue").state == "signed_off"


def test_mails_that_wait_go_to_whom_the_new_check_concerns(clinic: Clinic, malaria: Check) -> None:
    case = read_case("red", accession="A1")
    assert Outgoing.objects.filter(to=clinic.bo).exclude(state="withdrawn").count() == 1
    correct(case.pk, by=clinic.tech, check="malaria")
    assert not Outgoing.objects.filter(payload_kind="letter").exclude(state="withdrawn").exists()
    read_all()
    assert [row.to for row in Outgoing.objects.exclude(state="withdrawn")] == [clinic.bo]


def test_a_mail_that_is_on_its_way_is_not_called_back_and_not_tried_again(
    clinic: Clinic, malaria: Check
) -> None:
    case = read_case("red", accession="A1")
    soon = clock.now() + timedelta(seconds=30)
    Outgoing.objects.filter(to=clinic.ana).update(state="waiting", claimed_until=soon)
    correct(case.pk, by=clinic.tech, check="malaria")
    row = Outgoing.objects.get(to=clinic.ana)
    assert (row.state, row.unwanted) == ("waiting", True)


def test_a_signed_case_is_corrected_by_an_amendment_that_tells_who_asked(clinic: Clinic) -> None:
    case = put_in_row(accession="R1", by=clinic.tech)
    read_all()
    case.refresh_from_db()
    answer(case.pk, by=clinic.ana, label=case.finding)
    with pytest.raises(NotAllowed, match="Only the chief"):
        correct(case.pk, by=clinic.tech, accession="R2", reason="Mistyped.")
    with pytest.raises(BadMeasurement, match="says why"):
        correct(case.pk, by=clinic.ana, accession="R2")
    with pytest.raises(NotAllowed, match="reviews:write"):
        correct(case.pk, by=clinic.ana, accession="R2", reason="Mistyped.", decides=False)
    done = correct(case.pk, by=clinic.ana, accession="R2", reason="Mistyped.")
    assert (done.state, done.accession) == ("amended", "R2")
    last = SignOff.objects.order_by("number").last()
    assert last is not None
    assert (last.basis, last.label, last.comment) == ("amendment", case.finding, "Mistyped.")
    subjects = Outgoing.objects.filter(to=clinic.tech).values_list("payload__subject", flat=True)
    assert "Firstread: A case that you sent has been amended" in subjects


def test_a_signed_case_keeps_its_check(clinic: Clinic, malaria: Check) -> None:
    case = read_case("red", accession="A1")
    answer(case.pk, by=clinic.chief, label="red")
    with pytest.raises(WrongState, match="Withdraw it"):
        correct(case.pk, by=clinic.chief, check="malaria", reason="A film.")


def test_what_came_in_under_the_wrong_number_and_comes_again_makes_nothing_new(
    clinic: Clinic, malaria: Check
) -> None:
    case = put_in("red", accession="A1")
    correct(case.pk, by=clinic.tech, accession="A2")
    assert put_in("red", accession="A1").pk == case.pk
    correct(case.pk, by=clinic.tech, check="malaria")
    assert put_in("red", accession="A2").pk == case.pk
    other = put_in("blue", accession="A1", seed=9)
    assert (other.pk != case.pk, other.accession) == (True, "A1")


def test_a_case_is_found_by_its_corrected_number(clinic: Clinic) -> None:
    from firstread.clinic.shown.worklist import waiting

    case = read_case("red", accession="FIRST-1")
    correct(case.pk, by=clinic.tech, accession="SECOND-2", patient="NEW-PATIENT")
    for text in ("second-2", "new-patient"):
        assert list(waiting(clinic.ana, text=text)) == [case]
    assert not waiting(clinic.ana, text="first-1").exists()


def test_what_a_worker_reads_for_the_old_check_meanwhile_is_not_written(clinic: Clinic) -> None:
    _malaria(clinic)
    case = put_in("red", accession="A1")

    def moved_meanwhile(check: Check) -> readers.CheckReader:
        if check.name == "leukaemia":
            correct(case.pk, by=clinic.tech, check="malaria")
        return readers.reader_of(check)

    assert read_next(moved_meanwhile)
    case.refresh_from_db()
    assert (case.state, case.check_row_id) == ("received", "malaria")
    assert not ReadRow.objects.exists()
    assert read_all() == 1


def test_two_cases_corrected_to_one_number_at_once_are_not_one(committed_clinic: Clinic) -> None:
    tech = committed_clinic.tech
    cases = [put_in(colour, accession=colour, seed=n) for n, colour in enumerate(("red", "green"))]
    calls = [partial(correct, case.pk, by=tech, accession="A9") for case in cases]
    done = at_once(*[partial(outcome, call) for call in calls])
    assert sorted(map(str, done)) == ["WrongState", "done"]


def test_an_answer_and_a_move_at_the_same_moment_leave_no_answer_to_the_wrong_check(
    committed_clinic: Clinic,
) -> None:
    _malaria(committed_clinic)
    case = read_case("red", accession="A1")
    at_once(
        partial(outcome, partial(answer, case.pk, by=committed_clinic.ana, label="red")),
        partial(outcome, partial(correct, case.pk, by=committed_clinic.tech, check="malaria")),
    )
    case.refresh_from_db()
    assert (case.check_row_id, case.state) == ("malaria", "received")
    assert not Review.objects.exists()
    assert VoidReview.objects.count() == AuditRow.objects.filter(action="answered").count()


def test_a_reader_and_a_move_at_the_same_moment_end_in_one_read_of_the_right_check(
    committed_clinic: Clinic,
) -> None:
    _malaria(committed_clinic)
    case = put_in("red", accession="A1")
    at_once(read_all, partial(correct, case.pk, by=committed_clinic.tech, check="malaria"))
    read_all()
    case.refresh_from_db()
    assert (case.check_row_id, case.state, ReadRow.objects.count()) == ("malaria", "read", 1)
    audit.verify()

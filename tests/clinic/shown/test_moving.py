"""A picture of one of the clinic's other checks is named, and moved there by one click."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from firstread import phantom
from firstread.clinic.api import shown as api
from firstread.clinic.models import Case, Check, Outgoing, Reader
from firstread.clinic.shown.case_list import ListedCase
from firstread.clinic.shown.case_page import Given, case_page_of
from firstread.clinic.shown.worklist import Asked
from firstread.clinic.shown.worklist_rows import rows_of
from firstread.clinic.steps.intake import Incoming, receive
from tests.clinic_for_tests import Clinic, read_all
from tests.clinic_for_tests import put_in as put_in_toys

SAYS = "Not the kind of picture this was made for: it looks like one cell of a blood smear"


@pytest.fixture
def smears(clinic: Clinic) -> Check:
    """The clinic's cells of marrow and of blood are read by the packs that ship."""
    Check.objects.filter(pk="leukaemia").update(pack="marrow-cell")
    check = Check.objects.create(
        name="blood-smear", title="Blood smear", pack="blood-cell", kind="image", many=True
    )
    for person in (clinic.ana, clinic.bo):
        Reader.objects.create(check_row=check, person=person)
    return check


def put_in(check: str, *, of: str, count: int = 1) -> Case:
    cells = [phantom.make(of, seed=seed).png for seed in range(count)]
    samples = [Incoming(data=data, name=f"{n}.png") for n, data in enumerate(cells)]
    case = receive(samples, check=check, door="page", accession="B-1", by=None).case
    read_all()
    case.refresh_from_db()
    return case


@pytest.mark.django_db
def test_a_cell_of_another_check_is_named_wherever_its_finding_would_stand(clinic, smears):
    case = put_in("leukaemia", of="blood-smear")
    assert (case.state, case.doubt, case.motif) == ("read", "wrong_kind", "blood-cell")
    assert case.verdict.says == SAYS
    assert rows_of([case.pk])[0].verdict.says == SAYS
    page = case_page_of(
        case.pk, by=clinic.ana, cell="", beat=None, came_from=Asked(), given=Given()
    )
    assert page.verdict.says == page.of_case.says == SAYS
    told = api.short(ListedCase(case=case, samples=1))
    assert (told.finding, told.motif, told.verdict.says) == (None, "blood-cell", SAYS)
    assert any(SAYS in str(letter.payload) for letter in Outgoing.objects.filter(case=case))


@pytest.mark.django_db
def test_one_click_moves_it_and_it_is_read_anew(clinic, smears):
    case = put_in("leukaemia", of="blood-smear", count=3)
    assert case.verdict.says == SAYS
    client = Client()
    client.force_login(clinic.ana)
    page = client.get(reverse("case", args=[case.pk])).content.decode()
    assert "Move it to Blood smear" in page
    client.post(reverse("correct", args=[case.pk]), {"check": "blood-smear"})
    read_all()
    case.refresh_from_db()
    assert (case.check_row_id, case.motif, case.doubt) == ("blood-smear", "", "")
    assert case.finding
    assert "Move it to" not in client.get(reverse("case", args=[case.pk])).content.decode()


@pytest.mark.django_db
def test_without_a_check_that_reads_it_it_is_only_named(clinic, smears):
    smears.enabled = False
    smears.save()
    case = put_in("leukaemia", of="blood-smear")
    page = case_page_of(
        case.pk, by=clinic.ana, cell="", beat=None, came_from=Asked(), given=Given()
    )
    assert (page.verdict.says, page.move_to) == (SAYS, ())


@pytest.mark.django_db
def test_a_case_of_the_checks_own_cells_is_not_to_be_moved(clinic, smears):
    case = put_in("leukaemia", of="leukaemia", count=3)
    assert case.motif == ""
    assert (
        case_page_of(
            case.pk, by=clinic.ana, cell="", beat=None, came_from=Asked(), given=Given()
        ).move_to
        == ()
    )


@pytest.mark.django_db
def test_a_move_that_is_refused_keeps_the_patient_in_the_form(clinic: Clinic) -> None:
    case = put_in_toys("red", accession="A-1", patient="P-1")
    client = Client()
    client.force_login(clinic.tech)
    refused = client.post(reverse("correct", args=[case.pk]), {"check": "breast-cytology"})
    assert refused.status_code == 422
    assert (
        'name="patient" maxlength="64" autocomplete="off" value="P-1"' in refused.content.decode()
    )

"""What the model does not know stands where its finding would, and is not signed by one key."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse
from msgspec import structs
from PIL import Image

from firstread.clinic.api import shown as api
from firstread.clinic.checks import readers
from firstread.clinic.models import Case, Check, Outgoing
from firstread.clinic.shown.case import look
from firstread.clinic.shown.case_page import Given, case_page_of
from firstread.clinic.shown.worklist import Asked
from firstread.clinic.shown.worklist_rows import rows_of
from firstread.clinic.steps.intake import Incoming, receive
from firstread.clinic.steps.review import answer
from firstread.domain.errors import BadMeasurement
from firstread.packs import Calibration, open_manifest, seal
from firstread.packs.write import write_manifest
from tests.clinic_for_tests import Clinic, read_all
from tests.images_for_tests import as_png, blurred_png, cell, cell_png, yellow_png
from tests.packs_for_tests import make_pack

UNLIKE = "Unlike what it was measured on"
WRONG = "Not the kind of picture this was made for"
PutIn = Callable[..., Case]


def unlike() -> bytes:
    """A cell half red and half green: the narrow pack calls it red, and rings the alarm."""
    both = np.asarray(cell("red")).astype(float) + np.asarray(cell("green"))
    return as_png(Image.fromarray((both / 2).astype("uint8")))


@pytest.fixture
def put_in(clinic: Clinic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PutIn:
    """Puts samples in and has them read by a pack that knows its own colours narrowly."""
    pack = make_pack(tmp_path / "shelf", name="narrow")

    def changed(**parts: Any) -> None:
        write_manifest(structs.replace(open_manifest(pack), **parts), pack)
        seal(pack)

    near = open_manifest(pack).familiarity
    assert near is not None
    changed(familiarity=structs.replace(near, threshold=0.0098))
    monkeypatch.setenv("FIRSTREAD_PACKS", str(pack.parent))
    Check.objects.filter(name="leukaemia").update(pack="narrow", readers=1)
    readers.forget()

    def into(*samples: bytes, calibrated: bool = True) -> Case:
        if not calibrated:
            changed(calibration=Calibration(method="none", temperature=1.0))
            readers.forget()
        given = [Incoming(data=each, name="cell.png") for each in samples]
        case = receive(given, check="leukaemia", door="page", by=clinic.tech).case
        read_all()
        case.refresh_from_db()
        return case

    return into


def words(client: Client, address: str) -> str:
    page = client.get(address).content.decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page))


@pytest.mark.parametrize(("sample", "says"), [(unlike(), UNLIKE), (yellow_png(), WRONG)])
def test_worklist_page_and_api_say_it_in_the_findings_place_without_the_alarms_red(
    clinic: Clinic, put_in: PutIn, client: Client, sample: bytes, says: str
) -> None:
    case = put_in(sample)
    (row,) = rows_of([case.pk])
    assert (row.verdict.says, row.finding, row.alarm, row.alarming) == (says, "", "", False)
    client.force_login(clinic.ana)
    for address in (reverse("worklist"), reverse("case", args=[case.pk])):
        page = client.get(address).content.decode()
        assert says in page
        assert not re.search(r'class="[^"]*\b(alarming|alarm|stat|asap)\b', page)
    told = api.whole(look(case.pk, by=clinic.ana))
    assert (told["finding"], told["probability"]) == (None, None)
    assert (told["verdict"]["says"], told["verdict"]["stands"]) == (says, False)
    (read,) = told["reads"]
    assert (read["read"]["label"], read["read"]["alarms"]) == (None, [])
    assert read["read"]["verdict"]["says"] == says


def test_an_alarm_that_may_be_true_keeps_its_place_in_the_list(put_in: PutIn) -> None:
    assert put_in(unlike()).priority == put_in(cell_png("red", seed=3)).priority


def test_agreeing_takes_a_second_act(clinic: Clinic, put_in: PutIn) -> None:
    case = put_in(unlike())
    with pytest.raises(BadMeasurement, match='"confirm": "unfamiliar"') as refused:
        answer(case.pk, by=clinic.ana, label=case.finding)
    assert refused.value.field == "confirm"
    assert answer(case.pk, by=clinic.ana, label=case.finding, confirm="unfamiliar").decided


def test_another_answer_is_the_specialists_own_and_needs_no_second_act(
    clinic: Clinic, put_in: PutIn
) -> None:
    assert answer(put_in(unlike()).pk, by=clinic.ana, label="green").decided


def test_the_one_press_of_a_page_signs_nothing_that_does_not_stand(
    clinic: Clinic, put_in: PutIn, client: Client
) -> None:
    case = put_in(unlike())
    client.force_login(clinic.ana)
    address = reverse("answer", args=[case.pk])
    page = client.get(reverse("case", args=[case.pk])).content.decode()
    assert 'name="agree"' not in page
    assert "<summary" in page[: page.index("data-agree")].rpartition("\n")[2]
    client.post(address, {"agree": case.finding, "confirm": "unfamiliar"})
    case.refresh_from_db()
    assert not case.decided
    client.post(address, {"agree_anyway": case.finding, "confirm": "unfamiliar"})
    case.refresh_from_db()
    assert case.decided


def test_a_mail_says_that_the_read_does_not_stand_and_no_finding(
    clinic: Clinic, put_in: PutIn
) -> None:
    case = put_in(unlike())
    letter = Outgoing.objects.filter(case=case, to=clinic.ana).get().payload
    assert letter["subject"] == "Firstread: A case needs your own look"
    assert UNLIKE in letter["text"]
    assert not re.search(r"red|stat|alarm", letter["text"].replace("measured", ""), re.IGNORECASE)


def test_what_is_not_calibrated_is_shown_as_such_without_the_alarms_red(
    clinic: Clinic, put_in: PutIn, client: Client
) -> None:
    case = put_in(cell_png("red"), calibrated=False)
    (row,) = rows_of([case.pk])
    assert (row.finding, row.verdict.says, row.alarming) == ("Red cell", "Not calibrated", False)
    client.force_login(clinic.ana)
    page = client.get(reverse("case", args=[case.pk])).content.decode()
    assert "Not calibrated" in page
    assert not re.search(r'class="[^"]*\b(alarming|alarm|stat|asap)\b', page)
    with pytest.raises(BadMeasurement, match='"confirm": "uncalibrated"'):
        answer(case.pk, by=clinic.ana, label="red")


def test_a_case_says_what_was_left_out_and_opens_on_a_fit_sample(
    clinic: Clinic, put_in: PutIn, client: Client
) -> None:
    samples = [blurred_png("green", seed=9)]
    samples += [cell_png("green", seed=number) for number in range(4)]
    case = put_in(*samples, yellow_png())
    told = "4 of 6 counted; 2 left out: 1 blurred, 1 not the kind of picture this was made for"
    assert case.left_out == told
    assert api.whole(look(case.pk, by=clinic.ana))["left_out"] == told
    page = case_page_of(
        case.pk, by=clinic.ana, cell="", beat=None, came_from=Asked(), given=Given()
    )
    assert page.cell is not None
    assert page.cell.position == 2
    client.force_login(clinic.ana)
    for address in (reverse("worklist"), reverse("case", args=[case.pk])):
        assert told in words(client, address)
    assert any(told in line.sentence for line in page.view.history)


def test_an_unfit_sample_shows_no_finding_set_and_no_evidence(
    clinic: Clinic, put_in: PutIn, client: Client
) -> None:
    case = put_in(blurred_png("red"))
    client.force_login(clinic.ana)
    page = client.get(reverse("case", args=[case.pk])).content.decode()
    assert "Unfit for a first read" in page
    assert "Cannot be ruled out" not in page
    assert reverse("evidence", args=[case.samples.get().pk, 0]) not in page
    assert client.get(reverse("evidence", args=[case.samples.get().pk, 0])).status_code == 404
    (read,) = api.whole(look(case.pk, by=clinic.ana))["reads"]
    assert (read["read"]["finding_set"], read["read"]["coverage"]) == ([], None)


def test_what_does_not_stand_stays_so_while_another_sample_of_the_case_is_read(
    clinic: Clinic, put_in: PutIn
) -> None:
    case = put_in(unlike())
    more = [Incoming(data=cell_png("green", seed=5), name="more.png")]
    receive(more, check="leukaemia", door="page", accession=case.accession, by=clinic.tech)
    case.refresh_from_db()
    assert case.state == "received"
    assert api.whole(look(case.pk, by=clinic.ana))["finding"] is None

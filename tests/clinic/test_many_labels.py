"""A pack with a thousand labels: the case page shows the foremost, and any can be the answer."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from firstread.clinic.intake import Incoming, receive
from firstread.clinic.models import Case, Check, Reader, SignOff
from firstread.packs import find_pack
from tests.clinic_for_tests import Clinic, read_all


@pytest.fixture
def case(clinic: Clinic) -> Case:
    """A golden picture of the pack `objects`, read."""
    check = Check.objects.create(name="objects", title="Objects", pack="objects", kind="image")
    Reader.objects.create(check_row=check, person=clinic.ana)
    data = (find_pack("objects") / "golden" / "01.png").read_bytes()
    case = receive(
        [Incoming(data=data, name="photo.png")],
        check="objects",
        door="page",
        accession="O-1",
        by=clinic.tech,
    ).case
    assert read_all() == 1
    case.refresh_from_db()
    return case


def test_the_page_shows_the_first_five_and_takes_any_answer(
    clinic: Clinic, case: Case, client: Client
) -> None:
    client.force_login(clinic.ana)
    page = client.get(reverse("case", args=[case.pk])).content.decode()
    assert page.count('class="finding-title"') == 5
    assert "995 more labels share the other" in page
    maps = re.search(r"<select data-map-label.*?</select>", page, re.DOTALL)
    assert maps
    assert maps[0].count("<option") == 5
    choice = re.search(r'<select class="input" id="answer-label".*?</select>', page, re.DOTALL)
    assert choice
    assert choice[0].count("<option") == 1 + 5 + 1000 + 1
    assert 'type="radio" name="label"' not in page
    client.post(reverse("answer", args=[case.pk]), {"label": "tench"})
    assert SignOff.objects.get(case=case).label == "tench"


def test_the_pack_page_names_the_first_labels_and_where_it_was_imported_from(
    clinic: Clinic, client: Client
) -> None:
    client.force_login(clinic.ana)
    page = client.get(reverse("pack", args=["objects"])).content.decode()
    assert "and 980 more" in page
    assert "Imported from" in page
    assert "SqueezeNet_fp16.onnx" in page
    assert "imported 20" in page


def test_the_checks_of_imported_packs_are_set_up_like_any(clinic: Clinic) -> None:
    from firstread.clinic import registry

    registry.ensure_checks()
    assert {"objects", "retina-oct"} <= set(Check.objects.values_list("name", flat=True))

"""A pack whose alarm names a group of labels: what people are shown, and what they may answer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from msgspec import structs

from firstread.clinic.checks import readers
from firstread.clinic.models import Case, Check, Reader, ReadRow
from firstread.clinic.steps.edge_read import adds_up
from firstread.clinic.steps.intake import Incoming, receive
from firstread.clinic.steps.who_may import answers_for
from firstread.clinic.storage.reads import read_of
from firstread.domain.priority import Priority
from firstread.domain.read import Finding
from firstread.packs import open_manifest
from firstread.runtime import open_reader
from tests.clinic_for_tests import Clinic, read_all
from tests.images_for_tests import cell_png
from tests.packs_for_tests import LABELS, WARM, make_pack

PLAIN = tuple(structs.replace(label, positive=False, priority="routine") for label in LABELS)


@pytest.fixture
def grouped(clinic: Clinic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pack of which only the group `warm`, red or green, is positive; its check is `warmth`."""
    pack = make_pack(
        tmp_path / "shelf", name="grouped", check="warmth", labels=PLAIN, groups=[WARM]
    )
    monkeypatch.setenv("FIRSTREAD_PACKS", str(pack.parent))
    check = Check.objects.create(name="warmth", title="Warmth", pack="grouped", kind="image")
    Reader.objects.create(check_row=check, person=clinic.ana)
    readers.forget()
    return pack


def put_in(clinic: Clinic, *colours: str) -> Case:
    samples = [
        Incoming(data=cell_png(colour, seed=number), name=f"{number}.png")
        for number, colour in enumerate(colours)
    ]
    case = receive(samples, check="warmth", door="page", accession="W-1", by=clinic.tech).case
    read_all()
    case.refresh_from_db()
    return case


def test_the_case_page_says_the_groups_title_and_from_where_on_it_alarms(
    clinic: Clinic, grouped: Path, client: Client
) -> None:
    case = put_in(clinic, "red")
    assert (case.finding, case.priority) == ("red", Priority.URGENT)
    client.force_login(clinic.ana)
    page = client.get(reverse("case", args=[case.pk])).content.decode()
    assert "Raises the alarm: <strong>Warm cell</strong>" in page
    assert "Raises the alarm all the same" not in page
    assert page.count('class="finding-title"') == 4
    assert 'class="verdict alarming"' in page


def test_no_alarm_of_a_group_is_shown_where_it_is_improbable(
    clinic: Clinic, grouped: Path, client: Client
) -> None:
    case = put_in(clinic, "blue")
    assert case.priority == Priority.ROUTINE
    client.force_login(clinic.ana)
    page = client.get(reverse("case", args=[case.pk])).content.decode()
    assert "Raises the alarm" not in page
    assert "Warm cell" in page


def test_of_one_sample_a_person_names_a_label_and_of_many_perhaps_the_group(
    clinic: Clinic, grouped: Path, client: Client
) -> None:
    one = put_in(clinic, "red")
    assert "warm" not in {code for code, _ in answers_for(one)}
    readers.forget()
    check = Check.objects.get(name="warmth")
    check.many = True
    check.save()
    many = receive(
        [Incoming(data=cell_png(c, seed=9 + n), name=f"{c}.png") for n, c in
         enumerate(["red", "green", "blue"])],
        check="warmth", door="page", accession="W-2", by=clinic.tech,
    ).case  # fmt: skip
    read_all()
    many.refresh_from_db()
    assert many.finding == "warm"
    assert dict(answers_for(many))["warm"] == "Warm cell"
    client.force_login(clinic.ana)
    worklist = client.get("/?show=open").content.decode()
    assert "Warm cell" in worklist


def test_what_is_stored_is_the_read_with_its_groups(clinic: Clinic, grouped: Path) -> None:
    case = put_in(clinic, "green")
    read = read_of(ReadRow.objects.get(case_sample__case=case))
    (warm,) = read.groups
    assert warm.label == "warm"
    assert warm.probability == pytest.approx(
        read.probability_of("red") + read.probability_of("green")
    )
    assert read.probability_of("warm") == warm.probability


def test_an_older_read_without_groups_still_opens(clinic: Clinic, grouped: Path) -> None:
    case = put_in(clinic, "green")
    row = ReadRow.objects.get(case_sample__case=case)
    del row.body["groups"]
    assert read_of(row).groups == ()


def test_a_read_from_elsewhere_whose_group_does_not_add_up_is_not_believed(grouped: Path) -> None:
    told = open_reader(grouped).read(cell_png("red"))
    manifest = open_manifest(grouped)
    assert adds_up(told, manifest=manifest)
    for groups in ((), (Finding(label="warm", probability=0.1),)):
        wrong = replace(told, read=replace(told.read, groups=groups))
        assert not adds_up(wrong, manifest=manifest)


def test_the_packs_page_tells_what_a_group_holds(
    clinic: Clinic, grouped: Path, client: Client
) -> None:
    client.force_login(clinic.ana)
    page = client.get(reverse("pack", args=["grouped"])).content.decode()
    assert "<h2>Groups</h2>" in page
    assert "Red cell, Green cell; alarm from 30" in page

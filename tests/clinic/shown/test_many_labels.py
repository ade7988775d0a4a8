"""A pack with a thousand labels: the case page shows the foremost, and any can be the answer."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from firstread.clinic.checks.checks import ensure_checks
from firstread.clinic.models import Case, Check, Reader, ReadRow, SignOff
from firstread.clinic.shown import evidence
from firstread.clinic.steps.intake import Incoming, receive
from firstread.clinic.storage.evidence_bytes import unpack_array
from firstread.clinic.storage.reads import maps_of, read_of
from firstread.domain.errors import UnknownCase
from firstread.runtime import open_reader
from tests.clinic_for_tests import Clinic, read_all
from tests.importing.models_for_tests import imported, pooled_linear
from tests.packs_for_tests import THOUSAND, make_pack


@pytest.fixture
def things(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pack with a thousand labels on a shelf of its own."""
    monkeypatch.setenv("FIRSTREAD_PACKS", str(tmp_path / "packs"))
    return make_pack(tmp_path / "packs", name="things", check="objects", labels=THOUSAND)


@pytest.fixture
def case(clinic: Clinic, things: Path) -> Case:
    """A golden picture of the pack `things`, read."""
    check = Check.objects.create(name="objects", title="Objects", pack="things", kind="image")
    Reader.objects.create(check_row=check, person=clinic.ana)
    return read_golden(things, clinic=clinic, check="objects")


def read_golden(pack: Path, *, clinic: Clinic, check: str) -> Case:
    """A case of a pack's first golden picture, read."""
    data = (pack / "golden" / "01.png").read_bytes()
    photo = Incoming(data=data, name="photo.png")
    case = receive([photo], check=check, door="page", accession="O-1", by=clinic.tech).case
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
    assert "Not calibrated" not in page
    maps = re.search(r"<select data-map-label.*?</select>", page, re.DOTALL)
    assert maps
    assert maps[0].count("<option") == 5
    choice = re.search(r'<select class="input" id="answer-label".*?</select>', page, re.DOTALL)
    assert choice
    assert choice[0].count("<option") == 1 + 5 + 1000 + 1
    assert 'type="radio" name="label"' not in page
    client.post(reverse("answer", args=[case.pk]), {"label": "thing-999"})
    assert SignOff.objects.get(case=case).label == "thing-999"


def test_the_maps_of_the_first_five_are_kept_and_each_is_its_own(
    clinic: Clinic, things: Path, case: Case, client: Client
) -> None:
    row = ReadRow.objects.get(case_sample__case=case)
    read, kept = read_of(row), unpack_array(bytes(row.evidence or b""))
    assert kept.shape[0] == 5
    assert set(maps_of(row)) == {each.label for each in read.findings[:5]}
    whole = open_reader(things).read((things / "golden" / "01.png").read_bytes()).evidence
    assert whole is not None
    for place, label in enumerate(maps_of(row)):
        own = whole[[each.code for each in THOUSAND].index(label)]
        assert np.allclose(kept[place], own, atol=0.01)
    client.force_login(clinic.ana)
    page = client.get(reverse("case", args=[case.pk])).content.decode()
    choice = re.search(r"<select data-map-label.*?</select>", page, re.DOTALL)
    assert choice
    offered = re.findall(r'value="([^"]+)"[^>]*>([^<]+)<', choice[0])
    titles = {each.code: each.title for each in THOUSAND}
    assert offered[0][1].strip() == titles[read.label]
    for href, title in offered:
        place = int(Path(href).stem)
        assert titles[maps_of(row)[place]] == title.strip()
        assert client.get(href).headers["Content-Type"] == "image/png"
    sample = row.case_sample_id
    assert client.get(reverse("evidence", args=[sample, 5])).status_code == 404
    with pytest.raises(UnknownCase, match="maps of the most probable are kept"):
        evidence.png(sample, label=read.findings[-1].label)


def test_the_pack_page_names_the_first_labels(clinic: Clinic, things: Path, client: Client) -> None:
    client.force_login(clinic.ana)
    page = client.get(reverse("pack", args=[things.name])).content.decode()
    assert "and 980 more" in page


def test_an_imported_pack_says_where_from_and_its_check_is_set_up_like_any(
    clinic: Clinic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    (tmp_path / "theirs.onnx").write_bytes(pooled_linear())
    monkeypatch.setenv("FIRSTREAD_PACKS", str(tmp_path / "packs"))
    imported(tmp_path / "theirs.onnx", tmp_path)
    ensure_checks()
    assert Check.objects.get(name="foreign").pack == "foreign"
    client.force_login(clinic.ana)
    page = client.get(reverse("pack", args=["foreign"])).content.decode()
    assert "Imported from" in page
    assert "theirs.onnx" in page
    assert "imported 20" in page
    case = read_golden(tmp_path / "packs" / "foreign", clinic=clinic, check="foreign")
    page = client.get(reverse("case", args=[case.pk])).content.decode()
    assert "Not calibrated" in page

"""What pages show of a sample: without metadata, with the evidence where it belongs."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from firstread.clinic.checks import readers
from firstread.clinic.checks.checks import ensure_checks
from firstread.clinic.models import Check
from firstread.clinic.shown import changes, evidence, pictures
from firstread.clinic.steps.intake import Incoming, receive
from firstread.domain.errors import PackRefused, UnknownCase, UnknownPack
from tests.clinic_for_tests import Clinic, put_in_row, read_all, read_case
from tests.images_for_tests import cell, save


def _opened(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data))


def test_the_evidence_lies_where_the_network_looked(clinic: Clinic) -> None:
    wide = Image.new("RGB", (300, 100), (200, 190, 190))
    wide.paste(cell("red", side_px=100), (100, 0))
    case = receive([Incoming(data=save(wide, "PNG"))], check="leukaemia", door="page", by=None).case
    read_all()
    sample = case.samples.get()
    overlay = _opened(evidence.png(sample.pk, label="red"))
    assert overlay.size == (512, 171)
    alpha = np.asarray(overlay)[:, :, 3]
    assert alpha[:, 180:330].max() > 100
    assert alpha[:, :160].max() == 0 == alpha[:, 352:].max()  # the pack looks at the centre only


def test_there_is_no_map_of_what_is_not_there(clinic: Clinic) -> None:
    sample = read_case("red").samples.get()
    with pytest.raises(UnknownCase, match="no such label"):
        evidence.png(sample.pk, label="purple")
    with pytest.raises(UnknownCase, match="no evidence map"):
        evidence.png(sample.pk + 1000, label="red")
    row = put_in_row()
    read_all()
    with pytest.raises(UnknownCase, match="no evidence map"):
        evidence.png(row.samples.get().pk, label="malignant")


def test_pictures_for_pages_carry_no_metadata(clinic: Clinic) -> None:
    exif = Image.Exif()
    exif[0x010E] = "Mrs Example, born 1950"
    data = save(cell(), "JPEG", exif=exif)
    case = receive([Incoming(data=data)], check="leukaemia", door="page", by=None).case
    sha256 = case.samples.get().sample_id
    for picture in (pictures.thumbnail(sha256), pictures.display(sha256), pictures.display(sha256)):
        assert b"Example" not in picture
        assert not dict(_opened(picture).getexif())


def test_a_change_of_a_case_is_seen_and_a_look_is_none(clinic: Clinic) -> None:
    from firstread.clinic.shown.case import look

    before = changes.latest()
    case = read_case("red")
    assert changes.since(before) == [case.pk]
    now = changes.latest()
    look(case.pk, by=clinic.ana)
    assert (changes.latest(), changes.since(now)) == (now, [])


def test_a_pack_of_another_kind_is_refused(clinic: Clinic) -> None:
    Check.objects.filter(pk="leukaemia").update(pack="sizes")
    with pytest.raises(PackRefused, match="takes image"):
        readers.reader_of(Check.objects.get(pk="leukaemia"))


def test_checks_are_set_up_once_and_what_people_changed_stays(clinic: Clinic) -> None:
    Check.objects.filter(pk="leukaemia").update(readers=1, title="Ours")
    ensure_checks()
    check = Check.objects.get(pk="leukaemia")
    assert (check.readers, check.title, check.pack) == (1, "Ours", "colour")


def test_a_pack_that_is_not_there_is_said(clinic: Clinic) -> None:
    check = Check(name="x", pack="nowhere", kind="image")
    with pytest.raises(UnknownPack):
        readers.reader_of(check)
    assert "no pack 'nowhere'" in (readers.trouble(check) or "")

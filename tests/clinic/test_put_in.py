"""The put-in page without its script: what is not told is asked, and never guessed."""

from __future__ import annotations

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from firstread.clinic.models import Case, Check
from tests.clinic_for_tests import Clinic
from tests.images_for_tests import cell_png


def _samples(*colours: str) -> list[SimpleUploadedFile]:
    return [SimpleUploadedFile(f"{each}.png", cell_png(each)) for each in colours]


def test_the_check_is_asked_where_there_are_several(clinic: Clinic, client: Client) -> None:
    client.force_login(clinic.tech)
    for address in ("/put-in", "/put-in?check=nonsense"):
        page = client.get(address).content.decode()
        assert "Choose the check that the samples are for." in page
        assert 'aria-current="true"' not in page.partition("<main")[2]
        assert client.post(address, {"sample": _samples("red")}).status_code == 422
    program = {"Accept": "application/json"}
    said = client.post("/put-in", {"sample": _samples("red")}, headers=program).json()
    assert said["results"][0]["says"] == "Choose the check that the samples are for."
    assert not Case.objects.exists()


def test_where_there_is_one_check_nobody_is_asked(clinic: Clinic, client: Client) -> None:
    Check.objects.exclude(name="leukaemia").delete()
    client.force_login(clinic.tech)
    assert "Choose the check" not in client.get("/put-in").content.decode()


def test_several_pictures_are_one_case_or_a_case_each_as_somebody_says(
    clinic: Clinic, client: Client
) -> None:
    client.force_login(clinic.tech)
    sent = {"check": "leukaemia", "accession": ""}
    asked = client.post("/put-in", {**sent, "sample": _samples("red", "green")})
    assert (asked.status_code, Case.objects.count()) == (422, 0)
    assert "one case or a case each" in asked.content.decode()
    bad = SimpleUploadedFile("letter.png", b"Dear colleague")
    each = {**sent, "together": "each", "sample": [bad, *_samples("red", "green")]}
    assert client.post("/put-in", each).content.decode().count("Put in as case") == 2
    assert Case.objects.count() == 2
    client.post("/put-in", {**sent, "together": "one", "sample": _samples("blue", "green")})
    assert Case.objects.count() == 3

"""A case of many samples is told in the word that its pack has for one of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from firstread.clinic.checks import readers
from firstread.clinic.checks.sample_words import one_sample
from firstread.clinic.models import Case, Check
from firstread.clinic.shown.words import how_many, plural
from firstread.clinic.steps.intake import Incoming, receive
from firstread.clinic.steps.who_may import answers_for
from tests.clinic_for_tests import Clinic, add_heartbeat, read_all
from tests.hearts_for_tests import recording_zip
from tests.images_for_tests import cell_png
from tests.packs_for_tests import make_pack

Named = Callable[..., Path]


@pytest.fixture
def named(clinic: Clinic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Named:
    """Puts a pack on a shelf of its own that calls one sample as it is told; check `scans`."""

    def put(one: str) -> Path:
        pack = make_pack(tmp_path / "shelf", name="scans", check="scans", one=one)
        monkeypatch.setenv("FIRSTREAD_PACKS", str(pack.parent))
        Check.objects.create(name="scans", title="Scans", pack="scans", kind="image", many=True)
        readers.forget()
        return pack

    return put


@pytest.fixture
def chief(clinic: Clinic, client: Client) -> Client:
    client.force_login(clinic.chief)
    return client


def received(*colours: str) -> Case:
    samples = [
        Incoming(data=cell_png(colour, seed=number), name=f"{number}.png")
        for number, colour in enumerate(colours)
    ]
    case = receive(samples, check="scans", door="page", accession="S-1", by=None).case
    read_all()
    case.refresh_from_db()
    return case


def words_of(page: str) -> str:
    """What a person can read of a page, what an address or a style says left out."""
    alts = " ".join(re.findall(r'alt="([^"]*)"', page))
    plain = re.sub(r"<script.*?</script>|<style.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", f"{plain} {alts}")


def opened(client: Client, address: str) -> str:
    return words_of(client.get(address).content.decode())


def test_one_word_becomes_several():
    words = ("cell", "slice", "patch", "picture", "biopsy core", "biopsy", "x ray", "box", "lens")
    assert [plural(word) for word in words] == [
        "cells", "slices", "patches", "pictures", "biopsy cores", "biopsies", "x rays", "boxes",
        "lenses",
    ]  # fmt: skip
    assert (how_many(0, "patch"), how_many(1, "patch")) == ("0 patches", "1 patch")


def test_the_pages_of_a_case_say_what_its_pack_calls_a_sample(named: Named, chief: Client):
    named("biopsy core")
    case = received("red", "red", "green")
    page = opened(chief, reverse("case", args=[case.pk]) + "?cell=2")
    for words in (
        "Scans · 3 biopsy cores",
        "First read of biopsy core 2",
        "2 of 3 biopsy cores raise the alarm",
        "Biopsy cores 2 of 3 raise the alarm",
        "3 biopsy cores counted",
        "No alarming biopsy core",
        "Biopsy core before, biopsy core after",
        "Biopsy core 2 of 3 of accession S-1",
    ):
        assert words in page
    # The test pack's labels and limits speak of cells, and nothing else on the page does.
    others = re.sub(r"(Red|Green|Blue) cell|no cells", "", page)
    assert not re.search(r"\bcells?\b", others, re.IGNORECASE)
    assert "Scans · 3 biopsy cores" in opened(chief, "/?show=open")


def test_one_of_several_raises_the_alarm(named: Named, chief: Client):
    named("patch")
    case = received("green", "red")
    page = opened(chief, reverse("case", args=[case.pk]))
    assert "1 of 2 patches raises the alarm" in page


def test_a_case_of_one_sample_counts_none(named: Named, chief: Client):
    named("slice")
    case = received("red")
    page = opened(chief, reverse("case", args=[case.pk]))
    assert "slice" not in page.lower()
    assert "The sample of accession S-1" in page
    assert "slice" not in opened(chief, "/?show=open")


def test_a_pack_that_does_not_say_it_reads_pictures(named: Named, chief: Client):
    pack = named("picture")
    assert "one =" not in (pack / "pack.toml").read_text()
    case = received("red", "green")
    assert "Scans · 2 pictures" in opened(chief, reverse("case", args=[case.pk]))
    assert dict(answers_for(case))["no-alarm"] == "No alarming picture"


def test_where_the_pack_is_gone_its_samples_are_pictures(
    named: Named, chief: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    named("slice")
    case = received("red", "green")
    monkeypatch.setenv("FIRSTREAD_PACKS", str(tmp_path / "empty"))
    (tmp_path / "shelf").rename(tmp_path / "away")
    readers.forget()
    page = opened(chief, reverse("case", args=[case.pk]))
    assert "Scans · 2 pictures" in page
    assert "No alarming picture" in page
    assert "Scans · 2 pictures" in opened(chief, "/?show=open")


def test_a_case_of_recordings_holds_recordings(
    clinic: Clinic, chief: Client, beats_shelf: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("FIRSTREAD_PACKS", beats_shelf)
    check = add_heartbeat(clinic)
    check.many = True
    check.save()
    samples = [
        Incoming(data=recording_zip(seconds=seconds, wide=(4,)), name=f"{seconds}.zip")
        for seconds in (12, 14)
    ]
    case = receive(samples, check="heartbeat", door="page", accession="H-1", by=clinic.tech).case
    read_all()
    assert one_sample(check) == "recording"
    page = opened(chief, reverse("case", args=[case.pk]))
    assert "Heartbeat · 2 recordings" in page
    assert "First read of recording" in page
    assert "2 recordings counted" in page
    assert not re.search(r"\bcells?\b", page, re.IGNORECASE)
    assert "Heartbeat · 2 recordings" in opened(chief, "/?show=open")

"""A patient is erased while the site works: no file and no row holds a word or a byte of theirs."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.images_for_tests import cell_png
from tests.site_for_tests import SETUP, Site, site_on, twin_of
from tests.smtp_for_tests import Mailbox, mail_through, start_smtp

NUMBER, NAME, ACCESSION = "MRN-4711", "Gesine Musterfrau", "ACC-90210"
OWN = cell_png("red", seed=1, side_px=40)
SHARED = cell_png("red", seed=2, side_px=40)
OTHERS = cell_png("green", seed=3, side_px=40)
REFUSED = b"no picture at all, and yet somebody's"
SIGN_OFF = f"""
from firstread.server.start import open_django
open_django()
from firstread.clinic.models import Case, Patient, Person
from firstread.clinic.queue.find_by_words import keep_words
from firstread.clinic.shown.case import look
from firstread.clinic.steps.review import answer
from firstread.clinic.storage import cache
Patient.objects.filter(identifier="{NUMBER}").update(name="{NAME}")
for case in Case.objects.filter(patient__identifier="{NUMBER}"):
    keep_words(case)
    ana = Person.objects.get(username="ana")
    look(case.pk, by=ana)
    answer(case.pk, by=ana, label=case.finding, comment="{NAME} was told")
    for sample in case.samples.all():
        cache.write(cache.place_of(sample.sample_id, form="trace"), [b"made of it"])
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def site(request: pytest.FixtureRequest, tmp_path: Path, shelf: Path) -> Iterator[Site]:
    home = tmp_path / "site"
    home.mkdir()
    with site_on(request.param, home=home, shelf=shelf) as site:
        site.env["PYTHONPATH"] += f":{Path(__file__).parents[2]}"
        yield site


def _submit(site: Site, data: bytes, *, accession: str, patient: str) -> None:
    import httpx

    answer = httpx.post(
        f"{site.url}/api/v1/cases",
        data={"check": "leukaemia", "accession": accession, "patient": patient},
        files={"sample": ("cell.png", data)},
        headers={
            "Authorization": f"Bearer {site.token}",
            "Idempotency-Key": f"{accession}-{len(data)}",
        },
        timeout=30,
    )
    assert answer.status_code == 201, answer.text


def _found(site: Site, words: list[str]) -> list[str]:
    """Where the words still stand: in files of the home folder, in their names, in a dump."""
    found = []
    for path in site.home.rglob("*"):
        text = str(path.relative_to(site.home)).encode()
        if path.is_file():
            text += path.read_bytes()
        found += [f"{path}: {word}" for word in words if _names(text, word)]
    url = site.env["FIRSTREAD_DATABASE_URL"]
    if url.startswith("postgresql"):
        dump = subprocess.run(["pg_dump", url], capture_output=True, check=True).stdout
        found += [f"dump: {word}" for word in words if _names(dump, word)]
    return found


def _names(text: bytes, word: str) -> bool:
    """Whether it stands there by itself: MRN-47110 is somebody else."""
    return re.search(rb"%b(?![0-9])" % word.encode(), text) is not None


def test_nothing_of_an_erased_patient_is_left_and_the_trail_adds_up(
    site: Site, tmp_path: Path
) -> None:
    mailbox = Mailbox()
    smtp = start_smtp(mailbox)
    site.env |= mail_through(smtp)
    inbox = Path(site.env["FIRSTREAD_INBOX_FOLDER"])
    words = [NUMBER, NAME, ACCESSION]
    hashes = [hashlib.sha256(data).hexdigest() for data in (OWN, REFUSED)]
    copies, twin = tmp_path / "copies", twin_of(site, tmp_path / "twin")
    try:
        site.token = site.python(SETUP).strip()
        site.start("up")
        site.wait_for((inbox / "leukaemia").is_dir, what="open")
        _submit(site, OWN, accession=ACCESSION, patient=NUMBER)
        _submit(site, SHARED, accession="ACC-90210-B", patient=NUMBER)
        _submit(site, SHARED, accession="OTHER-1", patient="MRN-5000")
        _submit(site, OTHERS, accession="OTHER-2", patient="MRN-47110")
        (inbox / "leukaemia" / f"{ACCESSION}_kept.png").write_bytes(OWN)
        (inbox / "leukaemia" / f"{ACCESSION}_bad.png").write_bytes(REFUSED)
        done = inbox / ".done"
        site.wait_for(lambda: bool(list(done.rglob("*_kept.png"))), what="taken")
        site.wait_for(lambda: bool(list(inbox.glob("refused/**/*_bad.png"))), what="sent back")
        (done / "table.csv").write_text(f"accession,size\n{ACCESSION},3\nOTHER-3,4\n")
        read = "SELECT count(*) FROM clinic_case WHERE state = 'read'"
        site.wait_for(lambda: site.query(read) == [(4,)], what="read")
        assert site.firstread("backup", str(copies)).returncode == 0
        site.python(SIGN_OFF)
        assert len({where.rpartition(": ")[2] for where in _found(site, words + hashes)}) >= 5

        said = site.firstread("erase", "MRN-471", "--yes")
        assert "There is no patient of that number" in said.stderr
        said = site.firstread("erase", NUMBER, "--dry-run")
        assert said.stdout.startswith("2 cases (0 not signed off, 0 held), 1 refused files.")
        assert site.firstread("erase", NUMBER).returncode == 2  # nobody can be asked
        said = site.firstread("erase", NUMBER, "--yes")
        assert said.returncode == 0, said.stderr
        assert "Erased: 2 cases, 1 samples" in said.stdout
        assert "1 samples stay: another case holds the same bytes." in said.stdout
        assert f"in {copies} still holds copies" in said.stdout
        assert _found(site, words + hashes) == []

        for data in (SHARED, OTHERS):
            sha256 = hashlib.sha256(data).hexdigest()
            assert (site.home / "samples" / sha256[:2] / sha256).read_bytes() == data
        assert (done / "table.csv").read_text() == "accession,size\nOTHER-3,4\n"
        assert site.query("SELECT count(*) FROM clinic_case") == [(2,)]
        for command in (("audit", "verify"), ("store", "verify")):
            said = site.firstread(*command)
            assert said.returncode == 0, said.stdout + said.stderr
        _submit(site, OWN, accession="AGAIN-1", patient="MRN-6000")  # the site works on
        site.stop()

        # A copy that was made before brings the patient back, and what was erased goes again.
        shutil.copy(site.home / "secret-key", twin.home / "secret-key")
        said = twin.firstread("restore", str(copies))
        assert said.returncode == 0, said.stderr
        assert "2 cases were erased after the copy was made, and now again." in said.stdout
        assert _found(twin, [ACCESSION, NUMBER, hashes[0]]) == []
        assert twin.query("SELECT count(*) FROM clinic_case") == [(2,)]
        assert twin.firstread("audit", "verify").returncode == 0
    finally:
        smtp.stop()

"""A clinic with cases in every state, for the tests that look at every page of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from django.utils import timezone

from firstread.clinic.checks import readers
from firstread.clinic.models import Case, Check, Outgoing, Patient, Person, Reader, ReadRow
from firstread.clinic.steps.amend import amend
from firstread.clinic.steps.files import Incoming
from firstread.clinic.steps.intake import receive, receive_measurements
from firstread.clinic.steps.review import answer
from firstread.clinic.steps.withdraw import withdraw
from firstread.domain.errors import UnreadableSample
from firstread.phantom import Phantom, make
from tests.clinic_for_tests import Clinic, read_all
from tests.images_for_tests import as_png, blurred_png, cell, cell_png

LONG = "A-VERY-LONG-ACCESSION-NUMBER-OF-A-LABORATORY-0001-OF-THE-YEAR-26"
UNBROKEN = "Chromatin" * 30
PHANTOMS = {
    "blood-smear": ("blood-cell", "image", "Blood smear"),
    "breast-cytology": ("breast-cytology", "measurements", "Breast cytology"),
    "heartbeat": ("heartbeat", "recording", "Heartbeat"),
}
"""Checks with the packs that Firstread brings, whose words are as long as words are."""


def furnish(clinic: Clinic) -> dict[str, str]:
    """The address of the page of each case, by the state that it is in."""
    _long_names(clinic)
    cases = {name: make_case() for name, make_case in _cases(clinic).items()}
    _wait_until_read(set(cases))
    _decide(clinic, cases)
    _hold(cases["waiting"])
    _fail_messages(cases["alarm"])
    _refuse(clinic)
    return {name: f"/cases/{case.pk}" for name, case in cases.items()}


def _long_names(clinic: Clinic) -> None:
    for name, (pack, kind, title) in PHANTOMS.items():
        check, _ = Check.objects.update_or_create(
            name=name,
            defaults={"pack": pack, "kind": kind, "title": title, "many": kind == "image"},
        )
        for person in (clinic.ana, clinic.bo):
            Reader.objects.get_or_create(check_row=check, person=person)
    titles = ("Diabetic retinopathy", "Breast histology", "Brain tumour") * 3
    for n, title in enumerate(titles):  # as in a laboratory that has them all
        check = Check.objects.create(
            name=f"more-{n}",
            title=f"{title} {n}",
            pack="gone" if n == 1 else "colour",
            kind="image",
        )
        Reader.objects.create(check_row=check, person=clinic.ana)
    readers.forget()
    clinic.ana.first_name, clinic.ana.last_name = "Hannelore", "Haematologist-Hartmannsdorf"
    clinic.ana.email = "hannelore.haematologist-hartmannsdorf@laboratory.example.org"
    clinic.ana.save()


def _cases(clinic: Clinic) -> dict[str, Callable[[], Case]]:
    smear = partial(make, "blood-smear")
    hundred = [smear(label="neutrophil" if n % 3 else "lymphocyte", seed=n) for n in range(100)]
    wide = as_png(cell("red", side_px=900).resize((3000, 400)))
    tall = as_png(cell("red", side_px=900).resize((400, 3000)))
    take = partial(_take, clinic.tech)
    return {
        "alarm": lambda: take(cell_png("red"), accession=LONG, patient=LONG[::-1]),
        "no alarm": lambda: take(cell_png("green"), accession="S-2"),
        "waiting": lambda: take(cell_png("blue"), accession="S-3"),
        "unfit": lambda: take(blurred_png(), accession="S-4"),
        "some unfit": lambda: take(
            cell_png("red", seed=5), blurred_png(), cell_png("green", seed=4), accession="S-5"
        ),
        "pack away": lambda: take(cell_png("red", seed=9), check="more-1", accession="S-6"),
        "blind": lambda: take(cell_png("red", seed=11), accession="S-7"),
        "for the chief": lambda: take(cell_png("red", seed=12), accession="S-8"),
        "signed": lambda: take(cell_png("red", seed=13), accession="S-9"),
        "discordant": lambda: take(cell_png("red", seed=14), accession="S-10"),
        "amended": lambda: take(cell_png("red", seed=15), accession="S-11"),
        "withdrawn": lambda: take(cell_png("red", seed=16), accession="S-11-W"),
        "wide": lambda: take(wide, accession="S-12"),
        "tall": lambda: take(tall, accession="S-13"),
        "unfamiliar": lambda: take(
            *(cell_png("red", seed=40 + n) for n in range(12)),
            check="blood-smear",
            accession="S-14",
        ),
        "hundred": lambda: take(*map(_bytes, hundred), check="blood-smear", accession="S-15"),
        "one cell": lambda: take(_bytes(smear(seed=7)), check="blood-smear", accession="S-16"),
        "recording": lambda: take(
            _bytes(make("heartbeat", label="V", seed=3)), check="heartbeat", accession="S-17"
        ),
        "measurements": lambda: _row(clinic.tech),
    }


def _take(by: Person, *samples: bytes, check: str = "leukaemia", **words: str) -> Case:
    given = [Incoming(data=each, name="a-sample.png") for each in samples]
    return receive(given, check=check, door="page", by=by, **words).case


def _row(by: Person) -> Case:
    row = make("breast-cytology", label="malignant", seed=2).data
    assert isinstance(row, dict)
    return receive_measurements(
        row, check="breast-cytology", door="api", accession="S-18", by=by
    ).case


def _bytes(phantom: Phantom) -> bytes:
    return phantom.data if isinstance(phantom.data, bytes) else phantom.png


def _wait_until_read(names: set[str]) -> None:
    """The site's own worker reads beside; a case whose pack is away stays."""
    for _ in range(600):
        read_all()
        if Case.objects.filter(state="received", retry_at=None).count() == 0:
            return
        time.sleep(0.1)
    raise AssertionError(f"not all were read of {sorted(names)}")


def _decide(clinic: Clinic, cases: dict[str, Case]) -> None:
    for name, (mine, other) in {
        "blind": ("red", ""),
        "for the chief": ("red", "blue"),
        "signed": ("red", "red"),
        "discordant": ("blue", "blue"),
        "amended": ("red", "red"),
    }.items():
        for person, label in ((clinic.ana, mine), (clinic.bo, other)):
            if label:
                answer(cases[name].pk, by=person, label=label, comment=UNBROKEN)
    amend(cases["amended"].pk, by=clinic.chief, label="blue", comment=UNBROKEN)
    withdraw(cases["withdrawn"].pk, by=clinic.ana, reason=UNBROKEN)


def _hold(case: Case) -> None:
    """As while a worker reads it."""
    ReadRow.objects.filter(case_sample__case=case).delete()
    Case.objects.filter(pk=case.pk).update(
        state="received",
        finding="",
        probability=None,
        waits_for="",
        read_at=None,
        claimed_until=timezone.now() + timedelta(seconds=55),
    )


def _fail_messages(case: Case) -> None:
    said = f"550 5.7.1 relaying denied for {'x' * 200}@laboratory.example.org"
    Outgoing.objects.filter(case=case).update(
        state="given_up", attempts=12, last_error=said, address=f"{'y' * 80}@example.org"
    )
    Patient.objects.filter(cases=case).update(name="Maximiliane Mustermann-Musterhausen")


def _refuse(clinic: Clinic) -> None:
    try:
        _take(clinic.tech, b"This is not a picture, whatever its name says.")
    except UnreadableSample:
        return
    raise AssertionError("a text was taken for a picture")

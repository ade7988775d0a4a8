"""People, checks and cases for tests of the clinic, made by the steps themselves."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import connections

from firstread.clinic.checks import readers
from firstread.clinic.models import Case, Check, Outgoing, Person, Reader, Review, Role
from firstread.clinic.queue import cannot_read
from firstread.clinic.steps.first_read import read_next
from firstread.clinic.steps.intake import Incoming, receive, receive_measurements
from firstread.domain.errors import FirstreadError
from tests.images_for_tests import cell_png

PASSWORD = "a password for tests"


@dataclass(frozen=True, kw_only=True)
class Clinic:
    """A clinic with two checks and the people of the demo."""

    tech: Person
    ana: Person
    bo: Person
    chief: Person
    operator: Person
    leukaemia: Check
    cytology: Check

    @property
    def people(self) -> tuple[Person, ...]:
        return (self.tech, self.ana, self.bo, self.chief, self.operator)


def open_clinic() -> Clinic:
    """Rows for five people and two checks; `leukaemia` needs two readers and reads colours.

    The packs `colour` and `sizes` must be on the shelf (fixture `shelf`).
    """
    readers.forget()
    for check in cannot_read.reasons():  # what an earlier test could not read
        cannot_read.forget(check)
    # The store outlives a test's rows, and some tests damage what lies in it.
    shutil.rmtree(settings.FIRSTREAD.samples, ignore_errors=True)
    leukaemia = Check.objects.create(
        name="leukaemia", title="Leukaemia", pack="colour", kind="image", many=True, readers=2
    )
    cytology = Check.objects.create(
        name="breast-cytology",
        title="Breast cytology",
        pack="sizes",
        kind="measurements",
        tells_requester=True,
    )
    ana, bo = _person("ana", Role.SPECIALIST), _person("bo", Role.SPECIALIST)
    for person in (ana, bo):
        for check in (leukaemia, cytology):
            Reader.objects.create(check_row=check, person=person)
    return Clinic(
        tech=_person("tech", Role.TECHNICIAN),
        ana=ana,
        bo=bo,
        chief=_person("chief", Role.CHIEF),
        operator=_person("operator", Role.OPERATOR),
        leukaemia=leukaemia,
        cytology=cytology,
    )


def _person(name: str, role: Role) -> Person:
    return Person.objects.create_user(
        name, f"{name}@example.org", PASSWORD, role=role, first_name=name.capitalize()
    )


def put_in(
    *colours: str, accession: str = "", by: Person | None = None, seed: int = 1, patient: str = ""
) -> Case:
    """A case of leukaemia with a drawn cell of each colour: red raises the alarm."""
    samples = [
        Incoming(data=cell_png(colour, seed=seed + n), name=f"{colour}.png")
        for n, colour in enumerate(colours or ("red",))
    ]
    received = receive(
        samples, check="leukaemia", door="page", accession=accession, patient=patient, by=by
    )
    return received.case


def add_heartbeat(clinic: Clinic) -> Check:
    """A check that reads recordings with the pack `beats` (fixture `beats_shelf`); ana reads it."""
    check = Check.objects.create(
        name="heartbeat", title="Heartbeat", pack="beats", kind="recording"
    )
    Reader.objects.create(check_row=check, person=clinic.ana)
    return check


def put_in_row(*, accession: str = "", by: Person | None = None, **values: float | None) -> Case:
    """A case of breast cytology; size, shape and nuclei are 1 unless given."""
    row = {"size": 1.0, "shape": 1.0, "nuclei": 1.0} | values
    return receive_measurements(
        row, check="breast-cytology", door="api", accession=accession, by=by
    ).case


def read_all() -> int:
    """Read whatever waits, as the worker does; returns how many cases were read."""
    count = 0
    while read_next(readers.reader_of):
        count += 1
    return count


def read_case(*colours: str, accession: str = "", by: Person | None = None, seed: int = 1) -> Case:
    """A case of leukaemia that has had its first read."""
    case = put_in(*colours, accession=accession, by=by, seed=seed)
    read_all()
    case.refresh_from_db()
    return case


def at_once(*calls: Callable[[], object]) -> list[object]:
    """Call each in a thread of its own, all at the same moment; raises what one of them raises."""
    start = threading.Barrier(len(calls))

    def call(one: Callable[[], object]) -> object:
        start.wait()
        try:
            return one()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(call, calls))


def outcome(call: Callable[[], object]) -> str:
    """What came of a call beside others: "done", or the kind of our error that refused it."""
    try:
        call()
    except FirstreadError as error:
        return type(error).__name__
    return "done"


def ten_seconds_pass() -> None:
    """No answer so far can be taken back any longer, and what tells of them may leave."""
    long_ago = timedelta(seconds=15)
    for review in Review.objects.all():
        Review.objects.filter(pk=review.pk).update(at=review.at - long_ago)
    Outgoing.objects.filter(attempts=0, retry_at__isnull=False).update(retry_at=None)

"""The demonstration: people whose password everybody knows, and a worklist of phantoms."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db import connections
from django.utils import timezone

from firstread.clinic.accounts.demo import DEMO_PASSWORD, DEMO_PEOPLE
from firstread.clinic.checks import readers
from firstread.clinic.checks.checks import enabled_checks
from firstread.clinic.models import Case, Check, Patient, Person, Reader
from firstread.clinic.queue.find_by_words import keep_words
from firstread.clinic.steps.amend import amend
from firstread.clinic.steps.files import Incoming
from firstread.clinic.steps.first_read import read_next
from firstread.clinic.steps.intake import receive, receive_measurements
from firstread.clinic.steps.review import answer
from firstread.clinic.steps.who_may import answers_for
from firstread.phantom import Phantom, damaged, make


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One case of the demo's worklist: what its phantoms show, and what people said of it."""

    check: str
    cells: tuple[str, ...]
    minutes_ago: int
    damage: str = ""
    answers: tuple[tuple[str, str], ...] = ()
    """Who answered, and what; an empty label agrees with the first read."""
    amended_to: str = ""


def _many(**counts: int) -> tuple[str, ...]:
    return tuple(label for label, count in counts.items() for _ in range(count))


_BOTH = (("haematologist", ""), ("haematologist2", ""))
_ONE = (("haematologist", ""),)
PLANS = (
    Plan(check="leukaemia", cells=("blast",), minutes_ago=7),
    Plan(check="leukaemia", cells=_many(blast=7, lymphocyte=2, neutrophil=2), minutes_ago=26),
    Plan(check="leukaemia", cells=("promyelocyte",), minutes_ago=41),
    Plan(check="leukaemia", cells=("lymphocyte",), minutes_ago=58),
    Plan(check="leukaemia", cells=("monocyte",), minutes_ago=64, damage="blurred"),
    Plan(check="leukaemia", cells=("neutrophil",), minutes_ago=95, answers=_ONE),
    Plan(
        check="leukaemia",
        cells=("blast",),
        minutes_ago=133,
        answers=(("haematologist", "blast"), ("haematologist2", "lymphocyte")),
    ),
    Plan(check="leukaemia", cells=("eosinophil",), minutes_ago=190, answers=_BOTH),
    Plan(check="leukaemia", cells=("blast",), minutes_ago=260, answers=_BOTH),
    Plan(
        check="leukaemia",
        cells=("lymphocyte",),
        minutes_ago=420,
        answers=_BOTH,
        amended_to="monocyte",
    ),
    Plan(
        check="blood-smear",
        cells=_many(neutrophil=7, lymphocyte=4, monocyte=1, eosinophil=1, basophil=1),
        minutes_ago=12,
    ),
    Plan(
        check="blood-smear",
        cells=_many(ig=4, neutrophil=5, lymphocyte=2, erythroblast=1),
        minutes_ago=33,
    ),
    Plan(check="blood-smear", cells=("erythroblast",), minutes_ago=74),
    Plan(check="blood-smear", cells=("platelet",), minutes_ago=118),
    Plan(check="blood-smear", cells=("basophil",), minutes_ago=300, answers=_ONE),
    Plan(check="breast-cytology", cells=("malignant",), minutes_ago=19),
    Plan(check="breast-cytology", cells=("benign",), minutes_ago=52),
    Plan(check="breast-cytology", cells=("malignant",), minutes_ago=210, answers=_ONE),
    Plan(check="breast-cytology", cells=("benign",), minutes_ago=345, answers=_ONE),
    Plan(check="heartbeat", cells=("V",), minutes_ago=9),
    Plan(check="heartbeat", cells=("S",), minutes_ago=47),
    Plan(check="heartbeat", cells=("N",), minutes_ago=160, answers=_ONE),
)


def furnish(say: Callable[[str], None]) -> None:
    """People, checks, and the cases of one cell; what was made before stays as people left it."""
    _people()
    plans = [plan for plan in _missing() if len(plan.cells) == 1]
    if plans:
        say("Making the demonstration's samples. None of them is anybody's.")
    _furnish(plans)


def furnish_rest() -> None:
    """The cases of many cells, which take longer: they come while the pages are open already."""
    try:
        _furnish(_missing())
    finally:
        connections.close_all()


def _missing() -> list[Plan]:
    known = {check.name for check in enabled_checks()}
    there = set(Case.objects.values_list("accession", flat=True))
    return [plan for plan in PLANS if plan.check in known and _accession(plan) not in there]


def _furnish(plans: Iterable[Plan]) -> None:
    people = {person.username: person for person in Person.objects.all()}
    for plan in plans:
        case = _put_in(plan, people)
        if plan.answers:
            while read_next(readers.reader_of):
                pass
            _answer(plan, case, people)
    while read_next(readers.reader_of):
        pass


def _people() -> None:
    for each in DEMO_PEOPLE:
        if not Person.objects.filter(username=each.name).exists():
            Person.objects.create_user(
                each.name,
                f"{each.name}@firstread.example",
                DEMO_PASSWORD,
                first_name=each.first,
                last_name=each.last,
                role=each.role,
            )
    for check in Check.objects.filter(readers_of=None):
        check.tells_requester = True
        check.save(update_fields=["tells_requester"])
        for person in Person.objects.filter(username__in=("haematologist", "haematologist2")):
            Reader.objects.create(check_row=check, person=person)


def _accession(plan: Plan) -> str:
    return f"26-{48100 + 37 * PLANS.index(plan)}"


def _put_in(plan: Plan, people: dict[str, Person]) -> Case:
    number = PLANS.index(plan)
    at = timezone.now() - timedelta(minutes=plan.minutes_ago)
    accession = _accession(plan)
    patient = f"DEMO-{301 + number * 7}"
    samples = [
        damaged(plan.damage, check=plan.check, label=label, seed=_seed(number, place))
        if plan.damage
        else make(plan.check, label=label, seed=_seed(number, place))
        for place, label in enumerate(plan.cells)
    ]
    if isinstance(samples[0].data, dict):
        case = receive_measurements(
            samples[0].data,
            check=plan.check,
            door="api",
            accession=accession,
            patient=patient,
            by=people["tech"],
            received_at=at,
        ).case
    else:
        case = receive(
            [
                Incoming(data=_bytes_of(sample), name=f"{accession}_{place}{sample.ending}")
                for place, sample in enumerate(samples, start=1)
            ],
            check=plan.check,
            door="page" if number % 2 else "folder",
            accession=accession,
            patient=patient,
            by=people["tech"],
            received_at=at,
        ).case
    Patient.objects.filter(identifier=patient).update(name=f"Phantom {number + 1}")
    case.refresh_from_db()
    keep_words(case)
    return case


def _bytes_of(sample: Phantom) -> bytes:
    """Of a picture or a recording."""
    return sample.data if isinstance(sample.data, bytes) else sample.png  # says what it is


def _seed(number: int, place: int) -> int:
    return 1000 * (number + 1) + place


def _answer(plan: Plan, case: Case, people: dict[str, Person]) -> None:
    case.refresh_from_db()
    for name, label in plan.answers:
        known = [code for code, _title in answers_for(case)]
        # Of an unfit case there is nothing to agree with: then they see what was drawn.
        choice = next(c for c in (label, case.finding, plan.cells[0], known[0]) if c in known)
        case = answer(case.pk, by=people[name], label=choice, confirm=case.doubt)
    if plan.amended_to and plan.amended_to != case.finding:
        amend(
            case.pk,
            by=people["chief"],
            label=plan.amended_to,
            comment="Seen again at higher magnification.",
        )

"""A sample comes in: bytes to the store, rows in one transaction, the worker woken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.db import IntegrityError, transaction
from django.db.models import F

from firstread.clinic import audit
from firstread.clinic.checks.checks import check_named, manifest_of
from firstread.clinic.models import (
    Case,
    CaseSample,
    Check,
    Patient,
    Person,
    RefusedSample,
    Sample,
    clock,
)
from firstread.clinic.outbox.events import happened
from firstread.clinic.queue import wake
from firstread.clinic.queue.find_by_words import keep_words
from firstread.clinic.steps import edge_read
from firstread.clinic.steps.corrections import join_patient, refuse_other_patient
from firstread.clinic.steps.edge_read import FromEdge
from firstread.clinic.steps.files import (
    Incoming,
    Refusal,
    StoredSample,
    shown_name,
    store_each,
    why_none,
)
from firstread.clinic.steps.kinds import KINDS
from firstread.clinic.steps.who_may import plain_number
from firstread.clinic.storage import store
from firstread.domain.case import CaseState
from firstread.domain.errors import StoreTrouble, UnreadableSample, WrongState
from firstread.domain.kinds import WORDS

TRIES = 8
"""How often rows are written anew where another process wrote the same ones first."""
MOST_OTHERS = 10
"""Of how many other cases with the same sample the history tells, when it comes once more."""


@dataclass(frozen=True, kw_only=True)
class Received:
    """What became of what came in."""

    case: Case
    created: bool
    added: int
    refused: tuple[Refusal, ...] = ()
    told: tuple[str, ...] = ()
    """What of a table was not read, or had to be supposed."""


@dataclass(frozen=True, kw_only=True)
class _Request:
    """What the laboratory asks, and by which door."""

    check: Check
    accession: str
    patient: str
    door: str
    by: Person | None
    at: datetime
    edge: FromEdge | None


def receive(
    samples: Sequence[Incoming],
    *,
    check: str,
    door: str,
    accession: str = "",
    patient: str = "",
    by: Person | None,
    received_at: datetime | None = None,
    edge: FromEdge | None = None,
) -> Received:
    """Receive pictures or recordings as one case; the same ones again change nothing.

    Without an accession the case is named by its first sample. `received_at` is set where an edge
    or the demo had them before; `edge` says what was read there. Raises UnknownCheck,
    UnreadableSample (after keeping what was refused), BadMeasurement (accession or patient),
    WrongState (the accession is another patient's, or the case that holds the sample was
    withdrawn).
    """
    asked = _request(
        check, door=door, accession=accession, patient=patient, by=by, at=received_at, edge=edge
    )
    kind, words = KINDS[asked.check.kind], WORDS[asked.check.kind]
    if kind.opened is None:
        raise UnreadableSample(
            f"The check '{asked.check.name}' takes {words.many}, not pictures. Fill in the form, "
            "or send CSV or JSON."
        )
    if not samples:
        raise UnreadableSample(f"No sample was sent. Add at least one {words.one}.")
    files = [Incoming(data=each.data, name=shown_name(each.name)) for each in samples]
    stored, refused = store_each(
        kind.together(files),
        files,
        kind=asked.check.kind,
        opened=kind.opened,
        refuse=partial(_keep_refused, asked=asked),
    )
    if not stored:
        raise UnreadableSample(why_none(refused))
    if len(stored) > 1 and not asked.check.many:
        raise UnreadableSample(
            f"The check '{asked.check.name}' takes one {words.one} a case. Send each as its own "
            "case."
        )
    return _write(stored, asked=asked, refused=refused)


def receive_measurements(
    values: Mapping[str, float | None],
    *,
    check: str,
    door: str,
    accession: str = "",
    patient: str = "",
    by: Person | None,
    received_at: datetime | None = None,
    edge: FromEdge | None = None,
) -> Received:
    """Receive one row of measurements as a case; raises BadMeasurement, naming the field."""
    asked = _request(
        check, door=door, accession=accession, patient=patient, by=by, at=received_at, edge=edge
    )
    kind, words = KINDS[asked.check.kind], WORDS[asked.check.kind]
    if kind.row is None:
        raise UnreadableSample(
            f"The check '{asked.check.name}' takes {words.many}, not measurements. "
            f"Send a {words.one}."
        )
    data = kind.row(values, manifest_of(asked.check))
    stored = StoredSample(
        sha256=store.put(data),
        name="",
        kind=asked.check.kind,
        media_type="application/json",
        size_bytes=len(data),
    )
    return _write([stored], asked=asked)


def _request(
    check: str,
    *,
    door: str,
    accession: str,
    patient: str,
    by: Person | None,
    at: datetime | None,
    edge: FromEdge | None,
) -> _Request:
    return _Request(
        check=check_named(check),
        accession=plain_number(accession, field="accession"),
        patient=plain_number(patient, field="patient"),
        door=door,
        by=by,
        at=at or clock.now(),
        edge=edge,
    )


def _keep_refused(file: Incoming, reason: str, *, asked: _Request) -> None:
    sha256 = store.put(file.data)
    with transaction.atomic():
        row, created = RefusedSample.objects.get_or_create(
            sha256=sha256,
            check_name=asked.check.name,
            defaults={
                "size_bytes": len(file.data),
                "door": asked.door,
                "original_name": file.name,
                "reason": reason[:300],
                "by": asked.by,
                "received_at": asked.at,
            },
        )
        if created:
            # No hash: the trail is kept for good, also where the file is erased one day.
            audit.append("refused", by=asked.by, detail={"refused": row.pk, "door": asked.door})
            _refuse_erased([sha256])


def _write(
    samples: Sequence[StoredSample], *, asked: _Request, refused: tuple[Refusal, ...] = ()
) -> Received:
    """Write the rows, anew where another process wrote the same first: then they are found."""
    for left in reversed(range(TRIES)):
        try:
            with transaction.atomic():
                case, created, fresh = _case_for(samples, asked=asked)
                if fresh:
                    _add(fresh, to=case, asked=asked)
                    _tell_history(case, fresh, created=created, asked=asked)
                    _refuse_erased([each.sha256 for each in fresh])
        except IntegrityError:
            if not left:
                raise
            continue
        if fresh:
            transaction.on_commit(wake.reading.ring)
        return Received(case=case, created=created, added=len(fresh), refused=refused)
    raise AssertionError("unreachable")


def _case_for(
    samples: Sequence[StoredSample], *, asked: _Request
) -> tuple[Case, bool, list[StoredSample]]:
    """The case of the samples, whether it is new, and those of them that it lacks."""
    patient = None
    if asked.patient:
        patient, _ = Patient.objects.get_or_create(identifier=asked.patient)
    accession = asked.accession or _own_accession(samples, asked=asked)
    parts = _locked_parts(asked.check, accession)
    known = {
        **_moved_from(asked.check, accession, samples),
        **_held_by(parts, samples),
    }
    fresh = [each for each in samples if each.sha256 not in known]
    if not fresh:
        refuse_other_patient(known[samples[0].sha256], patient)
        return known[samples[0].sha256], False, []
    case, created = _open_case(parts, accession=accession, asked=asked)
    joined = join_patient(case, patient)
    if created or joined:
        keep_words(case)
    return case, created, fresh


def _own_accession(samples: Sequence[StoredSample], *, asked: _Request) -> str:
    """The number of the case that holds the sample already, else one made from its hash."""
    there = (
        Case.objects.filter(check_row=asked.check, samples__sample=samples[0].sha256)
        .order_by(F("withdrawn_at").asc(nulls_first=True), "received_at")
        .values_list("accession", flat=True)
        .first()
    )
    return there or f"S-{samples[0].sha256[:12]}"


def _held_by(parts: Sequence[Case], samples: Sequence[StoredSample]) -> dict[str, Case]:
    """Which of the cases holds each sample that one of them does.

    Raises WrongState where it has been withdrawn: that is not read, and whoever puts the sample in
    again must not think it is.
    """
    case_of = {part.pk: part for part in parts}
    rows = CaseSample.objects.filter(
        case__in=parts, sample__in=[each.sha256 for each in samples]
    ).values_list("sample_id", "case_id")
    # A sample that also lies in a case that stands is that case's.
    held = sorted(rows, key=lambda row: not case_of[row[1]].withdrawn)
    known = {sample: case_of[case] for sample, case in held}
    if any(case.withdrawn for case in known.values()):
        raise WrongState(
            "This sample was put in before, as a case of this accession that has been withdrawn. "
            "Reinstate that case, or put the sample in under another accession."
        )
    return known


def _moved_from(check: Check, accession: str, samples: Sequence[StoredSample]) -> dict[str, Case]:
    """The cases of samples that came in under this number and check, and were corrected since.

    The same request again must find what became of the first one, and make nothing new.
    """
    rows = CaseSample.objects.filter(
        sample__in=[each.sha256 for each in samples],
        case__corrections__check_before=check.name,
        case__corrections__accession_before=accession,
        case__withdrawn_at__isnull=True,
    )
    found = {row.sample_id: row.case for row in rows.select_related("case__check_row")}
    return {sha256: case for sha256, case in found.items() if not _is_of(case, check, accession)}


def _is_of(case: Case, check: Check, accession: str) -> bool:
    return (case.check_row_id, case.accession) == (check.name, accession)


def _locked_parts(check: Check, accession: str) -> list[Case]:
    rows = Case.objects.filter(check_row=check, accession=accession).order_by("part")
    return list(rows.select_for_update())


def _open_case(parts: Sequence[Case], *, accession: str, asked: _Request) -> tuple[Case, bool]:
    """The part that still takes samples, or the next one."""
    last = parts[-1] if parts else None
    if last is not None and asked.check.many and _takes_samples(last):
        return last, False
    case = Case.objects.create(
        check_row=asked.check,
        accession=accession,
        part=last.part + 1 if last else 1,
        patient=last.patient if last and not last.withdrawn else None,
        requester=asked.by,
        door=asked.door,
        received_at=asked.at,
    )
    return case, True


def _takes_samples(case: Case) -> bool:
    return not (case.decided or case.withdrawn) and not case.reviews.exists()


def _add(fresh: Sequence[StoredSample], *, to: Case, asked: _Request) -> None:
    # Always in the same order: two cases with the same samples must not wait for each other.
    for each in sorted(fresh, key=lambda one: one.sha256):
        Sample.objects.get_or_create(
            sha256=each.sha256,
            defaults={
                "kind": each.kind,
                "media_type": each.media_type,
                "size_bytes": each.size_bytes,
                "width_px": each.width_px,
                "height_px": each.height_px,
                "received_at": asked.at,
            },
        )
    # Their bytes lie there again, if they were erased before.
    Sample.objects.filter(
        pk__in=[each.sha256 for each in fresh], bytes_erased_at__isnull=False
    ).update(bytes_erased_at=None)
    there = to.samples.count()
    CaseSample.objects.bulk_create(
        CaseSample(case=to, sample_id=each.sha256, position=there + place, original_name=each.name)
        for place, each in enumerate(fresh, start=1)
    )
    to.state = CaseState.RECEIVED
    to.waits_for = ""
    to.attempts, to.retry_at = 0, None
    to.save(update_fields=["state", "waits_for", "attempts", "retry_at"])


def _tell_history(
    case: Case, fresh: Sequence[StoredSample], *, created: bool, asked: _Request
) -> None:
    detail = {"door": asked.door, "samples": len(fresh), "check": asked.check.name}
    happened("received" if created else "added", by=asked.by, case=case, detail=detail)
    if asked.edge is not None:
        rows = list(case.samples.filter(sample__in=[each.sha256 for each in fresh]))
        edge_read.take_reads(rows, case=case, asked=asked.edge, by=asked.by)
    _tell_of_others(case, fresh, by=asked.by)


def _refuse_erased(hashes: Sequence[str]) -> None:
    """Raises StoreTrouble where the bytes were erased since they were put: they come again then.

    Comes after the audit row, by which whoever erases and whoever receives wait for each other.
    """
    if not all(store.is_there(sha256) for sha256 in hashes):
        raise StoreTrouble("The same sample is being erased at this moment. Send it again.")


def _tell_of_others(case: Case, fresh: Sequence[StoredSample], *, by: Person | None) -> None:
    """Say in both histories that a sample came under two accessions: one may be mistyped.

    Equal rows of measurements are no sign of that. Comes after the audit row of the case, whose
    lock lets this see what another process received at the same moment.
    """
    told = [each.sha256 for each in fresh if KINDS[each.kind].equal_tells]
    others = (
        Case.objects.filter(check_row=case.check_row_id, samples__sample__in=told)
        .exclude(accession=case.accession)
        .distinct()
        .order_by("received_at", "pk")
    )
    for other in others[:MOST_OTHERS]:
        audit.append("same_sample", by=by, case=case, detail={"other": str(other.pk)})
        audit.append("same_sample", by=by, case=other, detail={"other": str(case.pk)})

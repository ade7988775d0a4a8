"""What the rounds found wrong in the store, and mending it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from django.db import transaction

from firstread.clinic import audit
from firstread.clinic.keeping.store_round import Fault, is_spoken_of
from firstread.clinic.models import Ails, Case, StoreFault
from firstread.clinic.storage import store


def faults() -> list[Fault]:
    """All that is wrong, as the rounds found it."""
    return [
        Fault(place=row.place, ails=Ails(row.ails), size_bytes=row.size_bytes)
        for row in StoreFault.objects.all()
    ]


def counts() -> Counter[Ails]:
    """How many of each kind there are."""
    return Counter(fault.ails for fault in faults())


def cases(fault: Fault) -> list[str]:
    """The cases whose sample this is."""
    of = Case.objects.filter(samples__sample=fault.sha256).distinct().order_by("received_at", "pk")
    return [str(pk) for pk in of.values_list("pk", flat=True)]


def ailing(hashes: list[str]) -> dict[str, Ails]:
    """What ails those of the samples that were found wanting, by hash."""
    places = {store.place_of(sha256): sha256 for sha256 in hashes}
    rows = StoreFault.objects.filter(pk__in=places).exclude(ails=Ails.ORPHANED)
    return {places[row.place]: Ails(row.ails) for row in rows}


def heal(folder: Path) -> int:
    """Bring back what is missing or damaged from a backup or a folder of samples, by its hash.

    Returns how many are whole again; bytes of another hash are not taken.
    """
    healed = 0
    for fault in faults():
        if fault.ails is Ails.ORPHANED:
            continue
        for place in (folder / "samples" / fault.place, folder / fault.place):
            try:
                data = place.read_bytes()
            except OSError:
                continue
            if store.sha256_of(data) == fault.sha256:
                store.put(data)
                healed += 1
                break
    return healed


def delete_orphaned() -> int:
    """Delete what no row speaks of; returns how many files."""
    deleted = 0
    for fault in faults():
        if fault.ails is not Ails.ORPHANED:
            continue
        # Whoever puts the same bytes in writes to the trail before it looks whether they lie there.
        with transaction.atomic():
            audit.append("orphan_deleted", by=None, detail={"size_bytes": fault.size_bytes})
            if not is_spoken_of(fault.sha256):
                (store.root() / fault.place).unlink(missing_ok=True)
                deleted += 1
            StoreFault.objects.filter(pk=fault.place).delete()
    return deleted

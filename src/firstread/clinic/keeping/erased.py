"""Which cases were erased since copies were made: a restore erases them again."""

from __future__ import annotations

import json
import socket
import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from firstread.clinic.keeping import copies
from firstread.clinic.models import AuditRow, BackupRow, clock


def tell_copies(case_ids: Sequence[uuid.UUID]) -> None:
    """Note it beside all copies that this machine reaches."""
    at = clock.now().isoformat()
    for place in set(BackupRow.objects.filter(gone_at=None).values_list("place", flat=True)):
        host, _, folder = place.partition(":")
        if host == socket.gethostname() and Path(folder).is_dir():
            _note(Path(folder), at=at, cases=list(map(str, case_ids)))


def catch_up(root: Path) -> None:
    """Note there what was erased while that folder was out of reach, by what the trail says."""
    noted = {case for _, cases in _noted(root) for case in cases}
    rows = AuditRow.objects.filter(action="erased", case_id__isnull=False)
    for case, at in rows.values_list("case_id", "at").order_by("number"):
        if str(case) not in noted:
            _note(root, at=at, cases=[str(case)])


def since(root: Path, *, made_at: str) -> list[uuid.UUID]:
    """The cases that were erased after a copy there was made."""
    earliest = datetime.fromisoformat(made_at)
    return [
        uuid.UUID(case)
        for at, cases in _noted(root)
        if datetime.fromisoformat(at) >= earliest
        for case in cases
    ]


def _note(root: Path, *, at: str, cases: Sequence[str]) -> None:
    # The line before may be one that a killed process left half written.
    with (root / copies.ERASED).open("a", encoding="ascii") as file:
        file.write(f"\n{json.dumps({'at': at, 'cases': cases})}\n")


def _noted(root: Path) -> Iterator[tuple[str, list[str]]]:
    try:
        lines = (root / copies.ERASED).read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        return
    for line in filter(None, lines):
        try:
            told = json.loads(line)
        except ValueError:
            continue  # half written: its process erased nothing then, and noted it again
        yield told["at"], told["cases"]

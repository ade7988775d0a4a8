"""A clinic of so many cases in this process, whose pages are asked for by name: see `pages.py`.

    python benchmarks/archive/clinic.py CASES

Makes the clinic in FIRSTREAD_HOME, says which pages there are, and answers each name that comes in
with the milliseconds that the page took, on the clock and in core time.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

from firstread.server.start import open_database, open_django

open_django()

from django.conf import settings  # noqa: E402  Django is set up first
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from rows import fill  # noqa: E402

from firstread.clinic.models import Case, Person  # noqa: E402
from firstread.clinic.shown import changes  # noqa: E402
from firstread.clinic.shown.worklist_page import PER_PAGE, Filters, worklist_page  # noqa: E402


def serve(cases: int) -> None:
    open_database()
    fill(cases)
    pages = _pages()
    print(json.dumps(list(pages)), flush=True)
    for line in sys.stdin:
        ask = pages[line.strip()]
        began, worked = time.perf_counter(), _core_ms()
        ask()
        took = (time.perf_counter() - began) * 1000
        print(json.dumps([took, _core_ms() - worked]), flush=True)


def _core_ms() -> float:
    """What this process and, of PostgreSQL, the one that serves it have worked so far."""
    worked = time.process_time() * 1000
    if connection.vendor == "postgresql":
        connection.ensure_connection()
        pid = connection.connection.info.backend_pid
        worked += int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e6
    return worked


def _last_whole_page(person: Person, *, show: str = "", check: str = "", priority: str = "") -> int:
    """Its number; the very last page of a list may hold one case, and be quick for that."""
    asked = Filters(check=check, priority=priority, text="")
    page = worklist_page(person, show=show, filters=asked, number=None)
    return max(1, page.pager.total.number // PER_PAGE)


def _pages() -> dict[str, Callable[[], object]]:
    settings.ALLOWED_HOSTS = ["testserver"]

    def client(role: str, search: str = "") -> Client:
        made = Client()
        made.force_login(
            Person.objects.filter(role=role).order_by("pk")[0],
            backend="django.contrib.auth.backends.ModelBackend",
        )
        if search:
            made.post("/search", {"text": search})
        return made

    def get(client: Client, address: str) -> Callable[[], object]:
        def ask() -> None:
            answered = client.get(address)
            assert answered.status_code == 200, (address, answered.status_code)

        return ask

    ana, tech, operator = client("specialist"), client("technician"), client("operator")
    found = Case.objects.filter(decided_at__isnull=False, check_row="blood-smear", part=1)
    some = found.exclude(patient=None).select_related("patient")[len(found) // 2]
    assert some.patient is not None
    waiting = Case.objects.filter(waits_for="specialist")
    one = waiting.filter(check_row="leukaemia").order_by("received_at").first()
    row = waiting.filter(check_row="breast-cytology").order_by("received_at").first()
    assert one is not None
    assert row is not None
    pages: dict[str, Callable[[], object]] = {"events, one poll": changes.latest}
    reader = Person.objects.filter(role="specialist").order_by("pk")[0]
    for name, asked in {
        "mine": {},
        "open": {"show": "open"},
        "open, one check": {"show": "open", "check": "leukaemia"},
        "open, stat": {"show": "open", "priority": "stat"},
        "decided": {"show": "decided"},
        "decided, one check": {"show": "decided", "check": "breast-cytology"},
        "decided, stat": {"show": "decided", "priority": "stat"},
        "decided, one check and stat": {
            "show": "decided",
            "check": "leukaemia",
            "priority": "stat",
        },
    }.items():
        pages[f"worklist, {name}"] = get(ana, f"/?{urlencode(asked)}")
        last = _last_whole_page(reader, **asked)
        pages[f"worklist, {name}, last page"] = get(ana, f"/?{urlencode({**asked, 'page': last})}")
    pages["worklist, put in by me"] = get(tech, "/")
    for name, text in {
        "the end of an accession": some.accession[-6:],
        "a patient's number": some.patient.identifier,
        "a patient's name": some.patient.name,
        "what every accession holds": "26-",
        "what none holds": "nowhere at all",
    }.items():
        searching = client("specialist", search=text)
        pages[f"search, {name}, open"] = get(searching, "/?show=open")
        pages[f"search, {name}, decided"] = get(searching, "/?show=decided")
    pages["search, two letters, decided"] = get(client("specialist", search="na"), "/?show=decided")
    pages |= {
        "case of one picture": get(ana, f"/cases/{one.pk}"),
        "case of measurements": get(ana, f"/cases/{row.pk}"),
        "case, decided": get(ana, f"/cases/{some.pk}"),
        "case, stamp": get(ana, f"/cases/{one.pk}/stamp"),
        "put-in": get(tech, "/put-in"),
        "outbox, my own": get(ana, "/outbox"),
        "outbox, everybody's": get(operator, "/outbox"),
        "outbox, the oldest": get(operator, "/outbox?before=40"),
        "outbox, given up": get(operator, "/outbox?state=given_up"),
        "people": get(operator, "/people"),
        "checks": get(operator, "/checks"),
        "packs": get(operator, "/packs"),
        "audit": get(operator, "/audit"),
        "audit, last page": get(operator, "/audit?page=999999"),
    }
    return pages


if __name__ == "__main__":
    serve(int(sys.argv[1]))

"""How many writing transactions a second the audit trail's one lock lets through, on PostgreSQL.

    python benchmarks/audit_lock.py [--seconds 5] [--clients 8]

Each transaction writes one row and, in the second column, its audit row. Disks differ in how long a
commit takes, so that is set: a trigger that is deferred to the commit sleeps, while the locks are
held as they are on a slow disk. The two are run in turn at each length.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import tempfile
import time
from multiprocessing.synchronize import Event
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.postgresql_for_tests import missing_postgresql, start_postgresql

COMMITS_MS = (1, 5, 10)
SLOW_COMMIT = """
CREATE OR REPLACE FUNCTION slow_commit() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_sleep({seconds}); RETURN NULL; END $$;
DROP TRIGGER IF EXISTS slow_commit ON clinic_patient;
CREATE CONSTRAINT TRIGGER slow_commit AFTER INSERT ON clinic_patient
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow_commit();
"""


def write(
    name: str, go: Event, end: Event, counted: multiprocessing.Queue[int], seal: bool
) -> None:
    """One client: writes until the end is called, and tells how often it did."""
    from django.db import transaction

    from firstread.clinic import audit
    from firstread.clinic.models import Patient

    count = 0
    Patient.objects.exists()  # connects before the clock runs
    go.wait()
    while not end.is_set():
        with transaction.atomic():
            Patient.objects.create(identifier=f"{name}-{count}")
            if seal:
                audit.append("received", by=None, detail={"samples": 1})
        count += 1
    counted.put(count)


def rate(*, clients: int, seconds: float, seal: bool) -> float:
    """Transactions a second, all clients together."""
    from django.db import connections

    connections.close_all()
    forked = multiprocessing.get_context("fork")
    go, end, counted = forked.Event(), forked.Event(), forked.Queue()
    run = f"{seal}-{time.monotonic_ns()}"
    started = [
        forked.Process(target=write, args=(f"{run}-{n}", go, end, counted, seal))
        for n in range(clients)
    ]
    for each in started:
        each.start()
    time.sleep(1)
    began = time.perf_counter()
    go.set()
    time.sleep(seconds)
    end.set()
    total = sum(counted.get() for _ in started)
    took = time.perf_counter() - began
    for each in started:
        each.join()
    return total / took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--clients", type=int, default=8)
    asked = parser.parse_args()
    if why := missing_postgresql():
        sys.exit(why)
    server = start_postgresql()
    try:
        with tempfile.TemporaryDirectory() as home:
            os.environ |= {"FIRSTREAD_HOME": home, "FIRSTREAD_DATABASE_URL": server.url}
            from firstread.server.start import open_database, open_django

            open_django()
            open_database()
            measure(clients=asked.clients, seconds=asked.seconds)
    finally:
        server.stop()


def measure(*, clients: int, seconds: float) -> None:
    from django.db import connection

    print(f"{clients} clients, transactions a second")
    print(f"{'commit takes':>14}{'without trail':>15}{'with it':>10}{'ratio':>8}")
    for ms in COMMITS_MS:
        with connection.cursor() as cursor:
            cursor.execute(SLOW_COMMIT.format(seconds=ms / 1000))
        plain = rate(clients=clients, seconds=seconds, seal=False)
        sealed = rate(clients=clients, seconds=seconds, seal=True)
        print(f"{ms:>11} ms{plain:>15.0f}{sealed:>10.0f}{sealed / plain:>8.2f}", flush=True)


if __name__ == "__main__":
    main()

"""From a file in the watched folder to the mail in the outbox: how long, at the median?

Starts `firstread up` on a home folder of its own with a tiny pack (or a real one, `--pack NAME`,
and its phantoms), drops files one by one, and asks the database when each one's mail was written.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

SETUP = """
from firstread.server.start import open_django, open_database
open_django(); open_database()
from firstread.clinic.models import Check, Person, Reader
person = Person.objects.create_user("ana", "ana@example.org", role="specialist")
Reader.objects.create(check_row=Check.objects.get(name="leukaemia"), person=person)
"""
TARGET_S = 1.0


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--files", type=int, default=40)
    words.add_argument("--pack", help="a shipped pack for the check leukaemia, such as marrow-cell")
    words.add_argument("--json", action="store_true")
    given = words.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        taken = measure(Path(folder), files=given.files, pack=given.pack)
    told = {
        "files": len(taken),
        "median_s": round(statistics.median(taken), 3),
        "p95_s": round(statistics.quantiles(taken, n=20)[-1], 3),
        "longest_s": round(max(taken), 3),
        "target_s": TARGET_S,
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
    }
    if given.json:
        print(json.dumps(told))
    else:
        print("file in the folder to mail in the outbox:", told)
    raise SystemExit(0 if told["median_s"] < TARGET_S else 1)


def measure(home: Path, *, files: int, pack: str | None) -> list[float]:
    """Seconds from each file's last byte to its mail's row."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("FIRSTREAD_")}
    env |= {
        "FIRSTREAD_HOME": str(home),
        "FIRSTREAD_PORT": "0",
        "FIRSTREAD_INBOX_FOLDER": str(home / "inbox"),
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), env.get("PYTHONPATH", "")]),
    }
    name = pack or "colour"
    if pack is None:
        from tests.packs_for_tests import make_pack

        make_pack(home / "shelf")
        env["FIRSTREAD_PACKS"] = str(home / "shelf")
    (home / "firstread.toml").write_text(f'[checks.leukaemia]\npack = "{name}"\n')
    subprocess.run([sys.executable, "-c", SETUP], env=env, check=True)
    inbox = home / "inbox" / "leukaemia"
    inbox.mkdir(parents=True)
    samples = _samples(files + 3, pack=pack)
    with (home / "log").open("wb") as log:
        up = subprocess.Popen(
            [sys.executable, "-m", "firstread", "up"], env=env, stdout=log, stderr=log
        )
    try:
        times = [_drop(inbox, f"W{n}", samples(n), home) for n in range(files + 3)]
    finally:
        up.terminate()
        up.wait(timeout=30)
    return times[3:]  # the first ones wait for the server to start


def _samples(count: int, *, pack: str | None) -> Callable[[int], bytes]:
    if pack is None:
        from tests.images_for_tests import cell_png

        return lambda number: cell_png("red", seed=number)
    from firstread.phantom import make

    made = [make("leukaemia", seed=number).png for number in range(count)]
    return made.__getitem__


def _drop(inbox: Path, accession: str, data: bytes, home: Path) -> float:
    (inbox / f"{accession}_lab.png").write_bytes(data)
    began = time.time()
    sql = (
        "SELECT count(*) FROM clinic_outgoing o JOIN clinic_case c ON c.id = o.case_id "
        "WHERE c.accession = ?"
    )
    while time.time() - began < 60:
        connection = sqlite3.connect(home / "firstread.sqlite3", timeout=30)
        try:
            if connection.execute(sql, [accession]).fetchone()[0]:
                return time.time() - began
        finally:
            connection.close()
        time.sleep(0.005)
    raise SystemExit(f"{accession} never led to a mail; see the log: {(home / 'log').read_text()}")


if __name__ == "__main__":
    main()

"""Do pages slow down with the archive? Every page of a small clinic beside that of a large one.

python benchmarks/pages.py [--short] [--database sqlite postgresql] [--rounds 15]

Both clinics stand side by side, each in a process of its own, over SQLite and over PostgreSQL. The
demonstration's cases, really read, are copied with new numbers, patients and times until there are
enough; one in twenty is open. Then each page is asked for in turn here and there. Prints the
medians and their ratio in core time, of the process and of the database that works for it: on a
machine that is busy the clock tells how busy it is. Exit code 1 where a page takes more than 1.5
times what it takes in the small clinic, or more than 50 ms. `--short` compares 200 with 20,000
cases instead of 2,000 with 200,000.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

SIZES = (2_000, 200_000)
SHORT = (200, 20_000)
MOST_RATIO, MOST_MS = 1.5, 50.0


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--short", action="store_true")
    words.add_argument("--rounds", type=int, default=15)
    words.add_argument(
        "--database", nargs="+", choices=["sqlite", "postgresql"], default=["sqlite", "postgresql"]
    )
    given = words.parse_args()
    sizes = SHORT if given.short else SIZES
    slow = [name for each in given.database for name in compare(each, sizes, rounds=given.rounds)]
    print(f"load {os.getloadavg()[0]:.1f}; slower than the goal: {', '.join(slow) or 'none'}")
    raise SystemExit(1 if slow else 0)


def compare(database: str, sizes: tuple[int, int], *, rounds: int) -> list[str]:
    """Print the table of one database; the pages that miss the goal."""
    with tempfile.TemporaryDirectory() as folder:
        server = None
        if database == "postgresql":
            from tests.postgresql_for_tests import start_postgresql

            server = start_postgresql()
        clinics = []
        try:
            clinics = [_Clinic(Path(folder) / str(size), size, server=server) for size in sizes]
            took = _in_turn(clinics, rounds=rounds)
        finally:
            for clinic in clinics:
                clinic.close()
            if server is not None:
                server.stop()
    print(f"\n{database}, medians of {rounds} in core time and on the clock:\n")
    print(f"| page | {sizes[0]:,} cases | {sizes[1]:,} cases | ratio | on the clock |")
    print("|---|---|---|---|---|")
    slow = []
    for name, (small, large) in took.items():
        few = statistics.median(core for _, core in small)
        many = statistics.median(core for _, core in large)
        clock = statistics.median(clock for clock, _ in large)
        print(f"| {name} | {few:.1f} ms | {many:.1f} ms | {many / few:.2f} | {clock:.1f} ms |")
        if many / few > MOST_RATIO or many > MOST_MS:
            slow.append(f"{database}: {name}")
    return slow


def _in_turn(clinics: list[_Clinic], *, rounds: int) -> dict[str, list[list[tuple[float, float]]]]:
    names = clinics[0].ready()
    for clinic in clinics[1:]:
        clinic.ready()
    took: dict[str, list[list[tuple[float, float]]]] = {}
    for name in names:
        for clinic in clinics:
            clinic.ms(name)  # what a process does once is not what a page costs
        pairs = [[clinic.ms(name) for clinic in clinics] for _ in range(rounds)]
        took[name] = [list(each) for each in zip(*pairs, strict=True)]
    return took


class _Clinic:
    """A process with a clinic of that many cases."""

    def __init__(self, home: Path, cases: int, *, server: Any) -> None:
        home.mkdir()
        env = {name: v for name, v in os.environ.items() if not name.startswith("FIRSTREAD_")}
        env |= {"FIRSTREAD_HOME": str(home), "OMP_NUM_THREADS": "1"}
        env["PYTHONPATH"] = os.pathsep.join([str(ROOT / "src"), env.get("PYTHONPATH", "")])
        if server is not None:
            import psycopg

            with psycopg.connect(server.url, autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE clinic{cases}")
            env["FIRSTREAD_DATABASE_URL"] = f"{server.url.rpartition('/')[0]}/clinic{cases}"
        self._process = subprocess.Popen(
            [sys.executable, str(ROOT / "benchmarks" / "archive" / "clinic.py"), str(cases)],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ready(self) -> list[str]:
        """Wait until all cases are there; the names of the pages."""
        names: list[str] = json.loads(self._line())
        return names

    def ms(self, name: str) -> tuple[float, float]:
        """Of one request, on the clock and in core time."""
        assert self._process.stdin is not None
        self._process.stdin.write(name + "\n")
        self._process.stdin.flush()
        clock, core = json.loads(self._line())
        return clock, core

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("A clinic ended; what it said stands above.")
        return line


if __name__ == "__main__":
    main()

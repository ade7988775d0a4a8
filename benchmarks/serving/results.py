"""What was measured, kept row by row in a file, and what it comes to."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.serving.rows import Goal, Row

LIMIT, OURS = "limit", "firstread"
Plain = Mapping[str, Any]
"""A block as it stands in the file; see `blocks.Block`."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a goal came to over all rounds."""

    goal: Goal
    median: float
    least: float
    most: float
    rounds: int

    @property
    def reached(self) -> bool:
        return self.goal.reached(self.median)


def outcome(goal: Goal, blocks: Sequence[Plain]) -> Outcome | None:
    """The median over the rounds of what the goal asks, and how far the rounds lie apart.

    None where no round has all that it takes, such as a peer.

    >>> rows = [{"round": 1, "contender": "limit", "reads_per_s": 100.0},
    ...         {"round": 1, "contender": "firstread", "reads_per_s": 90.0}]
    >>> outcome(Goal(of="limit", value=0.85), rows).median
    0.9
    """
    rounds = sorted({block["round"] for block in blocks})
    found = [_of_round(goal, [b for b in blocks if b["round"] == number]) for number in rounds]
    each = [value for value in found if value is not None]
    if not each:
        return None
    return Outcome(
        goal=goal, median=statistics.median(each), least=min(each), most=max(each), rounds=len(each)
    )


def _of_round(goal: Goal, blocks: Sequence[Plain]) -> float | None:
    named = {block["contender"]: block for block in blocks}
    ours = named[OURS]
    if goal.of == "limit":
        return ours["reads_per_s"] / named[LIMIT]["reads_per_s"]
    if goal.of == "slowest p50":
        return ours["p50_ms"] / named[LIMIT]["p50_ms"]
    if goal.of == "memory":
        return ours["pss_mb"]
    if goal.of == "start":
        return ours["start_s"]
    peers = [b["reads_per_s"] for name, b in named.items() if name not in (LIMIT, OURS)]
    return ours["reads_per_s"] / max(peers) if peers else None


def middle(blocks: Sequence[Plain], contender: str, key: str) -> float | None:
    """The median of one figure of one contender; None where it was not taken."""
    values = [b[key] for b in blocks if b["contender"] == contender and b[key] is not None]
    return statistics.median(values) if values else None


def cpu_ms(blocks: Sequence[Plain], contender: str, *, cores: int) -> float | None:
    """Processor time for one read; unlike throughput, other work on the machine leaves it be."""
    values = [
        block["cpu_share"] * cores / block["reads_per_s"] * 1000
        for block in blocks
        if block["contender"] == contender and block["reads_per_s"] and block["cpu_share"]
    ]
    return statistics.median(values) if values else None


def contenders(blocks: Sequence[Plain]) -> list[str]:
    """In the order in which they were measured."""
    return list(dict.fromkeys(block["contender"] for block in blocks))


class Kept:
    """The file with everything that was measured; a row measured again replaces itself."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.rows: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}

    def keep(self, row: Row, blocks: Sequence[Any], *, machine: Mapping[str, Any]) -> None:
        self.rows[row.key] = {
            "machine": dict(machine),
            "blocks": [block.plain() for block in blocks],
        }
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps(self.rows, indent=1) + "\n")

    def blocks(self, row: Row) -> list[Plain]:
        return self.rows[row.key]["blocks"] if row.key in self.rows else []

    def machine(self, row: Row) -> Mapping[str, Any]:
        return self.rows[row.key]["machine"]

    def tell(self, row: Row) -> None:
        """Print what each goal of the row came to."""
        blocks = self.blocks(row)
        cores = self.machine(row)["cores"]
        for name in contenders(blocks):
            spent = cpu_ms(blocks, name, cores=cores)
            if spent is not None:
                print(f"  {name:10} {spent:7.2f} ms of a core for one read")
        for goal in row.goals:
            got = outcome(goal, blocks)
            if got is None:
                continue
            sign = "reached" if got.reached else "NOT reached"
            print(
                f"  {goal.of}: {got.median:.2f} ({got.least:.2f} to {got.most:.2f}), "
                f"goal {goal.value:g}: {sign}",
                flush=True,
            )

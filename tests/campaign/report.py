"""What a campaign found, as JSON, as a page in Markdown, and as a plot."""

from __future__ import annotations

import json
import math
import platform
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firstread.evaluation.report.charts import Axis, Trace, as_file, chart
from tests.campaign.campaign import SETTLED_WITHIN_S, Outcome


def write(outcome: Outcome, folder: Path) -> Path:
    """Write `campaign.json`, `campaign.md` and `campaign.svg`; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    figures = figures_of(outcome)
    (folder / "campaign.json").write_text(json.dumps(figures, indent=2) + "\n")
    (folder / "campaign.md").write_text(page(outcome))
    (folder / "campaign.svg").write_text(plot(outcome))
    return folder


def figures_of(outcome: Outcome) -> dict[str, Any]:
    ledger = outcome.ledger
    files = [file for parcel in ledger.parcels.values() for file in parcel.files]
    return {
        "seed": outcome.plan.seed,
        "database": outcome.plan.database,
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "samples put in": len(files),
        "good": sum(file.good for file in files),
        "hostile": sum(file.hostile for file in files),
        "by door": dict(Counter(p.door for p in ledger.parcels.values() for _ in p.files)),
        "took_s": round(outcome.took_s, 1),
        "samples a second": round(len(files) / outcome.took_s, 2),
        "longest_wait_s": round(outcome.longest_wait_s, 1),
        "longest settling_s": round(max(t.settled_in_s for t in ledger.troubles), 1),
        **outcome.counts,
        "killed": ledger.kills,
        "faults": faults_of(outcome),
        "left out": list(outcome.left_out),
        "ended by themselves": dict(ledger.ended),
        "requests": dict(sorted(ledger.answered_how.items())),
        "wrong": ledger.wrong,
        "troubles": [asdict(each) for each in ledger.troubles],
        "moments": [asdict(each) for each in ledger.moments],
    }


def faults_of(outcome: Outcome) -> dict[str, dict[str, float]]:
    """Of each kind of fault how often it was, and how long it took to settle."""
    took: dict[str, list[float]] = defaultdict(list)
    for trouble in outcome.ledger.troubles:
        for name in trouble.names:
            took[name].append(trouble.settled_in_s)
    return {
        name: {
            "times": len(all_s),
            "median_s": round(float(np.median(all_s)), 1),
            "longest_s": round(max(all_s), 1),
        }
        for name, all_s in sorted(took.items())
    }


def page(outcome: Outcome) -> str:
    figures = figures_of(outcome)
    lines = [f"# Campaign, {figures['database']}, seed {figures['seed']}", ""]
    told = ("faults", "requests", "wrong", "troubles", "moments", "seed", "database")
    lines += [f"- {name}: {value}" for name, value in figures.items() if name not in told]
    lines += ["", "| fault | times | settled in, median | longest |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {each['times']} | {each['median_s']} s | {each['longest_s']} s |"
        for name, each in figures["faults"].items()
    ]
    lines += ["", f"What may not be: {len(outcome.ledger.wrong)}", ""]
    lines += [f"- {sentence}" for sentence in outcome.ledger.wrong]
    return "\n".join(lines) + "\n"


def plot(outcome: Outcome) -> str:
    """What was put in and read over time, and what waited, with the faults beneath."""
    moments = outcome.ledger.moments
    at = np.array([each.at_s / 60 for each in moments])
    minutes = _round_up(max(float(at.max(initial=0.0)), 0.1))
    across = Axis(title="minutes", high=minutes)

    def line(name: str, values: Sequence[float] | NDArray[np.float64]) -> Trace:
        return Trace(name=name, x=at, y=np.array(values, dtype=float))

    # While the inbox is away what lies in it is not seen, though it was put in.
    put_in = np.maximum.accumulate([each.put_in / 1000 for each in moments])
    waiting = _round_up(max([max(each.waiting, each.leaving) for each in moments] + [1]))
    through = chart(
        [
            line("samples taken or refused", put_in),
            line("cases read", [each.read / 1000 for each in moments]),
        ],
        across=across,
        up=Axis(title="thousands", high=_round_up(float(put_in[-1]))),
        title="Put in and read",
    )
    troubles = outcome.ledger.troubles
    wait = chart(
        [
            line("to be read", [each.waiting for each in moments]),
            line("to be mailed", [each.leaving for each in moments]),
            Trace(
                name="faults",
                x=np.array([each.began_s / 60 for each in troubles]),
                y=np.zeros(len(troubles)),
                dots=True,
            ),
        ],
        across=across,
        up=Axis(title="waiting", high=waiting),
        title="What waited",
    )
    settled = chart(
        [
            Trace(
                name=f"each fault; no more than {SETTLED_WITHIN_S:.0f} s are allowed",
                x=np.array([each.ended_s / 60 for each in troubles]),
                y=np.array([each.settled_in_s for each in troubles]),
                dots=True,
            )
        ],
        across=across,
        up=Axis(
            title="seconds",
            high=_round_up(max([SETTLED_WITHIN_S, *(t.settled_in_s for t in troubles)])),
        ),
        title="From the mending until nothing had to wait",
    )
    return as_file(through, wait, settled)


def _round_up(most: float) -> float:
    """An end for an axis whose quarters are round: 4, 8, 12, 20, 40 or so, times a power of ten."""
    step = 10.0 ** math.floor(math.log10(most / 4))
    return next(4 * step * each for each in (1, 2, 3, 5, 10) if 4 * step * each >= most)

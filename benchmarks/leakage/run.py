"""What leakage costs: AllDS2020's recipe split after the copying and before it, side by side.

python benchmarks/leakage/run.py [--data ../shared/data] [--seeds 5] [--only copies|patients]
                                 [--optimiser adam|rmsprop] [--page]

Trains each way with each seed, one row each in `benchmarks/leakage/results.json`; a run that is
there is not made again. `--page` only writes the tables and the picture of docs/leakage.md from
the rows. An hour on one core; without the data it says so and does nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

ROWS = Path(__file__).with_name("results.json")
STUDIES = {
    "copies": ("marrow-cell", ("lymphocyte", "blast")),
    "patients": ("malaria", ("uninfected", "parasitized")),
}


def main() -> None:
    """Make what is missing, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", choices=STUDIES)
    parser.add_argument("--optimiser", choices=("adam", "rmsprop"))
    parser.add_argument("--page", action="store_true", help="only write the page from the rows")
    asked = parser.parse_args()
    if not asked.page:
        optimisers = [asked.optimiser] if asked.optimiser else ["adam", "rmsprop"]
        for study in [asked.only] if asked.only else list(STUDIES):
            folder = asked.data / STUDIES[study][0]
            if not folder.is_dir():
                print(f"Skipped {study}: there is no {folder}. Name the data with --data.")
                continue
            # Patients are told apart with one optimiser: the question is not which one learns.
            for optimiser in optimisers if study == "copies" else optimisers[:1]:
                learn(study, folder, optimiser=optimiser, seeds=asked.seeds)
    from benchmarks.leakage.page import write_page

    if ROWS.is_file():
        write_page(json.loads(ROWS.read_text()), docs=ROOT / "docs")


def learn(study: str, folder: Path, *, optimiser: str, seeds: int) -> None:
    """Run the study for each seed whose rows are not there yet."""
    from benchmarks.leakage import studies
    from firstread.datasets import open_dataset

    side_px = studies.SIDE_PX if study == "copies" else studies.CELL_SIDE_PX
    pictures = None
    for seed in range(seeds):
        if any(
            (row["study"], row["optimiser"], row["seed"]) == (study, optimiser, seed)
            for row in rows()
        ):
            continue
        if pictures is None:
            pictures = studies.load(open_dataset(folder), labels=STUDIES[study][1], side_px=side_px)
        started = time.process_time()
        made = [
            {"study": study, "optimiser": optimiser, "seed": seed, "way": way}
            | {part: asdict(merit) for part, merit in parts.items()}
            for way, parts in getattr(studies, study)(pictures, optimiser=optimiser, seed=seed)
        ]
        ROWS.write_text(json.dumps(rows() + made, indent=1) + "\n")
        print(f"{study} {optimiser} seed {seed}: {time.process_time() - started:.0f} s of a core")


def rows() -> list[dict[str, Any]]:
    """The rows that are there."""
    return json.loads(ROWS.read_text()) if ROWS.is_file() else []


if __name__ == "__main__":
    main()

"""Our reader beside the servers that a user would pick instead, and beside the limit.

    python benchmarks/serving/run.py [--only ROW ...] [--seconds 10] [--rounds 3]
    python benchmarks/serving/run.py --report docs/benchmarks.md

Every row interleaves its contenders (A B C A B C), each alone on the machine between two
calibrations; ratios are taken within a round, and their median is reported. Figures are kept in
`--out`, row by row, so that rows may be measured one at a time; `--report` writes what is kept
into the documentation, after measuring what `--only` names, if anything.

It wants wrk (apt install wrk) and the peers (make peers).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The imports below stand after this line (E402), because it is what makes them found.
sys.path.insert(0, str(ROOT))

from benchmarks.serving import bench_packs, networks, pictures  # noqa: E402
from benchmarks.serving.blocks import LIMIT, Bench, Block, refuse_other_answers  # noqa: E402
from benchmarks.serving.machine import about_this_machine  # noqa: E402
from benchmarks.serving.report import write_report  # noqa: E402
from benchmarks.serving.results import Kept  # noqa: E402
from benchmarks.serving.rows import ROWS, Row  # noqa: E402
from benchmarks.serving.servers import OURS, PEERS  # noqa: E402


def main() -> None:
    asked = _words()
    kept = Kept(asked.out)
    rows = [row for row in ROWS if row.key in asked.only] if asked.only else list(ROWS)
    if asked.report and not asked.only:
        rows = []
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(
            folder=Path(folder),
            seconds=asked.seconds,
            max_drift=asked.max_drift,
            say=lambda line: print(line, flush=True),
        )
        _make(Path(folder), rows)
        for row in rows:
            print(row.title, flush=True)
            blocks = _measure(bench, row, rounds=row.rounds or asked.rounds, peers=asked.peers)
            kept.keep(row, blocks, machine=about_this_machine())
            kept.tell(row)
    if asked.report:
        write_report(kept, asked.report)
        print(f"{asked.report} is written")


def _measure(bench: Bench, row: Row, *, rounds: int, peers: list[str] | None) -> list[Block]:
    names = [LIMIT] if row.limit else []
    names += [OURS.name]
    names += [peer for peer in row.peers if peers is None or peer in peers]
    _refuse_missing([name for name in names if name in PEERS])
    blocks: list[Block] = []
    for number in range(1, rounds + 1):
        for name in names:
            block = bench.measure(row, name, number=number)
            if block is not None:
                blocks.append(block)
                refuse_other_answers(blocks)
    return blocks


def _refuse_missing(names: list[str]) -> None:
    for name in names:
        if not PEERS[name].environment.is_dir():
            raise SystemExit(f"The peer '{name}' is not installed. Run: make peers")


def _make(folder: Path, rows: list[Row]) -> None:
    """The pictures and packs that these rows need."""
    if not rows:
        return
    small = pictures.small()
    (folder / "small.jpg").write_bytes(small)
    if any(row.picture == "large" for row in rows):
        (folder / "large.jpg").write_bytes(pictures.large())
    packs = sorted({row.pack for row in rows})
    shelf = folder / "shelf"
    bench_packs.make_packs(shelf, golden=small, names=packs)
    if "allds2020" in packs:
        networks.write_allds2020_weights(shelf / "allds2020.npz")
    if "blood-cell" in packs:
        ours = shelf / "blood-cell" / "model.onnx"
        networks.write_bare(folder / "blood-cell-bare.onnx", of=ours)


def _words() -> argparse.Namespace:
    words = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    keys = [row.key for row in ROWS]
    words.add_argument("--only", nargs="+", choices=keys, metavar="ROW", help=", ".join(keys))
    words.add_argument("--peers", nargs="*", choices=sorted(PEERS), help="these peers alone")
    words.add_argument("--seconds", type=float, default=10, help="that a block lasts")
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument(
        "--max-drift",
        type=float,
        default=0.05,
        help="of the machine's speed over a block, before it is repeated",
    )
    words.add_argument("--out", type=Path, default=ROOT / "build" / "serving" / "results.json")
    words.add_argument("--report", type=Path, help="a page with the markers of this report")
    return words.parse_args()


if __name__ == "__main__":
    main()

"""`firstread screen` over many JPEGs beside the limit of the machine, and its memory over time.

python benchmarks/screen.py [--files 20000] [--pack blood-cell] [--slice-s 4] [--json]

The limit is one process that decodes, prepares and runs the network in as many threads as cores,
with all bytes in memory, and does nothing else. Both processes begin together and then take turns:
while one works for a slice of time the other is stopped (SIGSTOP), so that both meet the same
machine. Each one's own working time counts, from the first answer of a process that is warm (the
limit) and from the start of the process to its end, table and all (screen). On a machine that
others use, the ratio of core time says more than that of working time.

The JPEGs are phantoms: some hundred different pictures, each file with a few bytes of its own
behind the picture's end, so that no two are the same file.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

TARGET = 0.95
DISTINCT = 300

LIMIT = """
import os, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from firstread.packs import find_pack
from firstread.runtime import open_reader
from firstread.runtime.prepare import pixels_of

folder, count = Path(sys.argv[2]), int(sys.argv[3])
network = open_reader(find_pack(sys.argv[1]))
given = network.manifest.input
samples = [path.read_bytes() for path in sorted(folder.rglob("*.jpg"))[:300]]
threads = len(os.sched_getaffinity(0))

def bare(start):
    for number in range(start, count, threads):
        data = samples[number % len(samples)]
        network.run(pixels_of(data, given)[None])

for data in samples[:20]:
    network.run(pixels_of(data, given)[None])
print("warm", flush=True)
sys.stdin.readline()
with ThreadPoolExecutor(threads) as pool:
    list(pool.map(bare, range(threads)))
"""


@dataclass(kw_only=True)
class Runner:
    """A process that works when it is its turn."""

    process: subprocess.Popen[str]
    worked_s: float = 0.0
    memory: list[tuple[float, float]] = field(default_factory=list)
    """Working seconds and resident MB."""
    cores_s: float = 0.0
    """Core seconds that it used, before it began to be measured too."""

    def work(self, slice_s: float) -> bool:
        """One turn; False when the process has ended."""
        began = time.perf_counter()
        self.process.send_signal(signal.SIGCONT)
        while time.perf_counter() - began < slice_s:
            try:
                self.process.wait(timeout=0.02)
            except subprocess.TimeoutExpired:
                self._measure(self.worked_s + time.perf_counter() - began)
                continue
            self.worked_s += time.perf_counter() - began
            return False
        self.process.send_signal(signal.SIGSTOP)
        self.worked_s += time.perf_counter() - began
        return True

    def _measure(self, at_s: float) -> None:
        try:
            status = Path(f"/proc/{self.process.pid}/status").read_text()
            self.cores_s = core_seconds(self.process.pid)
        except OSError:
            return
        for line in status.splitlines():
            if line.startswith("VmRSS:"):
                self.memory.append((at_s, int(line.split()[1]) / 1024))


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--files", type=int, default=20_000)
    words.add_argument("--pack", default="blood-cell")
    words.add_argument("--slice-s", type=float, default=4.0)
    words.add_argument("--json", action="store_true")
    given = words.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        told = measure(Path(folder), files=given.files, pack=given.pack, slice_s=given.slice_s)
    if given.json:
        print(json.dumps(told))
    else:
        for key, value in told.items():
            print(f"{key:28} {value}")
    raise SystemExit(0 if told["ratio"] >= TARGET else 1)


def measure(folder: Path, *, files: int, pack: str, slice_s: float) -> dict[str, object]:
    samples = folder / "samples"
    size_kb = make_samples(samples, count=files, pack=pack)
    env = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    }
    limit_command = [sys.executable, "-c", LIMIT, pack, str(samples), str(files)]
    limit = Runner(
        process=subprocess.Popen(
            limit_command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
    )
    assert limit.process.stdout is not None
    assert limit.process.stdin is not None
    limit.process.stdout.readline()
    limit.process.send_signal(signal.SIGSTOP)
    warm_s = core_seconds(limit.process.pid)
    limit.process.stdin.write("go\n")
    limit.process.stdin.flush()
    out = folder / "results.parquet"
    screen_command = [sys.executable, "-m", "firstread", "screen", str(samples)]
    screen = Runner(
        process=subprocess.Popen(
            [*screen_command, "--pack", pack, "--out", str(out)],
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
    )
    waiting = [screen, limit]
    while waiting:
        waiting = [each for each in waiting if each.work(slice_s)]
    assert screen.process.returncode == 0, "a sample could not be read"
    assert limit.process.returncode == 0
    return {
        "pack": pack,
        "files": files,
        "mean_kb": size_kb,
        "cores": len(os.sched_getaffinity(0)),
        "limit_per_s": round(files / limit.worked_s, 1),
        "screen_per_s": round(files / screen.worked_s, 1),
        "ratio": round(limit.worked_s / screen.worked_s, 3),
        "core_time_ratio": round((limit.cores_s - warm_s) / screen.cores_s, 3),
        "target": TARGET,
        "memory_mb_at_%": memory_at(screen),
        "memory_mb_highest": round(max(mb for _, mb in screen.memory)),
        "load": round(os.getloadavg()[0], 1),
    }


def core_seconds(pid: int) -> float:
    """User and system time so far of the process, threads and all."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


def memory_at(runner: Runner) -> dict[int, int]:
    """Resident MB when 5, 25, 50, 75 and 95 % of the working time were over."""
    found = {}
    for percent in (5, 25, 50, 75, 95):
        at_s = runner.worked_s * percent / 100
        found[percent] = round(min(runner.memory, key=lambda seen: abs(seen[0] - at_s))[1])
    return found


def make_samples(folder: Path, *, count: int, pack: str) -> float:
    """JPEGs of phantoms of the pack's check; returns their mean size in KB."""
    from PIL import Image

    from firstread import phantom
    from firstread.packs import find_pack, open_manifest

    check = open_manifest(find_pack(pack)).check
    pictures = []
    for seed in range(DISTINCT):
        out = BytesIO()
        png = BytesIO(phantom.make(check, seed=seed).png)
        Image.open(png).convert("RGB").save(out, "JPEG", quality=92)
        pictures.append(out.getvalue())
    folder.mkdir()
    for number in range(count):
        data = pictures[number % DISTINCT] + number.to_bytes(4, "little")
        place = folder / f"{number // 1000:03}"
        place.mkdir(exist_ok=True)
        (place / f"IMG_{number:06}.jpg").write_bytes(data)
    return round(sum(map(len, pictures)) / len(pictures) / 1024, 1)


if __name__ == "__main__":
    main()

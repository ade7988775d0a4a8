"""One block: a contender alone on the machine, between two looks at how fast the machine is."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from msgspec import structs

from benchmarks.serving.load import press
from benchmarks.serving.machine import Watch, calibrate
from benchmarks.serving.rows import Row
from benchmarks.serving.servers import (
    FORMS,
    OURS,
    PEERS,
    Server,
    ServerFailed,
    Serving,
    running,
)
from firstread.packs import open_manifest

LIMIT = "limit"
WARM_UP_S = 2.0
MAX_TRIES = 4
SAME_PROBABILITY = 0.03
"""Another decoder or filter moves the answer a little; another preparation moves it far more."""


@dataclass(frozen=True, kw_only=True)
class Block:
    """What one contender did in one round of a row."""

    row: str
    contender: str
    round: int
    speed_before: float
    speed_after: float
    label: str
    probability: float
    reads_per_s: float | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    start_s: float | None = None
    pss_mb: float | None = None
    rss_mb: float | None = None
    processes: int | None = None
    cpu_share: float | None = None
    client_cpu_share: float | None = None
    tries: int = 1

    @property
    def drift(self) -> float:
        """How far the machine's speed after the block is from its speed before."""
        return abs(self.speed_after / self.speed_before - 1)

    def plain(self) -> dict[str, object]:
        return asdict(self) | {"drift": round(self.drift, 4)}


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Where the packs and pictures of this run lie, and how long a block lasts."""

    folder: Path
    seconds: float
    max_drift: float
    say: Callable[[str], None]

    def serving(self, row: Row) -> Serving:
        manifest = open_manifest(self.folder / "shelf" / row.pack)
        assert manifest.input is not None
        return Serving(
            shelf=self.folder / "shelf",
            pack=row.pack,
            labels=manifest.codes,
            side_px=manifest.input.width_px,
        )

    def picture(self, row: Row) -> Path:
        return self.folder / f"{row.picture}.jpg"

    def measure(self, row: Row, contender: str, *, number: int) -> Block | None:
        """One block; thrown away and repeated where the machine's speed drifted meanwhile.

        None where a peer failed each time: then its round is left out. Ours must not fail.
        """
        block = None
        for tried in range(1, MAX_TRIES + 1):
            before = calibrate()
            try:
                block = self._once(row, contender)
            except ServerFailed as failure:
                if contender == OURS.name:
                    raise SystemExit(str(failure)) from None
                self.say(f"  {failure}")
                continue
            block = replace(
                block, round=number, speed_before=before, speed_after=calibrate(), tries=tried
            )
            self.say(_told(block))
            if block.drift <= self.max_drift:
                break
            self.say(f"  the machine's speed drifted by {block.drift:.0%}")
        return block

    def _once(self, row: Row, contender: str) -> Block:
        if contender == LIMIT:
            return self._limit(row)
        return self._server(row, OURS if contender == OURS.name else PEERS[contender])

    def _limit(self, row: Row) -> Block:
        pack = self.folder / "shelf" / row.pack
        manifest = open_manifest(pack)
        bare = self.folder / f"{row.pack}-bare.onnx"
        command = [sys.executable, str(Path(__file__).with_name("limit.py"))]
        command += ["--model", str(bare if bare.exists() else pack / "model.onnx")]
        command += ["--input", json.dumps(structs.asdict(manifest.input))]
        command += ["--picture", str(self.picture(row)), "--seconds", f"{self.seconds}"]
        command += ["--threads", "1" if row.clients == 1 else "2"]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        told = json.loads(done.stdout)
        logits = np.array(told["logits"]) / manifest.calibration.temperature
        chances = np.exp(logits - logits.max())
        best = int(chances.argmax())
        return _block(
            row,
            LIMIT,
            label=manifest.codes[best],
            probability=float(chances[best] / chances.sum()),
            reads_per_s=told["reads_per_s"],
            p50_ms=told["p50_ms"],
            p99_ms=told["p99_ms"],
            cpu_share=told["cpu_share"],
        )

    def _server(self, row: Row, server: Server) -> Block:
        picture = self.picture(row).read_bytes()
        content_type, wrapped = FORMS[server.form]
        body = self.folder / f"body-{server.name}"
        body.write_bytes(wrapped(picture))
        log = self.folder / f"log-{server.name}.txt"
        with running(server, self.serving(row), picture=picture, log=log) as up:
            block = _block(
                row,
                server.name,
                label=up.label,
                probability=up.probability,
                start_s=up.start_s,
            )
            if not row.press:
                return block
            asked = {"body": body, "content_type": content_type, "clients": row.clients}
            press(up.url, **asked, seconds=WARM_UP_S)
            with Watch(up.mark) as watch:
                load = press(up.url, **asked, seconds=self.seconds)
        if load.failed:
            raise ServerFailed(f"{server.title} failed {load.failed} of its requests.")
        usage = watch.usage()
        return replace(
            block,
            reads_per_s=load.reads_per_s,
            p50_ms=load.p50_ms,
            p99_ms=load.p99_ms,
            pss_mb=usage.pss_mb,
            rss_mb=usage.rss_mb,
            processes=usage.processes,
            cpu_share=usage.cpu_share,
            client_cpu_share=load.cpu_share,
        )


def refuse_other_answers(blocks: list[Block]) -> None:
    """Ends the run where a contender gave another answer than the first one in the row."""
    first = blocks[0]
    for block in blocks[1:]:
        apart = abs(block.probability - first.probability)
        if block.label != first.label or apart > SAME_PROBABILITY:
            raise SystemExit(
                f"{block.contender} answers {block.label} {block.probability:.4f}, "
                f"{first.contender} {first.label} {first.probability:.4f}: not the same work."
            )


def _block(row: Row, contender: str, **more: object) -> Block:
    return Block(row=row.key, contender=contender, round=0, speed_before=1, speed_after=1, **more)


def _told(block: Block) -> str:
    parts = [f"  {block.contender:10}", f"{block.label} {block.probability:.3f}"]
    if block.reads_per_s is not None:
        parts += [f"{block.reads_per_s:7.1f}/s", f"p50 {block.p50_ms:.2f} ms"]
    if block.cpu_share is not None:
        parts.append(f"{block.cpu_share:.0%} of the cores")
    if block.pss_mb is not None:
        parts.append(f"{block.pss_mb:.0f} MB")
    if block.start_s is not None:
        parts.append(f"started in {block.start_s:.2f} s")
    return "  ".join([*parts, f"machine {block.speed_before:.1f} {block.speed_after:.1f}"])

"""The networks as packs, with nothing in the pack but what a read needs."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.serving import networks
from firstread.packs import (
    About,
    Calibration,
    DatasetUsed,
    Golden,
    Input,
    Label,
    Manifest,
    Provenance,
    find_pack,
    seal,
    write_manifest,
)
from firstread.runtime.prepare import pixels_of
from firstread.runtime.session import Session

RESNET_LABELS = 8


def make_packs(shelf: Path, *, golden: bytes, names: Sequence[str]) -> None:
    """Write the packs of those names onto `shelf`; `golden` is the sample each is sealed with."""
    for name in names:
        pack = shelf / name
        (pack / "golden").mkdir(parents=True)
        _MAKERS[name](pack, golden)


def _allds2020(pack: Path, golden: bytes) -> None:
    networks.write_allds2020(pack / "model.onnx")
    _seal(pack, side_px=100, labels=("all", "none"), golden=golden)


def _resnet18(pack: Path, golden: bytes) -> None:
    networks.write_resnet18(pack / "model.onnx", labels=RESNET_LABELS)
    labels = tuple(f"label-{number}" for number in range(1, RESNET_LABELS + 1))
    _seal(pack, side_px=224, labels=labels, golden=golden)


def _blood_cell(pack: Path, golden: bytes) -> None:
    """Our own pack as it ships, and beside it what its bare network is."""
    del golden  # it has golden samples of its own
    shutil.rmtree(pack)
    shutil.copytree(find_pack("blood-cell"), pack)


_MAKERS = {"allds2020": _allds2020, "resnet-18": _resnet18, "blood-cell": _blood_cell}


def _seal(pack: Path, *, side_px: int, labels: tuple[str, ...], golden: bytes) -> None:
    given = Input(
        width_px=side_px, height_px=side_px, colour="rgb", fit="stretch", interpolation="bilinear"
    )
    (pack / "golden" / "01.jpg").write_bytes(golden)
    session = Session(pack / "model.onnx", kind="image")
    logits = session.run(pixels_of(golden, given)[np.newaxis])["logits"][0]
    manifest = Manifest(
        format=1,
        pack=About(
            name=pack.name,
            version="1.0.0",
            check="benchmark",
            kind="image",
            title=f"Benchmark {pack.name}",
            licence="Apache-2.0",
            intended_use="For benchmarks only.",
            limits="Its weights are random.",
            many=True,
        ),
        input=given,
        labels=tuple(Label(code=code, title=code, positive=False) for code in labels),
        calibration=Calibration(method="temperature", temperature=1.0),
        provenance=Provenance(
            datasets=(DatasetUsed(name="none", sha256="0" * 64, n=1, licence="Apache-2.0"),),
            recipe="benchmarks/serving/bench_packs.py",
            seed=1,
            trained_at="2026-11-21",
            software={"numpy": np.__version__},
        ),
        golden=(Golden(sample="golden/01.jpg", logits=tuple(logits.tolist())),),
    )
    write_manifest(manifest, pack)
    (pack / "card.md").write_text(f"# Benchmark {pack.name}\n\nFor benchmarks only.\n")
    seal(pack)

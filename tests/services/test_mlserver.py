"""A clinic whose checks are read by MLServer, which knows nothing of Firstread."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from msgspec.structs import replace

from firstread.clinic.checks import readers
from firstread.clinic.models import Case
from firstread.clinic.shown.case import look
from firstread.connect.inference.addresses import address_of
from firstread.connect.inference.open_inference import OpenInference
from firstread.packs import find_pack, open_manifest
from firstread.phantom import make
from firstread.runtime import PackReader, measurements_as_bytes, open_reader
from tests.clinic_for_tests import Clinic, put_in, read_all
from tests.smtp_for_tests import free_port

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / ".servers" / "bin" / "mlserver"
PACKS = ("blood-cell", "marrow-cell", "breast-cytology")

pytestmark = [
    pytest.mark.services,
    pytest.mark.xdist_group("mlserver"),
    pytest.mark.skipif(not PROGRAM.exists(), reason="there is no MLServer: make servers"),
]


@contextmanager
def mlserver(folder: Path, *, packs: dict[str, Path], port: int) -> Iterator[str]:
    """MLServer with the network of each pack, by the name that it has there; gives its address."""
    settings = {
        "host": "127.0.0.1",
        "http_port": port,
        "grpc_port": free_port(),
        "metrics_port": free_port(),
        "parallel_workers": 0,
        "debug": False,
    }
    (folder / "settings.json").write_text(json.dumps(settings))
    for name, pack in packs.items():
        (folder / name).mkdir(exist_ok=True)
        model = {
            "name": name,
            "implementation": "mlserver_runtime.Network",
            "parameters": {"uri": str(pack / "model.onnx"), "version": "1"},
        }
        (folder / name / "model-settings.json").write_text(json.dumps(model))
    runtime = ROOT / "tests" / "services" / "mlserver_runtime.py"
    (folder / "mlserver_runtime.py").write_text(runtime.read_text())
    with (folder / "mlserver.log").open("ab") as log:
        process = subprocess.Popen(
            [PROGRAM, "start", str(folder)],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"},
            stdout=log,
            stderr=log,
        )
        try:
            _wait_until_ready(f"http://127.0.0.1:{port}", process, folder=folder)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()  # as when its machine dies
            process.wait()


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], *, folder: Path) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end and process.poll() is None:
        try:
            if httpx.get(f"{url}/v2/health/ready", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise AssertionError((folder / "mlserver.log").read_text()[-4000:])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    packs = {name: find_pack(name) for name in PACKS}
    with mlserver(tmp_path_factory.mktemp("mlserver"), packs=packs, port=free_port()) as url:
        yield url


def _over(pack: str, url: str) -> PackReader:
    return open_reader(
        find_pack(pack),
        network=lambda manifest: OpenInference(address_of(url), manifest=manifest, timeout_s=30),
    )


@pytest.mark.parametrize("pack", PACKS)
def test_every_shipped_pack_reads_there_as_it_reads_here(pack: str, server: str) -> None:
    here, there = open_reader(find_pack(pack)), _over(pack, server)
    assert there.runtime.startswith("mlserver ")
    for seed in range(3):
        data = make(open_manifest(find_pack(pack)).check, seed=seed).data
        sample = data if isinstance(data, bytes) else measurements_as_bytes(data)
        expected, found = here.read(sample), there.read(sample)
        assert np.allclose(found.logits, expected.logits, rtol=0, atol=1e-4)
        assert found.read.label == expected.read.label
        assert found.read.finding_set == expected.read.finding_set
        assert found.read.familiarity == expected.read.familiarity
        assert len(found.read.contributions) == len(expected.read.contributions)
        assert (found.evidence is None) == (expected.evidence is None)


def test_a_case_is_read_there_and_here_when_it_is_killed(
    clinic: Clinic, shelf: Path, tmp_path: Path, settings: Any
) -> None:
    from firstread.server.config import CheckSettings

    port = free_port()
    address = f"http://127.0.0.1:{port}/v2/models/cells"
    config = settings.FIRSTREAD
    reading = replace(config.reading, patience_s=0, timeout_s=30)
    checks = {"leukaemia": CheckSettings(reader=(address,))}
    settings.FIRSTREAD = replace(config, checks=checks, reading=reading)
    readers.forget()
    with mlserver(tmp_path, packs={"cells": shelf / "colour"}, port=port):
        there = put_in("red", "green", accession="1")
        read_all()
    here = put_in("red", "green", accession="2", seed=9)
    read_all()
    said = {case: look(case.pk, by=clinic.ana).history[1].sentence for case in (there, here)}
    assert said[there] == f"read it with colour 1.0.0 at 127.0.0.1:{port}"
    assert said[here].startswith(
        f"read it with colour 1.0.0 on this machine, because 127.0.0.1:{port} "
    )
    assert set(Case.objects.values_list("finding", flat=True)) == {"red"}
    readers.forget()

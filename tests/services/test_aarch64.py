"""The shipped packs give the same numbers on 64-bit ARM, emulated, as on this machine."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
ARM = ROOT / ".aarch64"
SCRIPT = Path(__file__).parent / "logits_of_phantoms.py"
PACKS = {
    "marrow-cell": "leukaemia",
    "blood-cell": "blood-smear",
    "breast-cytology": "breast-cytology",
}
APART_AT_MOST = 1e-4


def missing_arm() -> str | None:
    """Why no ARM machine can be emulated here, or None."""
    if not (ARM / "made").is_file():
        return "there is no emulated ARM machine: make arm (needs Debian's apt)"
    return None


def arm_command(*words: str) -> tuple[list[str], dict[str, str]]:
    """The command and environment of this Python program on a Raspberry Pi 4's processor."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("FIRSTREAD_")
    }
    environment["PYTHONPATH"] = f"{ROOT / 'src'}:{ARM / 'site'}"
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    python = ARM / "debian" / "usr" / "bin" / (ARM / "python").read_text().strip()
    emulated = [str(ARM / "qemu-aarch64"), "-cpu", "cortex-a72", "-L", str(ARM / "debian")]
    return [*emulated, str(python), *words], environment


def on_arm(*words: str) -> str:
    """What the program prints on the emulated machine."""
    return printed(*arm_command(*words))


def here(*words: str) -> str:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("FIRSTREAD_")
    }
    return printed([sys.executable, *words], environment)


def printed(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=1700
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    if reason := missing_arm():
        pytest.skip(reason)
    for pack, check in PACKS.items():
        folder = tmp_path / "samples" / pack
        here(
            "-m",
            "firstread",
            "phantom",
            check,
            "--seed",
            "11",
            "--count",
            "2",
            "--out",
            str(folder),
        )
    return tmp_path / "samples"


def apart(one: list[float], other: list[float]) -> float:
    return max((abs(a - b) for a, b in zip(one, other, strict=True)), default=0.0)


@pytest.mark.services
@pytest.mark.timeout(1800)
def test_every_logit_of_every_shipped_pack_is_the_same_on_arm(samples: Path) -> None:
    mine: dict[str, Any] = json.loads(here(str(SCRIPT), str(samples)))
    arms: dict[str, Any] = json.loads(on_arm(str(SCRIPT), str(samples)))
    assert len(mine) == 2 * len(PACKS)
    assert mine.keys() == arms.keys()
    for sample, answer in mine.items():
        other = arms[sample]
        # The same version of ONNX Runtime: both come from one lock file.
        assert other["runtime"] == answer["runtime"].replace(platform.machine(), "aarch64")
        assert apart(answer["logits"], other["logits"]) <= APART_AT_MOST, sample
        assert apart(answer["evidence"], other["evidence"]) <= APART_AT_MOST, sample
        assert other["answer"]["label"] == answer["answer"]["label"]
        assert other["answer"]["finding_set"] == answer["answer"]["finding_set"]
        assert other["answer"]["alarms"] == answer["answer"]["alarms"]


@pytest.mark.services
@pytest.mark.timeout(1800)
def test_classify_says_the_same_on_arm(samples: Path) -> None:
    words = ["-m", "firstread", "classify", str(samples / "breast-cytology"), "--json"]
    words += ["--pack", "breast-cytology"]
    mine = [json.loads(line) for line in here(*words).splitlines()]
    arms = [json.loads(line) for line in on_arm(*words).splitlines()]
    assert len(mine) == len(arms) == 2
    for answer, other in zip(mine, arms, strict=True):
        assert {**other, "ms": 0, "findings": 0, "probability": 0, "contributions": 0} == {
            **answer,
            "ms": 0,
            "findings": 0,
            "probability": 0,
            "contributions": 0,
        }
        chances, others = ([f["probability"] for f in one["findings"]] for one in (answer, other))
        assert apart(chances, others) <= APART_AT_MOST


@pytest.mark.services
@pytest.mark.timeout(1800)
def test_an_edge_on_arm_reads_what_is_put_in_and_keeps_it_for_the_clinic(
    samples: Path, tmp_path: Path
) -> None:
    words = ["-m", "firstread", "edge", "--inbox", str(tmp_path / "inbox"), "--answers"]
    words += ["--spool", str(tmp_path / "spool"), "--pack", "breast-cytology"]
    command, environment = arm_command(*words, "--clinic", "http://127.0.0.1:9")
    environment |= {"FIRSTREAD_TOKEN": "frs_none", "PYTHONUNBUFFERED": "1"}
    folder = tmp_path / "inbox" / "breast-cytology"
    folder.mkdir(parents=True)
    sample = next((samples / "breast-cytology").iterdir())
    shutil.copy(sample, folder / "1.json")
    edge = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    assert edge.stdout is not None
    line = edge.stdout.readline()
    edge.terminate()
    edge.stdout.close()
    assert edge.wait(timeout=300) == 0
    assert sample.name.split("-")[2] in line  # the phantom's own label
    # Its spool is opened here: both machines write the same file.
    said = here("-m", "firstread", "edge", "status", "--spool", str(tmp_path / "spool"), "--json")
    assert json.loads(said)["waiting"] == 1

"""The network is run quietly: nothing of it is told to anybody."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

# ONNX Runtime keeps quiet by itself where it takes a machine for one that builds and tests.
_LAPTOP = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}

_READ = """
from firstread import phantom
from firstread.packs import find_pack
from firstread.runtime import open_reader
row = phantom.make("breast-cytology", label="benign", seed=1).measurements
print(open_reader(find_pack("breast-cytology")).read_measurements(row).read.label)
"""


@pytest.mark.parametrize("said", ["", "0"], ids=["nothing said", "switched on"])
def test_a_read_leaves_no_report_to_the_runtimes_maker(tmp_path: Path, said: str) -> None:
    folders = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", _READ],
        env={**_LAPTOP, **folders, "ORT_DISABLE_TELEMETRY": said},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("benign\n", "")
    assert list(tmp_path.rglob("*")) == []

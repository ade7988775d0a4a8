"""Runs of `firstread train` in a process of their own, killed and begun again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path


def train_killed_and_again(
    recipe: Path, *, data: Path, folder: Path, killed_at: str, options: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Train into `folder`, kill the run where a line begins with `killed_at`, and run it again.

    The first run must have left no pack in `folder`/packs; what the second said is given.
    """
    command = [sys.executable, "-m", "firstread", "train", str(recipe), "--data", str(data)]
    command += ["--out", str(folder / "packs"), "--work", str(folder / "work"), *options]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        reached = any(line.startswith(killed_at) for line in running.stderr)
        running.send_signal(signal.SIGKILL)
    assert reached, f"the run ended before '{killed_at}'"
    assert not list(folder.glob("packs/*/pack.toml"))
    again = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    return again

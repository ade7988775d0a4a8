"""What the documentation tells people to type works."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
ALONE = ("classify", "packs", "phantom")
"""The commands that need no server beside them."""
BLOCKS = [
    (page.name, block)
    for page in sorted(DOCS.glob("*.md"))
    for block in re.findall(r"^```console\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    if re.search(rf"^\$ firstread ({'|'.join(ALONE)})", block, re.MULTILINE)
]


def test_there_are_examples():
    assert BLOCKS


@pytest.mark.parametrize(("where", "block"), BLOCKS, ids=[where for where, _ in BLOCKS])
def test_an_example_runs(where, block, tmp_path, monkeypatch):
    monkeypatch.delenv("FIRSTREAD_PACKS", raising=False)
    for line in block.splitlines():
        if not line.startswith("$ firstread "):
            continue
        words = shlex.split(line.removeprefix("$ firstread "), comments=True)
        if words[0] not in ALONE:
            continue
        ran = subprocess.run(
            [sys.executable, "-m", "firstread", *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, f"{where}: {line}\n{ran.stderr}"
        assert ran.stdout or "--out" in line, line

"""Prints, for each pack named, what it answers to the samples named, as one JSON object.

Run by test_aarch64.py on this machine and on an emulated one, so it imports nothing of the tests.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from firstread.packs import find_pack
from firstread.runtime import open_reader


def answers(folder: Path) -> dict[str, Any]:
    """By sample, for each folder of samples that is named after its pack."""
    said: dict[str, Any] = {}
    for samples in sorted(folder.iterdir()):
        reader = open_reader(find_pack(samples.name))  # reads its golden samples, too
        for sample in sorted(samples.iterdir()):
            outcome = reader.read(sample.read_bytes())
            evidence = outcome.evidence
            said[f"{samples.name}/{sample.name}"] = {
                "runtime": outcome.read.runtime,
                "logits": outcome.logits.tolist(),
                "evidence": [] if evidence is None else evidence.ravel().tolist(),
                "answer": outcome.read.as_answer() | {"ms": 0},
            }
    return said


if __name__ == "__main__":
    sys.stdout.write(json.dumps(answers(Path(sys.argv[1]))))

"""A kind of sample that Firstread does not know: melodies, each a text file of notes.

All that makes them a kind lies in `tests/melody/`: one file for each floor that must know it.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from firstread.domain.errors import UnreadableSample
from firstread.packs import (
    About,
    Calibration,
    Golden,
    Label,
    Manifest,
    OperatingPoint,
    Provenance,
    seal,
    write_manifest,
)

FILES = Path(__file__).parent / "melody"
FLOORS = {
    "domain": "firstread.domain.kinds",
    "inbox": "firstread.inbox.kinds",
    "packs": "firstread.packs.kinds",
    "datasets": "firstread.datasets.kinds",
    "runtime": "firstread.runtime.kinds",
    "evaluation": "firstread.evaluation.kinds",
    "edge": "firstread.edge.kinds",
    "cli": "firstread.cli.kinds",
    "clinic/steps": "firstread.clinic.steps.kinds",
    "clinic/shown": "firstread.clinic.shown.kinds",
}
NOTES = "CDEFGAB"
GLAD, SAD = b"melody\nC E E G E C\n", b"melody\nA F F D F A\n"


def add_melodies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Adds the files of the kind to the floors, as a release that brought them would."""
    for folder, package in FLOORS.items():
        floor = import_module(package)
        monkeypatch.setattr(floor, "__path__", [*floor.__path__, str(FILES / folder)])
        table = getattr(floor, "WORDS" if folder == "domain" else "KINDS")
        monkeypatch.setattr(table, "_found", {})


def notes_of(data: bytes) -> NDArray[np.float32]:
    """How often each note is in the melody: [7]."""
    head, _, notes = data.decode("ascii", errors="replace").partition("\n")
    if head != "melody" or not notes.strip() or set(notes) - set(f"{NOTES} \n"):
        raise UnreadableSample("This is no melody. Send a text of notes from A to G.")
    return np.array([notes.count(note) for note in NOTES], np.float32)


def drawn(data: bytes) -> bytes:
    """The notes as dots on a line, in SVG."""
    notes = [note for note in data.decode("ascii").partition("\n")[2] if note in NOTES]
    dots = "".join(
        f'<circle cx="{10 + 12 * at}" cy="{60 - 6 * NOTES.index(note)}" r="4"/>'
        for at, note in enumerate(notes)
    )
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 64">{dots}</svg>'.encode()


def make_melody_pack(folder: Path) -> Path:
    """A sealed pack that says whether a melody has more of F, which is sad, than of E."""
    pack = folder / "tunes"
    (pack / "golden").mkdir(parents=True)
    weights = np.zeros((len(NOTES), 2), np.float32)
    weights[NOTES.index("E"), 0] = weights[NOTES.index("F"), 1] = 1.0
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["notes", "weights"], ["logits"])],
        "tunes",
        [helper.make_tensor_value_info("notes", TensorProto.FLOAT, ["N", len(NOTES)])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 2])],
        [numpy_helper.from_array(weights, "weights")],
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), pack / "model.onnx")
    (pack / "golden/01.notes").write_bytes(GLAD)
    manifest = Manifest(
        format=1,
        pack=About(
            name="tunes",
            version="1.0.0",
            check="mood",
            kind="melody",
            title="Test pack tunes",
            licence="Apache-2.0",
            intended_use="For tests only.",
            limits="Hears E and F.",
            many=False,
        ),
        takes={"octaves": 1},
        labels=(
            Label(code="glad", title="Glad", positive=False),
            Label(code="sad", title="Sad", positive=True, priority="urgent"),
        ),
        operating_points=(
            OperatingPoint(
                label="sad", threshold=0.5, sensitivity=1.0, specificity=1.0, measured_on="two"
            ),
        ),
        calibration=Calibration(method="none", temperature=1.0),
        provenance=Provenance(
            recipe="none", seed=0, trained_at="2026-01-01", software={"none": "0"}
        ),
        golden=(Golden(sample="golden/01.notes", logits=(3.0, 0.0)),),
    )
    write_manifest(manifest, pack)
    (pack / "card.md").write_text("# Test pack tunes\n\nFor tests only.\n", encoding="utf-8")
    seal(pack)
    return pack

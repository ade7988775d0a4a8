"""Arrows that must not be are planted into a copy of the source, and each is caught."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

PLANTED = (
    ("runtime.batch", "onnxruntime"),
    ("runtime.batch", "torch"),
    ("importing.run", "django.db"),
    ("clinic.audit", "pydicom"),
    ("clinic.shown.case", "torch"),
    ("domain.read", "numpy"),
    ("domain.read", "httpx"),
    ("domain.read", "firstread.imaging.decode"),
    ("clinic.api.cases", "firstread.clinic.web.case"),
    ("clinic.web.case", "firstread.clinic.api.cases"),
    ("clinic.models.cases", "firstread.clinic.audit"),
    ("clinic.queue.lease", "firstread.clinic.steps.review"),
    ("clinic.steps.intake", "firstread.clinic.steps.first_read"),
    ("clinic.shown.case", "firstread.train.recipe"),
    ("cli.classify", "django.conf"),
    ("cli.classify", "firstread.server.start"),
    ("train.recipe", "firstread.edge.token"),
    ("edge.token", "firstread.train.recipe"),
    ("edge.serve.pool", "firstread.edge.screen.run"),
    ("edge.screen.run", "firstread.edge.serve.pool"),
    ("edge.serve.protocols.allds2020", "firstread.edge.serve.app"),
    ("edge.serve.wire", "firstread.edge.serve.routing"),
    ("packs.sums", "firstread.runtime.read"),
    ("server.limit", "firstread.importing.run"),
)


def lint(root: Path) -> str:
    """What import-linter says of the source there, with the contracts of this project."""
    said = subprocess.run(
        [
            str(Path(sys.executable).with_name("lint-imports")),
            "--no-cache",
            "--config",
            "pyproject.toml",
        ],
        cwd=root,
        env={**os.environ, "PYTHONPATH": f"{root / 'src'}:{root}", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Contracts" in said.stdout, said.stdout + said.stderr
    return said.stdout


def copy(root: Path) -> Path:
    """The source and its contracts, to plant something into."""
    shutil.copytree(
        ROOT / "src" / "firstread",
        root / "src" / "firstread",
        ignore=lambda folder, names: [
            name for name in names if not (name.endswith(".py") or Path(folder, name).is_dir())
        ],
    )
    (root / "tests" / "contracts").mkdir(parents=True)
    shutil.copy(ROOT / "tests" / "contracts" / "libraries.py", root / "tests" / "contracts")
    shutil.copy(ROOT / "pyproject.toml", root)
    return root


def plant(root: Path, module: str, lines: str) -> None:
    file = root / "src" / "firstread" / f"{module.replace('.', '/')}.py"
    file.write_text(f"{file.read_text(encoding='utf-8')}\n{lines}\n", encoding="utf-8")


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = copy(tmp_path_factory.mktemp("planted"))
    for module, imported in PLANTED:
        plant(root, module, f"import {imported}")
    return lint(root)


@pytest.mark.parametrize(("module", "imported"), PLANTED)
def test_an_arrow_that_must_not_be_is_caught(said: str, module: str, imported: str) -> None:
    library = imported if imported.startswith("firstread") else imported.partition(".")[0]
    found = re.compile(rf"firstread\.{re.escape(module)} -> {re.escape(library)}\b")
    assert any(found.search(line) for line in said.splitlines()), said


def test_circles_of_types_and_rooms_without_a_layer_are_caught(tmp_path: Path) -> None:
    root = copy(tmp_path)
    for module, other in (("imaging.size", "sniff"), ("imaging.sniff", "size")):
        plant(root, module, f"if TYPE_CHECKING:\n    import firstread.imaging.{other}")
    for room in ("attic", "clinic/attic"):
        (root / "src" / "firstread" / room).mkdir()
        (root / "src" / "firstread" / room / "__init__.py").touch()
    said = lint(root)
    assert "No cycles are allowed in firstread.imaging" in said
    assert "firstread.attic" in said
    assert "firstread.clinic.attic" in said


def test_every_room_is_named_on_the_map() -> None:
    told = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = {path.parent.name for path in (ROOT / "src" / "firstread").glob("*/**/__init__.py")}
    assert "outbox" in rooms
    assert sorted(room for room in rooms if f"{room}/" not in told) == []

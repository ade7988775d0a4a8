"""What each server takes on disk, without pip: its environment's packages, or ours with theirs."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

from benchmarks.serving.servers import OURS, Server

_INSTALLERS = ("pip", "setuptools", "wheel", "_distutils_hack")
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_EXTRA = re.compile(r"""extra\s*==\s*['"](?P<name>[^'"]+)['"]""")


def installed_mb(server: Server) -> float:
    """MB of files that must be installed for `server`, Python itself left out."""
    if server is OURS:
        return sum(map(_distribution_bytes, _closure("firstread", extra="serve"))) / 1e6
    packages = next(server.environment.glob("lib/python*/site-packages"))
    parts = [part for part in packages.iterdir() if not part.name.startswith(_INSTALLERS)]
    return sum(_bytes(path) for part in parts for path in [part, *part.rglob("*")]) / 1e6


def _closure(name: str, *, extra: str = "", found: set[str] | None = None) -> set[str]:
    """The names of a distribution and of all that it needs here."""
    found = set() if found is None else found
    found.add(name)
    for line in metadata.requires(name) or ():
        wanted = _EXTRA.search(line)
        needed = _NAME.match(line)
        if needed is None or (wanted is not None and wanted["name"] != extra):
            continue
        key = re.sub(r"[-_.]+", "-", needed[0]).lower()
        if key not in found and _is_installed(key):
            _closure(key, found=found)
    return found


def _is_installed(name: str) -> bool:
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _distribution_bytes(name: str) -> int:
    if name == "firstread":
        return _tree_bytes(Path(__file__).resolve().parents[2])
    return sum(_bytes(Path(str(each.locate()))) for each in metadata.files(name) or ())


def _tree_bytes(root: Path) -> int:
    """Our own code and packs, as the wheel carries them."""
    folders = (root / "src" / "firstread", root / "packs")
    return sum(
        _bytes(path)
        for folder in folders
        for path in folder.rglob("*")
        if "__pycache__" not in path.parts
    )


def _bytes(path: Path) -> int:
    return path.stat().st_size if path.is_file() and "__pycache__" not in path.parts else 0

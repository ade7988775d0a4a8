"""Where packs are looked for, and what stands there."""

from __future__ import annotations

import os
from pathlib import Path

import firstread
from firstread.domain.errors import PackRefused, UnknownPack
from firstread.packs.home import home_folder
from firstread.packs.opening import open_manifest


def shelves() -> list[Path]:
    """The folders that hold packs: FIRSTREAD_PACKS first, the home folder's, the shipped ones."""
    places = [*_named(), home_folder() / "packs", *_shipped()]
    # A home folder that this process may not even look into is no shelf, and no failure either.
    return [place for place in places if os.path.isdir(place)]  # noqa: PTH112  Path.is_dir raises


def is_shipped(pack: Path) -> bool:
    """Whether the pack came with Firstread, and so comes again when that is installed."""
    return any(shelf in pack.resolve().parents for shelf in _shipped())


def own_shelf() -> Path:
    """Where a pack that is taken in is put, and found again: the first of FIRSTREAD_PACKS, else
    `packs` in the home folder. It need not be there yet."""
    return next(iter(_named()), home_folder() / "packs")


def _shipped() -> list[Path]:
    package = Path(firstread.__file__).resolve().parent
    # In a wheel the packs lie inside the package; in a checkout beside src/.
    return [package / "shipped_packs", package.parent.parent / "packs"]


def _named() -> list[Path]:
    named = os.environ.get("FIRSTREAD_PACKS", "")
    return [Path(each).expanduser() for each in named.split(os.pathsep) if each]


def list_packs() -> list[Path]:
    """The pack folders on all shelves by name; of two with one name the first shelf's."""
    found: dict[str, Path] = {}
    for shelf in shelves():
        for folder in sorted(shelf.iterdir()):
            # A folder that is still being written hides behind a dot.
            if not folder.name.startswith(".") and (folder / "pack.toml").is_file():
                found.setdefault(folder.name, folder)
    return [found[name] for name in sorted(found)]


def find_pack(pack: str | Path) -> Path:
    """The folder of a pack, by its name or its path.

    A name finds the folder of that name, else the newest of the folders `name-VERSION`. Raises
    UnknownPack, which lists the packs that there are.
    """
    path = Path(pack)
    if (path / "pack.toml").is_file() and (path.is_absolute() or len(path.parts) > 1):
        return path
    on_shelves = list_packs()
    for folder in on_shelves:
        if folder.name == str(pack):
            return folder
    versions = [
        (_ordered(folder.name.removeprefix(f"{pack}-")), folder)
        for folder in on_shelves
        if folder.name.startswith(f"{pack}-") and _name_of(folder) == str(pack)
    ]
    if versions:
        return max(versions)[1]
    if (path / "pack.toml").is_file():
        return path
    here = ", ".join(folder.name for folder in on_shelves) or "none"
    raise UnknownPack(
        f"There is no pack '{pack}'. Packs here: {here}. "
        "Name one of them or a pack's folder, or set FIRSTREAD_PACKS."
    )


def _name_of(folder: Path) -> str | None:
    try:
        return open_manifest(folder).name
    except PackRefused:
        return None


def _ordered(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())

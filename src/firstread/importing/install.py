"""A pack in one file, or a model with a recipe, is fetched, verified, and put on a shelf."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from firstread.domain.errors import BadConfiguration, DownloadRefused, PackRefused
from firstread.importing.assemble import Imported, Wanted, fresh, put_in_place
from firstread.importing.recipe import Said
from firstread.importing.run import Asked, import_model
from firstread.packs import open_manifest, verify
from firstread.packs.packed import is_packed, unpack
from firstread.runtime import open_reader

DOWNLOADS = ".downloads"
_HASH = re.compile(r"[0-9a-f]{64}")


def install(
    source: str,
    *,
    sha256: str | None,
    asked: Asked,
    wanted: Wanted,
    told: Callable[[int, int | None], None] = lambda _have, _of: None,
) -> Imported:
    """Put the pack at `source`, a web address or a file, on the shelf `wanted.out`.

    A model file becomes a pack as `asked` says. Nothing is opened before its hash is right. Raises
    BadConfiguration where an address comes without a hash, DownloadRefused and Unreachable as
    `connect.web.download` does, and what importing and opening a pack raise.
    """
    if sha256 is not None:
        sha256 = sha256.strip().lower()
        if not _HASH.fullmatch(sha256):
            raise BadConfiguration(
                "--sha256 takes the 64 hexadecimal digits that `sha256sum FILE` prints. Correct it."
            )
    try:
        name = Path(unquote(urlsplit(source).path)).name or "model"
    except ValueError:
        raise BadConfiguration(
            "This is no web address that leads to a file. Correct it: https://HOST/FILE."
        ) from None
    local = _local(source)
    if local is not None:
        _refuse_other_hash(local, sha256)
        return _installed(local, name=name, asked=asked, wanted=wanted)
    if sha256 is None:
        raise BadConfiguration(
            "An address comes with the hash of what it gives: --sha256 HASH. Take it from who made "
            "the file, not from the same address."
        )
    try:
        fetched = _fetched(source, sha256=sha256, out=wanted.out, told=told)
        try:
            made = _installed(fetched, name=name, asked=asked, wanted=wanted)
        except PackRefused:
            fetched.unlink()  # it will never be another
            raise
        fetched.unlink()
    finally:
        _tidy(wanted.out / DOWNLOADS)
    return made


def _local(source: str) -> Path | None:
    parts = urlsplit(source)
    if parts.scheme in ("http", "https"):
        return None
    path = Path(unquote(parts.path)) if parts.scheme == "file" else Path(source)
    if not path.is_file():
        raise BadConfiguration(
            f"There is no file '{path.name}', and it is no address that begins with https://. "
            "Correct it."
        )
    return path


def _fetched(url: str, *, sha256: str, out: Path, told: Callable[[int, int | None], None]) -> Path:
    from firstread.connect.web.download import download  # a local file needs no HTTP client

    folder = out / DOWNLOADS
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / sha256
    if not place.exists() or _sha256(place) != sha256:
        download(url, place, sha256=sha256, told=told)
    return place


def _refuse_other_hash(path: Path, sha256: str | None) -> None:
    found = _sha256(path)
    if sha256 not in (None, found):
        raise DownloadRefused(
            f"{path.name} is not what was asked for: its SHA-256 begins with {found[:12]}, not "
            f"with {str(sha256)[:12]}. Nothing of it was opened. Compare file and hash."
        )


def _installed(path: Path, *, name: str, asked: Asked, wanted: Wanted) -> Imported:
    if not is_packed(path):
        return import_model(path, asked, wanted=wanted, name=name)
    own = Asked(said=Said(name=asked.said.name))
    if asked != own or wanted.samples is not None or wanted.labelled is not None:
        raise BadConfiguration(
            f"{name} is a pack already, sealed with all that is said of it. Leave out what a model "
            "would need: --recipe, --check, --labels and the like."
        )
    with fresh(replace(wanted, replace=True), "unpacked") as folder:
        unpack(path, folder)
        verify(folder)
        manifest = open_manifest(folder)
        open_reader(folder)
        if asked.said.name is not None and asked.said.name != manifest.name:
            raise PackRefused(
                f"The pack is called '{manifest.name}' and is sealed so. Leave --name out."
            )
        place = put_in_place(folder, wanted, name=manifest.name)
    return Imported(
        folder=place,
        says=(
            f"{manifest.name} {manifest.version} for the check {manifest.check}, as it was made.",
        ),
    )


def _tidy(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()  # only where nothing waits in it to be gone on with


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

"""The folder of backups: what is damaged is found, what is old goes, one is made at a time."""

from __future__ import annotations

import hashlib
import resource
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from firstread.clinic.keeping import backup, copies
from firstread.clinic.storage import store
from firstread.domain.errors import BackupRefused


def _copy(root: Path, name: str, *samples: bytes) -> copies.Copy:
    """A backup that holds these samples, written as `firstread backup` does."""
    lines = []
    for data in samples:
        sha256 = hashlib.sha256(data).hexdigest()
        lines.append(f"{sha256} {len(data)}\n")
        place = copies.place_of(root, sha256)

        def pieces(data: bytes = data) -> Iterator[bytes]:
            return iter([data])

        assert copies.copied(pieces, to=place, sha256=sha256)
    with copies.half(root) as folder:
        (folder / copies.LIST).write_text("".join(lines))
        (folder / "database.sqlite3").write_bytes(b"rows")
        copies.seal(folder, {"packs": [], "samples": {"files": len(lines)}})
        return copies.opened(copies.finish(folder, name=name))


def _troubles(copy: copies.Copy) -> list[str]:
    return copies.troubles_of(copy, after_each=lambda: None)


def test_every_byte_of_a_copy_is_checked(tmp_path: Path) -> None:
    copy = _copy(tmp_path, "1", b"one", b"two")
    assert _troubles(copy) == []
    place = copies.place_of(tmp_path, hashlib.sha256(b"two").hexdigest())
    place.write_bytes(b"tow")
    assert _troubles(copy) == [f"{place} is damaged or missing."]
    (copy.folder / "database.sqlite3").write_bytes(b"rowz")
    assert "database.sqlite3 is damaged or missing" in _troubles(copy)[0]


def test_a_damaged_manifest_is_no_back_up(tmp_path: Path) -> None:
    copy = _copy(tmp_path, "1", b"one")
    path = copy.folder / copies.MANIFEST
    path.write_text(path.read_text().replace('"files": 1', '"files": 2'))
    with pytest.raises(BackupRefused, match="is damaged"):
        copies.find(tmp_path)


def test_the_newest_stay_and_what_no_copy_holds_any_more_goes(tmp_path: Path) -> None:
    _copy(tmp_path, "1", b"old", b"both")
    newer = _copy(tmp_path, "2", b"both", b"new")
    assert copies.prune(tmp_path, keep=2) == []
    assert copies.prune(tmp_path, keep=1) == ["1"]
    assert copies.find(tmp_path).name == "2"
    assert _troubles(newer) == []
    assert not copies.place_of(tmp_path, hashlib.sha256(b"old").hexdigest()).exists()


def test_two_back_ups_to_one_folder_are_made_one_after_the_other(tmp_path: Path) -> None:
    with copies.alone(tmp_path), pytest.raises(BackupRefused, match="under way"):  # noqa: SIM117
        with copies.alone(tmp_path):
            pass


def test_a_full_disk_leaves_no_piece_behind(tmp_path: Path) -> None:
    data = b"too much" * 1000
    place = copies.place_of(tmp_path, hashlib.sha256(data).hexdigest())
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            copies.copied(lambda: iter([data]), to=place, sha256=place.name)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(place.parent.iterdir()) == []


@pytest.mark.parametrize("inside", ["", "copies", "samples", "samples/3f", "packs"])
def test_no_copy_is_made_in_a_folder_that_the_site_works_in(
    inside: str, tmp_path: Path, settings: Any
) -> None:
    settings.FIRSTREAD = replace(settings.FIRSTREAD, home=tmp_path)
    with pytest.raises(BackupRefused, match="Name a folder elsewhere, on another disk"):
        backup.back_up(tmp_path / inside, settings_file=None, with_key=False, keep=1)
    assert list(tmp_path.iterdir()) == []


def test_the_home_folder_of_another_site_takes_no_copies(tmp_path: Path) -> None:
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / store.MARK).touch()
    with pytest.raises(BackupRefused, match="holds the samples or packs of a site"):
        backup.back_up(tmp_path, settings_file=None, with_key=False, keep=1)


def test_too_little_room_is_told_before_anything_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / copies.LIST).write_text(f"{'a' * 64} 3000000000\n")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=2_000_000_000))
    with pytest.raises(BackupRefused, match=r"needs 3\.0 GB more .* 2\.0 GB are free"):
        backup._refuse_too_little_room(tmp_path, tmp_path)

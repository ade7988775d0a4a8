"""The packs that a cloud hands to its container: in a folder, or in a bucket to fetch them from."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from firstread.domain.errors import BadConfiguration, MissingExtra

_MAX_MB = 2048
"""More than any pack takes; a model's bucket that holds more is most likely another's."""
_DEPTH = 3
"""Azure ML puts a model below its name and its version."""


def packs_of(models: str, *, into: Path) -> tuple[str, ...]:
    """The pack folders at `models`, a folder or a bucket's address, which is fetched `into` one.

    None where nothing is there. Raises BadConfiguration where there is something else than packs,
    BadArchive or Unreachable where the bucket cannot be read.
    """
    if "://" not in models:
        return _packs_below(Path(models), called=models)
    _fetch(models, into=into)
    return _packs_below(into, called=models)


def _packs_below(folder: Path, *, called: str) -> tuple[str, ...]:
    below = [folder]
    for _ in range(_DEPTH + 1):
        found = [each for each in below if (each / "pack.toml").is_file()]
        if found:
            return tuple(str(each) for each in found)
        below = sorted(inner for each in below if each.is_dir() for inner in each.iterdir())
    if not folder.is_dir() or not any(folder.iterdir()):
        return ()
    # Whoever put a model there must not be answered by another.
    raise BadConfiguration(
        f"'{called}' holds no pack: no pack.toml lies in it or in a folder of it. Put the pack's "
        "folder there as it is, or name packs with --pack."
    )


def _fetch(url: str, *, into: Path) -> None:
    try:
        from firstread.connect.buckets.bucket import open_bucket
    except ModuleNotFoundError:
        raise MissingExtra(command="serve", extra="screen") from None
    bucket = open_bucket(url)
    left_bytes = _MAX_MB << 20
    for each in bucket.objects():
        name = PurePosixPath(each.path)
        if name.is_absolute() or ".." in name.parts or each.path.endswith("/"):
            continue  # the mark of an empty folder, or a name that no pack has
        left_bytes -= each.size_bytes
        if left_bytes < 0:
            raise BadConfiguration(
                f"{url} holds more than {_MAX_MB} MB. Let it name the folder of the packs alone."
            )
        file = into / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(bucket.fetch(each.path, max_bytes=each.size_bytes, room=_no_limit))


def _no_limit(_size_bytes: int) -> None:
    """The sum is held to its limit above."""

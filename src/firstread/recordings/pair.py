"""The two files of one WFDB record as one sample: a zip that is the same for the same pair."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from lzma import LZMAError
from pathlib import PurePath

from firstread.decoding import is_bomb
from firstread.domain.errors import UnreadableSample
from firstread.recordings.recording import MAX_NUMBERS

_EPOCH = (1980, 1, 1, 0, 0, 0)
_MAX_FILES = 2100
_MAX_BYTES = 4 * MAX_NUMBERS
HEADER, SAMPLES = ".hea", (".dat", ".mat")
"""What the two files of a WFDB record end in: the challenges of PhysioNet keep samples in .mat."""
_IN_A_ZIP = {HEADER, *SAMPLES, ".csv", ".txt", ".edf", ".bdf", ".dcm"}


def is_pair(names: Iterable[str]) -> bool:
    """Whether files of these names belong together: one header, and samples beside it.

    >>> is_pair(["100.hea", "100.dat"]), is_pair(["100.hea"]), is_pair(["100.hea", "a.png"])
    (True, False, False)
    """
    endings = [PurePath(name).suffix.lower() for name in names]
    samples = sum(ending in SAMPLES for ending in endings)
    return endings.count(HEADER) == 1 and samples == len(endings) - 1 > 0


def join_pair(files: Mapping[str, bytes]) -> bytes:
    """One sample of a .hea and its .dat: a zip whose bytes, and so whose hash, depend on nothing
    but the files and their names.

    Raises UnreadableSample where the files are no pair.

    >>> one = join_pair({"a.hea": b"x", "a.dat": b"y"})
    >>> one == join_pair({"a.dat": b"y", "a.hea": b"x"})
    True
    """
    if not is_pair(files):
        raise UnreadableSample(
            "A WFDB recording is a .hea file and the .dat file that it names. Send both together."
        )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as joined:
        for name in sorted(files):
            entry = zipfile.ZipInfo(PurePath(name).name, date_time=_EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # else the bytes would differ between systems
            entry.external_attr = 0o644 << 16
            joined.writestr(entry, files[name])
    return out.getvalue()


def unzipped(data: bytes) -> dict[str, bytes]:
    """The files of a zip, by their names without folders; annotations and the like are left out.

    Raises UnreadableSample where the zip is damaged, or holds more than a recording may.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = [each for each in archive.infolist() if not each.is_dir()]
            wanted = [e for e in entries if _kept(e.filename)]
            unpacked = sum(each.file_size for each in wanted)
            if len(wanted) > _MAX_FILES or unpacked > _MAX_BYTES:
                raise UnreadableSample(
                    "The zip file holds more than one recording may. Send one recording a file."
                )
            if is_bomb(unpacked_bytes=unpacked, packed_bytes=len(data)):
                raise UnreadableSample(
                    f"The zip file unpacks {len(data)} bytes to {unpacked}, as no recording of a "
                    "heart does. Send the recording itself."
                )
            return {PurePath(each.filename).name: archive.read(each) for each in wanted}
    except (
        zipfile.BadZipFile, zlib.error, LZMAError, EOFError, NotImplementedError, OSError,
        ValueError,
    ) as why:  # fmt: skip
        raise UnreadableSample(
            "The zip file is damaged, or packed in a way that is not read. Pack it again."
        ) from why
    except RuntimeError:  # what zipfile says of an encrypted file
        raise UnreadableSample("The zip file is encrypted. Send it without a password.") from None


def _kept(name: str) -> bool:
    path = PurePath(name)
    hidden = path.name.startswith(".") or "__MACOSX" in path.parts
    return not hidden and path.suffix.lower() in _IN_A_ZIP

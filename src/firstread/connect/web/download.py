"""One large file from a web address: resumed where it broke off, believed by its hash alone."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from firstread.domain.errors import DownloadRefused, Unreachable

MOST_BYTES = 2 * 1024**3
TRIES = 6
"""In a row without a byte more; as long as something arrives it goes on."""
PAUSE_S = 0.5
"""After the first try without a byte more; twice as long after each more."""
_LONGEST_PAUSE_S = 15.0
_TIMEOUT_S = 30.0
_LATER = (408, 425, 429, 500, 502, 503, 504)


def download(
    url: str,
    to: Path,
    *,
    sha256: str,
    told: Callable[[int, int | None], None] = lambda _have, _of: None,
) -> None:
    """The file at an address with that hash into `to`; `told` hears how much there is, and of what.

    What has arrived stays in `to` with the ending `.part`, so that another try goes on from there.
    Raises DownloadRefused where the server says no, or sends other bytes or too many, and
    Unreachable where it does not answer in several tries.
    """
    part = to.with_name(to.name + ".part")
    with httpx.Client(
        follow_redirects=True,
        max_redirects=5,
        timeout=_TIMEOUT_S,
        # Nothing packed: a part of a packed file is no part of the file.
        headers={"Accept-Encoding": "identity"},
    ) as client:
        if _fetch(client, url, part, told=told) and _sha256(part) != sha256:
            # What lay here may have been of another file, or what was asked for by its range was
            # another part of it: once more, from the beginning.
            part.unlink()
            _fetch(client, url, part, told=told)
    found = _sha256(part)
    if found != sha256:
        part.unlink()
        raise DownloadRefused(
            f"What the address gives is not what was asked for: its SHA-256 is {found}, not "
            f"{sha256}. Nothing of it was opened. Compare address and hash."
        )
    part.replace(to)


def _fetch(
    client: httpx.Client, url: str, part: Path, *, told: Callable[[int, int | None], None]
) -> bool:
    """Whether the file was put together from several parts."""
    idle, pause_s, reason, parts = 0, PAUSE_S, "", 0
    while idle < TRIES:
        before = part.stat().st_size if part.exists() else 0
        parts += bool(before)
        try:
            if _once(client, url, part, told=told):
                return bool(parts)
            reason = "it breaks off"
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.TooManyRedirects):
            raise DownloadRefused(
                "This is no web address that leads to a file. Correct it: https://HOST/FILE."
            ) from None
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
        after = part.stat().st_size if part.exists() else 0
        idle = 0 if after > before else idle + 1
        if idle:
            time.sleep(min(pause_s, _LONGEST_PAUSE_S))
            pause_s *= 2
        else:
            pause_s = PAUSE_S
    raise Unreachable(
        f"The server does not send the file: {reason}. Try again later; it goes on where it "
        "stopped."
    )


def _once(
    client: httpx.Client, url: str, part: Path, *, told: Callable[[int, int | None], None]
) -> bool:
    """Whether the file is whole now, as far as the server said how large it is."""
    have = part.stat().st_size if part.exists() else 0
    asking = {"Range": f"bytes={have}-"} if have else {}
    with client.stream("GET", url, headers=asking) as answer:
        if answer.status_code in _LATER:
            raise httpx.HTTPError(f"it says {answer.status_code} {answer.reason_phrase}".strip())
        if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            return True  # there is nothing after what lies here; its hash says whether it is whole
        if not answer.is_success:
            raise DownloadRefused(
                f"The server does not give the file: it says {answer.status_code} "
                f"{answer.reason_phrase}".strip()
                + ". Check the address, and who may have it."
            )
        goes_on = answer.status_code == httpx.codes.PARTIAL_CONTENT and _begins(answer) == have
        have = have if goes_on else 0
        length = answer.headers.get("content-length", "")
        whole = have + int(length) if length.isdecimal() else None
        _refuse_large(max(have, whole or 0), part)
        with part.open("ab" if goes_on else "wb") as file:
            # As it comes: what waits to fill a chunk would be lost where the connection breaks.
            for chunk in answer.iter_raw():
                file.write(chunk)
                have += len(chunk)
                _refuse_large(have, part)
                told(have, whole)
    return whole is None or have >= whole


def _begins(answer: httpx.Response) -> int:
    """From which byte on a part of the file is; -1 where the answer does not say."""
    unit, _, rest = answer.headers.get("content-range", "").partition(" ")
    first = rest.partition("-")[0]
    return int(first) if unit == "bytes" and first.isdecimal() else -1


def _refuse_large(size: int, part: Path) -> None:
    if size > MOST_BYTES:
        part.unlink(missing_ok=True)
        raise DownloadRefused(
            f"The file is larger than {MOST_BYTES // 1024**3} GB, too large for a pack. "
            "Check the address."
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

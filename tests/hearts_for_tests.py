"""Drawn recordings: a heart that beats evenly, with early wide beats where a test wants them."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from firstread.phantom.ecg import as_pair
from firstread.recordings import join_pair

RATE_HZ = 360


def heart(
    *, seconds: float = 10.0, rate_hz: int = RATE_HZ, wide: Collection[int] = (), seed: int = 1
) -> NDArray[np.float32]:
    """Two leads [2, T] in mV, a beat each 0.8 s from 0.4 s on; those in `wide` come early."""
    rng = np.random.default_rng(seed)
    at = np.arange(int(seconds * rate_hz)) / rate_hz
    signal = rng.normal(0, 0.01, at.shape)
    for number in range(int((seconds - 0.4) / 0.8) + 1):
        middle = 0.4 + 0.8 * number
        if number in wide:
            signal += 1.6 * np.exp(-(((at - middle + 0.2) / 0.05) ** 2))
            signal -= 0.7 * np.exp(-(((at - middle - 0.02) / 0.08) ** 2))
            continue
        signal += 1.1 * np.exp(-(((at - middle) / 0.012) ** 2))
        signal -= 0.2 * np.exp(-(((at - middle - 0.03) / 0.012) ** 2))
        signal += 0.12 * np.exp(-(((at - middle + 0.16) / 0.025) ** 2))
        signal += 0.25 * np.exp(-(((at - middle - 0.26) / 0.05) ** 2))
    return np.stack([signal, 0.6 * signal + rng.normal(0, 0.01, at.shape)]).astype(np.float32)


def mostly_early(*, seconds: float = 60.0, seed: int = 1) -> tuple[bytes, dict[float, str]]:
    """A recording of runs of premature atrial beats with one normal beat between two of them; and
    when each beat comes, with its label."""
    rng = np.random.default_rng(seed)
    at = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    signal = rng.normal(0, 0.01, at.shape)
    beats: dict[float, str] = {}
    moment = 0.6
    while moment < seconds - 1:
        for number in range(rng.integers(4, 9)):
            beats[moment] = "S" if number else "N"
            height, before_s = (-0.08, 0.13) if number else (0.12, 0.16)
            signal += height * np.exp(-(((at - moment + before_s) / 0.025) ** 2))
            signal += 1.1 * np.exp(-(((at - moment) / 0.012) ** 2))
            signal -= 0.2 * np.exp(-(((at - moment - 0.03) / 0.012) ** 2))
            signal += 0.25 * np.exp(-(((at - moment - 0.26) / 0.05) ** 2))
            moment += 0.6 * (1 + rng.normal(0, 0.02))
        moment += 0.7
    beats = {time_s: label for time_s, label in beats.items() if time_s < seconds - 0.5}
    leads = np.stack([signal, 0.6 * signal + rng.normal(0, 0.01, at.shape)])
    return as_pair(leads.astype(np.float32)), beats


def wfdb_pair(
    name: str = "100",
    *,
    seconds: float = 10.0,
    wide: Collection[int] = (),
    seed: int = 1,
    comment: str = "",
    lead: str = "MLII",
) -> dict[str, bytes]:
    """The .hea and .dat (format 16) of such a recording."""
    numbers = np.rint(heart(seconds=seconds, wide=wide, seed=seed) * 200).astype("<i2")
    of_lead = f"{name}.dat 16 200 11 0"
    lines = [
        f"{name} 2 {RATE_HZ} {numbers.shape[1]}",
        *(
            f"{of_lead} {each[0]} {int(each.astype(int).sum()) & 0xFFFF} 0 {title}"
            for each, title in zip(numbers, (lead, "V1"), strict=True)
        ),
    ]
    header = "\n".join([*lines, *([comment] if comment else []), ""])
    return {f"{name}.hea": header.encode(), f"{name}.dat": numbers.T.tobytes()}


def wfdb_in_three(name: str = "100", *, seed: int = 1) -> dict[str, bytes]:
    """The same with each lead in a file of its own, one of them under another name."""
    pair = wfdb_pair(name, seed=seed)
    leads = np.frombuffer(pair[f"{name}.dat"], "<i2").reshape(-1, 2).T
    header = pair[f"{name}.hea"].decode().splitlines()
    files = (f"{name}.dat", f"v1-of-{name}.dat")
    header[2] = header[2].replace(*files)
    told = {f"{name}.hea": "\n".join([*header, ""]).encode()}
    return told | {file: lead.tobytes() for file, lead in zip(files, leads, strict=True)}


def recording_zip(*, seconds: float = 10.0, wide: Collection[int] = (), seed: int = 1) -> bytes:
    """The same as the one sample that a pair is joined into."""
    return join_pair(wfdb_pair(seconds=seconds, wide=wide, seed=seed))

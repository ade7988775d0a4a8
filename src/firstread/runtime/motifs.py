"""What a picture shows is asked of the pack `motifs`, before the picture is looked at."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firstread.domain.errors import UnknownPack
from firstread.domain.motif import Motif, motif_of
from firstread.imaging.decode import Picture
from firstread.packs import Input, Manifest, find_pack, stamp
from firstread.packs.motifs import MOTIFS
from firstread.runtime import calibrate
from firstread.runtime.prepare import fitted

Run = Callable[[NDArray[Any]], dict[str, NDArray[np.float32]]]


class Motifs:
    """The open pack `motifs`. Threads may share it."""

    def __init__(self, manifest: Manifest, given: Input, *, run: Run) -> None:
        self._manifest, self._given, self._run = manifest, given, run
        self._titles = {label.code: label.title for label in manifest.labels}
        self._least = {each.label: each.threshold for each in manifest.operating_points}

    def knows(self, motif: str | None) -> bool:
        """Whether it can tell pictures that show this from others."""
        return motif in self._titles

    def motif(self, picture: Picture, *, own: str, doubted: bool) -> Motif:
        """What an opened picture shows, put in where pictures of `own`, which it knows, are
        read; `doubted` where the pack that reads them found it unfit or unfamiliar."""
        manifest = self._manifest
        logits = self._run(fitted(picture, self._given).pixels[np.newaxis])["logits"][0]
        chances = calibrate.probabilities(logits, temperature=manifest.calibration.temperature)
        return motif_of(
            dict(zip(manifest.codes, chances.tolist(), strict=True)),
            own=own,
            titles=self._titles,
            least=self._least,
            doubted=doubted,
        )


_open: dict[Path, tuple[tuple[int, int, int], Motifs]] = {}
_opening = threading.Lock()


def motifs_on_shelf(*, opened: Callable[[Path], tuple[Manifest, Run]]) -> Motifs | None:
    """The pack `motifs` of the first shelf that has it, opened once; None where none has.

    Raises PackRefused where it is damaged.
    """
    try:
        folder = find_pack(MOTIFS)
    except UnknownPack:
        return None
    with _opening:
        now = stamp(folder)
        kept = _open.get(folder)
        if kept is None or kept[0] != now:
            manifest, run = opened(folder)
            if manifest.input is None:
                return None
            kept = _open[folder] = now, Motifs(manifest, manifest.input, run=run)
        return kept[1]

"""The reader of a pack: a sample goes in, a read comes out."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from firstread.domain.errors import BadMeasurement, PackRefused, UnreadableSample
from firstread.packs import (
    Manifest,
    Precision,
    in_precision,
    network_file,
    open_manifest,
    verify,
)
from firstread.packs.golden import TOLERANCE, golden_bytes, refuse_other_answers
from firstread.packs.motifs import reads_for_a_check
from firstread.packs.twin import tolerance
from firstread.runtime.familiarity import open_neighbours
from firstread.runtime.kinds import KINDS
from firstread.runtime.looks import open_looks
from firstread.runtime.measurements import Given
from firstread.runtime.motifs import Motifs, Run, motifs_on_shelf
from firstread.runtime.open_pack import Network, OpenPack, Outcome
from firstread.runtime.session import Session


@dataclass(frozen=True, kw_only=True, eq=False)
class PackReader(OpenPack):
    """One pack, open and checked, that reads samples of its kind. Threads may share it."""

    precision: Precision = "float"

    def read(self, sample: bytes | Given, *, sample_sha256: str | None = None) -> Outcome:
        """Read one sample: its bytes, which for measurements are a JSON object's, or a row of them.

        `sample_sha256` is what the read of bytes states; without it their hash is computed, which
        for a large picture takes a twentieth of the read.

        Raises UnreadableSample where the bytes cannot be opened, BadMeasurement where a
        measurement is not as the pack takes it.
        """
        if isinstance(sample, Mapping):
            return self.read_measurements(sample)
        began = time.perf_counter()
        named = hashlib.sha256(sample).hexdigest() if sample_sha256 is None else sample_sha256
        return KINDS[self.manifest.kind].read(self, sample, sample_sha256=named, began=began)

    def read_measurements(self, values: Given) -> Outcome:
        """Read one row of measurements by their codes; None or absence means missing.

        Raises BadMeasurement, whose `field` names the measurement, and UnreadableSample where the
        pack reads samples of another kind.
        """
        return KINDS[self.manifest.kind].read_row(self, values)


def open_reader(
    pack: str | Path,
    *,
    threads: int = 1,
    precision: Precision = "float",
    network: Callable[[Manifest], Network] | None = None,
) -> PackReader:
    """Open the pack folder `pack`: checksums, manifest, network, golden samples.

    `threads` is how many threads one read uses. With `precision` "int8" the pack reads with its
    twin, and its version ends in `+int8`. `network` opens what runs the pack's network
    elsewhere; without it the pack's own runs here. Raises PackRefused where the pack is damaged or
    answers differently on this machine, and what `network` raises.
    """
    folder = Path(pack)
    pack_sha256 = verify(folder)
    manifest = in_precision(open_manifest(folder), precision)
    reader = PackReader(
        manifest=manifest,
        pack_sha256=pack_sha256,
        network=network(manifest)
        if network is not None
        else Session(
            folder / network_file(manifest, precision),
            kind=manifest.kind,
            threads=threads,
            pack_sha256=pack_sha256,
        ),
        neighbours=None
        if manifest.familiarity is None
        else open_neighbours(folder, stated=manifest.familiarity, appearance=manifest.appearance),
        looks=None
        if manifest.appearance is None
        else open_looks(folder, stated=manifest.appearance),
        motifs=_motifs(manifest),
        precision=precision,
    )
    _refuse_other_answers(reader, folder)
    return reader


def _motifs(manifest: Manifest) -> Motifs | None:
    """Who tells what pictures show, where the pack says what its own do."""
    if manifest.pack.motif is None or not reads_for_a_check(manifest):
        return None
    found = motifs_on_shelf(opened=_manifest_and_run)
    return found if found is not None and found.knows(manifest.pack.motif) else None


def _manifest_and_run(folder: Path) -> tuple[Manifest, Run]:
    reader = open_reader(folder)
    return reader.manifest, reader.run


def _refuse_other_answers(reader: PackReader, folder: Path) -> None:
    manifest = reader.manifest
    for golden in manifest.golden:
        try:
            outcome = reader.read(golden_bytes(folder, golden))
        except (UnreadableSample, BadMeasurement) as error:
            raise PackRefused(
                f"The golden sample {golden.sample} of the pack '{manifest.name}' cannot be read: "
                f"{error}"
            ) from None
        refuse_other_answers(
            golden,
            outcome.logits.tolist(),
            pack=manifest.name,
            tolerance=tolerance(reader.precision),
        )
        if manifest.measurements_model is not None:
            parts = np.array([each.logits for each in outcome.read.contributions]).sum(axis=0)
            total = parts + np.asarray(manifest.measurements_model.bias)
            if not np.allclose(total, outcome.logits, atol=TOLERANCE):
                raise PackRefused(
                    f"The contributions of the pack '{manifest.name}' do not add up to its "
                    "logits. Train or copy the pack again."
                )

"""The reader of a pack: a sample goes in, a read comes out."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from firstread.domain.errors import BadMeasurement, PackRefused, UnreadableSample
from firstread.domain.read import Contribution, Familiarity, Finding, Read
from firstread.imaging.appearance import appearance
from firstread.imaging.quality import measure
from firstread.packs import (
    Input,
    Manifest,
    Precision,
    in_precision,
    network_file,
    open_manifest,
    verify,
)
from firstread.packs.golden import TOLERANCE, golden_bytes, refuse_other_answers
from firstread.packs.twin import tolerance
from firstread.recordings import Recording, open_recording
from firstread.recordings.beats import find_beats
from firstread.runtime import calibrate
from firstread.runtime.familiarity import Neighbours, looks_of, open_neighbours
from firstread.runtime.looks import Looks, open_looks
from firstread.runtime.measurements import (
    Given,
    as_array,
    contributions_of,
    measurements_as_bytes,
    measurements_of,
)
from firstread.runtime.prepare import Prepared, prepared_of
from firstread.runtime.recording import (
    NamedBeats,
    alarms_of,
    beats_of,
    familiarity_of,
    findings_of,
    groups_among,
    headline_of,
    mean_logits,
    name_beats,
    unfit_recording,
)
from firstread.runtime.session import Session
from firstread.runtime.unfit import told_of_size, unfit_label, unfit_looks, unfit_quality


class Network(Protocol):
    """What runs a pack's network: this machine's `Session`, or a server elsewhere."""

    @property
    def runtime(self) -> str:
        """What runs it, such as 'onnxruntime 1.31.0 CPU x86_64'."""

    def run(self, batch: NDArray[Any]) -> dict[str, NDArray[np.float32]]:
        """Each output by name, float32 with N first, for uint8 [N, H, W, 3], float32 [N, F]
        or [N, C, T]."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """A read with the arrays beside it; K labels, D embedding."""

    read: Read
    logits: NDArray[np.float32]
    """[K]"""
    evidence: NDArray[np.float32] | None
    """[K, h, w]: where in the picture each label comes from; of a recording [B, t]: what each
    stretch of a beat's window adds to the beat's own label. None where the pack has no map."""
    embedding: NDArray[np.float32] | None
    """[D]; None where the pack gives none."""
    where: str = ""
    """Where the network ran, such as 'at one:8080'; empty where it ran here by itself."""


class PackReader:
    """One pack, open and checked. Threads may share it."""

    def __init__(
        self,
        *,
        manifest: Manifest,
        pack_sha256: str,
        network: Network,
        neighbours: Neighbours | None,
        looks: Looks | None = None,
        precision: Precision = "float",
    ) -> None:
        self.manifest = manifest
        self.precision = precision
        self.pack_sha256 = pack_sha256
        self.runtime = network.runtime
        # What every read of this pack says of it, whatever kind of sample it is of.
        self._read_of = partial(
            Read,
            pack=manifest.name,
            version=manifest.version,
            pack_sha256=pack_sha256,
            runtime=network.runtime,
        )
        self._network = network
        self._neighbours = neighbours
        self._looks = looks

    def read(self, data: bytes, *, sample_sha256: str | None = None) -> Outcome:
        """Read one sample: a picture's bytes, a recording's, or for a measurements pack a JSON
        object's.

        `sample_sha256` is what the read states; without it the hash of `data` is computed, which
        for a large picture takes a twentieth of the read.

        Raises UnreadableSample where the bytes cannot be opened, BadMeasurement where a
        measurement is not as the pack takes it.
        """
        began = time.perf_counter()
        named = _sha256(data) if sample_sha256 is None else sample_sha256
        if self.manifest.kind == "recording":
            return self._read_recording(named, open_recording(data), began=began)
        if self.manifest.input is None:
            return self._read_row(named, measurements_of(data), began=began)
        prepared = prepared_of(data, self.manifest.input)
        outputs = self.run(prepared.pixels[np.newaxis])
        unfit, looks = self._looked_at(prepared, given=self.manifest.input)
        return self._outcome(
            named,
            outputs,
            began=began,
            vector=_of_one(outputs, "embedding"),
            unfit=unfit,
            looks=looks,
        )

    def _looked_at(
        self, prepared: Prepared, *, given: Input
    ) -> tuple[str | None, Mapping[str, float] | None]:
        """Why the picture is unfit, or None; and how far in looks it lies from the pack's own."""
        quality, limits = measure(prepared.pixels), self.manifest.quality
        unfit = None if limits is None else unfit_quality(quality, limits=limits)
        stated = self.manifest.appearance
        said = partial(told_of_size, size_px=prepared.size_px, given=given)
        if stated is None or self._looks is None:
            return said(unfit), None
        row = appearance(prepared.pixels, sharpness=quality.sharpness, colour=prepared.colour)
        unfit = said(unfit or unfit_looks(self._looks.spoiled(row)))
        return unfit, looks_of(row, self._looks, appearance=stated)

    def read_measurements(self, values: Given) -> Outcome:
        """Read one row of measurements by their codes; None or absence means missing.

        Raises BadMeasurement, whose `field` names the measurement, and UnreadableSample where the
        pack reads pictures.
        """
        if self.manifest.kind != "measurements":
            kind = self.manifest.kind.replace("image", "picture")
            raise UnreadableSample(
                f"The pack {self.manifest.name} reads {kind}s, not measurements. Send a {kind}."
            )
        began = time.perf_counter()
        as_array(values, measurements=self.manifest.measurements)  # first, for its sentences
        named = _sha256(measurements_as_bytes(values))
        return self._read_row(named, values, began=began)

    def read_many(self, samples: Sequence[bytes]) -> list[Outcome | UnreadableSample]:
        """Read several samples; where one cannot be opened its error stands in its place.

        Each runs by itself: a batch would round differently, and a read must give the same
        numbers whatever lay beside it. Raises BadMeasurement as `read` does.
        """
        return [self._read_or_error(data) for data in samples]

    def _read_or_error(self, data: bytes) -> Outcome | UnreadableSample:
        try:
            return self.read(data)
        except UnreadableSample as error:
            return error

    def _read_row(self, sample_sha256: str, values: Given, *, began: float) -> Outcome:
        manifest = self.manifest
        row = as_array(values, measurements=manifest.measurements)
        outputs = self.run(row[np.newaxis])
        parts = _of_one(outputs, "contributions")
        if parts is None or manifest.measurements_model is None:
            contributions: tuple[Contribution, ...] = ()  # the network is not a sum over them
        else:
            contributions = contributions_of(row, parts, measurements=manifest.measurements)
        return self._outcome(
            sample_sha256, outputs, began=began, vector=row, contributions=contributions
        )

    def name_beats(self, recording: Recording) -> tuple[NamedBeats, str | None]:
        """Every beat of an opened recording, named; and why the recording is unfit, or None.

        Raises UnreadableSample where the pack reads no recordings.
        """
        given = self.manifest.recording
        if given is None:
            raise UnreadableSample(
                f"The pack {self.manifest.name} does not read recordings. Name another pack."
            )
        found = find_beats(recording)
        unfit = unfit_recording(recording, found, given=given)
        return name_beats(recording, found, manifest=self.manifest, run=self.run), unfit

    def beat_familiarity(
        self, named: NamedBeats, places: NDArray[np.int64]
    ) -> list[Familiarity | None]:
        """How familiar the beats at `places` are; None where the pack does not tell."""
        near, vectors = self._neighbours, named.embeddings
        if near is None or vectors is None:
            return [None] * len(places)
        return [near.familiarity(vectors[place]) for place in places.tolist()]

    def _read_recording(self, sample_sha256: str, recording: Recording, *, began: float) -> Outcome:
        manifest, codes = self.manifest, self.manifest.codes
        named, unfit = self.name_beats(recording)
        findings = findings_of(named, codes=codes)
        alarms = alarms_of(named, manifest=manifest)
        top = headline_of(named, findings, alarms, manifest=manifest)
        read = self._read_of(
            sample_sha256=sample_sha256,
            label=top.label,
            probability=top.probability,
            findings=findings,
            # Coverage is promised for each beat; of a thousand beats some sets miss the truth.
            finding_set=(),
            coverage=None,
            familiarity=familiarity_of(named, neighbours=self._neighbours),
            alarms=alarms,
            groups=groups_among(findings, groups=manifest.groups),
            unfit=unfit,
            contributions=(),
            ms=_ms_since(began),
            beats=beats_of(named, codes=codes),
        )
        return Outcome(
            read=read,
            logits=mean_logits(named),
            evidence=named.evidence,
            embedding=None if named.embeddings is None else named.embeddings.mean(0),
        )

    def run(self, batch: NDArray[Any]) -> dict[str, NDArray[np.float32]]:
        """The bare network: each output by name, N first.

        `batch` is uint8 [N, H, W, 3], float32 [N, F] or, beats of a recording, float32 [N, C, T].
        Raises PackRefused where the network does not take it.
        """
        outputs = self._network.run(batch)
        _refuse_other_shapes(outputs, manifest=self.manifest)
        return outputs

    def _outcome(
        self,
        sample_sha256: str,
        outputs: dict[str, NDArray[np.float32]],
        *,
        began: float,
        vector: NDArray[np.float32] | None,
        unfit: str | None = None,
        contributions: tuple[Contribution, ...] = (),
        looks: Mapping[str, float] | None = None,
    ) -> Outcome:
        manifest, logits = self.manifest, outputs["logits"][0]
        chances = calibrate.probabilities(logits, temperature=manifest.calibration.temperature)
        codes, conformal = manifest.codes, manifest.conformal
        findings = tuple(
            Finding(label=codes[i], probability=chance) for i, chance in calibrate.ranked(chances)
        )
        top = findings[0]
        read = self._read_of(
            sample_sha256=sample_sha256,
            label=top.label,
            probability=top.probability,
            findings=findings,
            finding_set=()
            if conformal is None
            else calibrate.finding_set(codes, chances, conformal=conformal),
            coverage=None if conformal is None else conformal.coverage,
            familiarity=None
            if self._neighbours is None or vector is None
            else self._neighbours.familiarity(vector, looks=looks),
            alarms=calibrate.alarms(chances, manifest=manifest),
            groups=calibrate.groups_of(codes, chances, groups=manifest.groups),
            unfit=unfit or unfit_label(manifest.label(top.label)),
            contributions=contributions,
            ms=_ms_since(began),
        )
        evidence, embedding = _of_one(outputs, "evidence"), _of_one(outputs, "embedding")
        return Outcome(read=read, logits=logits, evidence=evidence, embedding=embedding)


def _of_one(outputs: dict[str, NDArray[np.float32]], name: str) -> NDArray[np.float32] | None:
    """That output of the only sample of a batch; None where the pack has no such output."""
    return outputs[name][0] if name in outputs else None


def _ms_since(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 2)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _refuse_other_shapes(outputs: dict[str, NDArray[np.float32]], *, manifest: Manifest) -> None:
    """Raises PackRefused where the network's answers do not stand for the labels of pack.toml."""
    parts = outputs.get("contributions")
    if parts is not None and parts.shape[2] != len(manifest.measurements):
        raise PackRefused(
            f"The network of the pack '{manifest.name}' does not give one contribution for each "
            "measurement. Train or copy the pack again."
        )
    for name in ("logits", "evidence", "contributions"):
        if name in outputs and outputs[name].shape[1] != len(manifest.labels):
            raise PackRefused(
                f"The network of the pack '{manifest.name}' does not give one of '{name}' for each "
                "label. Train or copy the pack again."
            )


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
        precision=precision,
    )
    _refuse_other_answers(reader, folder)
    return reader


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

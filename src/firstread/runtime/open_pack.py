"""A pack that is open: what a read of any kind is made with, and what comes out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from firstread.domain.errors import PackRefused
from firstread.domain.read import Contribution, Finding, Read
from firstread.packs import Manifest
from firstread.runtime import calibrate
from firstread.runtime.familiarity import Neighbours
from firstread.runtime.looks import Looks
from firstread.runtime.motifs import Motifs
from firstread.runtime.unfit import unfit_label


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


@dataclass(frozen=True, kw_only=True, eq=False)
class OpenPack:
    """A pack's manifest, its network and its references. Threads may share it."""

    manifest: Manifest
    pack_sha256: str
    network: Network
    neighbours: Neighbours | None
    looks: Looks | None = None
    motifs: Motifs | None = None
    """Who knows what pictures show; None where nobody knows what this pack's own ones do."""

    @property
    def runtime(self) -> str:
        """What runs its network, such as 'onnxruntime 1.31.0 CPU x86_64'."""
        return self.network.runtime

    def run(self, batch: NDArray[Any]) -> dict[str, NDArray[np.float32]]:
        """The bare network: each output by name, N first.

        `batch` is uint8 [N, H, W, 3], float32 [N, F] or, beats of a recording, float32 [N, C, T].
        Raises PackRefused where the network does not take it.
        """
        outputs = self.network.run(batch)
        _refuse_other_shapes(outputs, manifest=self.manifest)
        return outputs

    @cached_property
    def read_of(self) -> partial[Read]:
        """Makes a read: what every read of this pack says of it, whatever its sample's kind."""
        return partial(
            Read,
            pack=self.manifest.name,
            version=self.manifest.version,
            pack_sha256=self.pack_sha256,
            runtime=self.runtime,
            calibrated=self.manifest.calibration.method != "none",
        )

    def outcome(
        self,
        sample_sha256: str,
        outputs: dict[str, NDArray[np.float32]],
        *,
        began: float,
        vector: NDArray[np.float32] | None,
        unfit: str | None = None,
        contributions: tuple[Contribution, ...] = (),
        looks: Mapping[str, float] | None = None,
        notes: tuple[str, ...] = (),
    ) -> Outcome:
        """What the network's `outputs` for one sample [1, ...] say of it.

        `vector` is what familiarity is told by, `began` when the read was, by `perf_counter`;
        `notes` says what of the file was chosen or passed over.
        """
        manifest, logits = self.manifest, outputs["logits"][0]
        chances = calibrate.probabilities(logits, temperature=manifest.calibration.temperature)
        codes, conformal = manifest.codes, manifest.conformal
        findings = tuple(
            Finding(label=codes[i], probability=chance) for i, chance in calibrate.ranked(chances)
        )
        top = findings[0]
        read = self.read_of(
            sample_sha256=sample_sha256,
            label=top.label,
            probability=top.probability,
            findings=findings,
            finding_set=()
            if conformal is None
            else calibrate.finding_set(codes, chances, conformal=conformal),
            coverage=None if conformal is None else conformal.coverage,
            familiarity=None
            if self.neighbours is None or vector is None
            else self.neighbours.familiarity(vector, looks=looks),
            alarms=calibrate.alarms(chances, manifest=manifest),
            groups=calibrate.groups_of(codes, chances, groups=manifest.groups),
            unfit=unfit or unfit_label(manifest.label(top.label)),
            contributions=contributions,
            ms=ms_since(began),
            notes=notes,
        )
        evidence, embedding = of_one(outputs, "evidence"), of_one(outputs, "embedding")
        return Outcome(read=read, logits=logits, evidence=evidence, embedding=embedding)


def of_one(outputs: dict[str, NDArray[np.float32]], name: str) -> NDArray[np.float32] | None:
    """That output of the only sample of a batch; None where the pack has no such output."""
    return outputs[name][0] if name in outputs else None


def ms_since(began: float) -> float:
    """Milliseconds since `began`, by `time.perf_counter`."""
    return round((time.perf_counter() - began) * 1000, 2)


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

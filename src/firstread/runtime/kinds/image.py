"""A picture: fitted to the network, looked at for what spoils it, shown once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from firstread.imaging.appearance import appearance
from firstread.imaging.decode import Picture
from firstread.imaging.quality import Quality, measure
from firstread.packs import Input, Manifest
from firstread.runtime.familiarity import looks_of
from firstread.runtime.kinds import KindOfRead
from firstread.runtime.open_pack import OpenPack, Outcome, ms_since, of_one
from firstread.runtime.prepare import Prepared, fitted, opened
from firstread.runtime.unfit import told_of_size, unfit_looks, unfit_quality


def _read(pack: OpenPack, data: bytes, *, sample_sha256: str, began: float) -> Outcome:
    given = _given(pack.manifest)
    picture = opened(data, given)
    prepared = fitted(picture, given)
    outputs = pack.run(prepared.pixels[np.newaxis])
    quality = measure(prepared.pixels)
    unfit, looks = _looked_at(pack, prepared, quality=quality, given=given)
    outcome = pack.outcome(
        sample_sha256,
        outputs,
        began=began,
        vector=of_one(outputs, "embedding"),
        unfit=unfit,
        looks=looks,
        notes=prepared.notes,
    )
    # What nothing is seen on shows almost nothing, whatever it might be of.
    return outcome if quality.is_empty else _with_motif(pack, outcome, picture, began=began)


def _with_motif(pack: OpenPack, outcome: Outcome, picture: Picture, *, began: float) -> Outcome:
    """The outcome with what the picture shows; a picture of something else has no fault."""
    own, read = pack.manifest.pack.motif, outcome.read
    if pack.motifs is None or own is None:
        return outcome
    motif = pack.motifs.motif(picture, own=own, doubted=not read.verdict.names_finding)
    unfit = read.unfit if motif.is_own else None
    return replace(outcome, read=replace(read, motif=motif, unfit=unfit, ms=ms_since(began)))


def _looked_at(
    pack: OpenPack, prepared: Prepared, *, quality: Quality, given: Input
) -> tuple[str | None, Mapping[str, float] | None]:
    """Why the picture is unfit, or None; and how far in looks it lies from the pack's own."""
    limits = pack.manifest.quality
    unfit = None if limits is None else unfit_quality(quality, limits=limits)
    stated = pack.manifest.appearance
    said = partial(told_of_size, size_px=prepared.size_px, given=given)
    if stated is None or pack.looks is None:
        return said(unfit), None
    row = appearance(prepared.pixels, sharpness=quality.sharpness, colour=prepared.colour)
    unfit = said(unfit or unfit_looks(pack.looks.spoiled(row)))
    return unfit, looks_of(row, pack.looks, appearance=stated)


def _given(manifest: Manifest) -> Input:
    if manifest.input is None:
        raise TypeError("a pack of kind image has [input]; its manifest was checked")
    return manifest.input


def _shape(manifest: Manifest) -> tuple[int, ...]:
    given = _given(manifest)
    return given.height_px, given.width_px, 3


KIND = KindOfRead(
    input="image",
    element=np.uint8,
    axes="NHWC",
    outputs={"logits": "NK", "embedding": "ND", "evidence": "NKhw"},
    shape=_shape,
    read=_read,
)

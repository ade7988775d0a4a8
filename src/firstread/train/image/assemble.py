"""A trained network and its pictures become a sealed pack of kind image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray
from torch import nn

from firstread.evaluation.resample import clusters_of
from firstread.packs import Manifest
from firstread.runtime.calibrate import probabilities
from firstread.runtime.session import Session
from firstread.train.image.export import export_image
from firstread.train.image.golden import image_golden
from firstread.train.image.loop import Trained
from firstread.train.image.mean_of_runs import how_it_learnt
from firstread.train.image.pixels import Pixels
from firstread.train.image.safeguards import Embedded, trusted
from firstread.train.pack.assemble import fresh, sealed
from firstread.train.pack.card import Story, room_to_learn
from firstread.train.pack.familiarity import some_places
from firstread.train.pack.figures import subgroups
from firstread.train.pack.manifest import provenance, stated
from firstread.train.pack.plots import draw
from firstread.train.recipe import Recipe

_LEARNT = 2500
"""So many training samples are enough to draw the familiarity reference from."""


@dataclass(frozen=True, kw_only=True)
class _Answers:
    """What the exported graph answers to samples of one part: their places in the source, logits
    [N, K], embeddings [N, D] and true labels [N]."""

    places: NDArray[np.int64]
    logits: NDArray[np.float32]
    embeddings: NDArray[np.float32]
    truths: NDArray[np.int64]

    @property
    def right(self) -> float:
        """The share of which the most probable label is true."""
        return float((self.logits.argmax(1) == self.truths).mean())


def image_pack(
    recipe: Recipe,
    sources: Sequence[Pixels],
    reader: nn.Module,
    *,
    out: Path,
    runs: Sequence[Trained] = (),
) -> Path:
    """Write the pack of a trained network into the folder `out`, replacing the one of that name.

    `reader` gives logits, embedding and evidence of pixels; `runs`, from which it came, are told in
    the card.
    """
    own = sources[0]
    given = own.source.input
    folder = fresh(out, recipe.name)
    apart = export_image(
        reader,
        folder / "model.onnx",
        height_px=given.height_px,
        width_px=given.width_px,
        pictures=own.images[list(own.parts.validation[:16])],
    )
    learnt, checked, tested = _answers(recipe, own, folder)
    manifest, ships = _manifests(recipe, own, learnt, checked, tested, folder=folder)
    manifest = replace(
        manifest,
        golden=image_golden(folder, check=manifest.check, labels=own.source.labels, given=given),
        provenance=provenance(recipe, [(one.dataset, one.source.licence) for one in sources]),
    )
    chances = probabilities(tested.logits, temperature=manifest.calibration.temperature)
    story = Story(
        subgroups=subgroups(
            [own.dataset.items[index] for index in own.parts.test],
            tested.logits.argmax(1) == tested.truths,
        ),
        room=room_to_learn(learnt=learnt.right, n=len(learnt.places), tested=tested.right),
        learnt=how_it_learnt(runs),
        apart=apart,
        pictures=draw(
            folder,
            manifest,
            truths=tested.truths,
            chances=chances,
            histories=[run.history for run in runs],
            kept=[run.kept_epoch for run in runs],
        ),
    )
    return sealed(
        folder,
        recipe,
        manifest,
        tested.truths,
        chances,
        of="own test part",
        n=len(tested.truths),
        clusters=clusters_of([own.dataset.items[index].patient for index in own.parts.test]),
        story=story,
        ships=ships,
    )


def _answers(recipe: Recipe, own: Pixels, folder: Path) -> tuple[_Answers, _Answers, _Answers]:
    """Those to (some of the) samples that were learnt from, to validation and to test samples."""
    session = Session(folder / "model.onnx", kind="image", threads=recipe.schedule.threads)

    def of(indices: Sequence[int]) -> _Answers:
        found = [session.run(own.images[index : index + 1]) for index in indices]
        places = np.array(indices, np.int64)
        return _Answers(
            places=places,
            logits=np.concatenate([one["logits"] for one in found]),
            embeddings=np.concatenate([one["embedding"] for one in found]),
            truths=own.targets[places],
        )

    learnt = of(some_places(np.array(own.parts.train), seed=recipe.seed, at_most=_LEARNT).tolist())
    return learnt, of(own.parts.validation), of(own.parts.test)


def _manifests(
    recipe: Recipe,
    own: Pixels,
    learnt: _Answers,
    checked: _Answers,
    tested: _Answers,
    *,
    folder: Path,
) -> tuple[Manifest, Manifest]:
    """The manifest by the validation part alone, whose results the test part gives, and the one
    that ships, by both parts."""
    logits = np.concatenate([checked.logits, tested.logits])
    truths = np.concatenate([checked.truths, tested.truths])
    ships = stated(recipe, logits, truths, measured_on="validation and test parts")
    manifest = stated(
        recipe, checked.logits, checked.truths, measured_on="validation", like=ships.conformal
    )
    manifest = trusted(
        replace(manifest, input=own.source.input),
        own,
        learnt=Embedded(places=learnt.places, embeddings=learnt.embeddings),
        kept=Embedded(
            places=np.concatenate([checked.places, tested.places]),
            embeddings=np.concatenate([checked.embeddings, tested.embeddings]),
        ),
        folder=folder,
        seed=recipe.seed,
    )
    return manifest, ships

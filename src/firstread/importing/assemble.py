"""A network from elsewhere and its plan become a sealed pack folder, whole or not at all."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from msgspec.structs import replace
from PIL import Image

from firstread.datasets import Dataset
from firstread.datasets.endings import IMAGE_ENDINGS
from firstread.domain.errors import (
    BadConfiguration,
    BadDataset,
    ModelRefused,
    PackRefused,
    UnreadableSample,
)
from firstread.importing.card import write_import_card
from firstread.importing.fit import fit
from firstread.importing.plan import Plan
from firstread.importing.written_network import Made
from firstread.packs import (
    About,
    Calibration,
    Golden,
    Manifest,
    MeasurementsModel,
    Provenance,
    pack_sha256,
    seal,
    verify,
    write_manifest,
)
from firstread.packs.place import put_in_place as replaced
from firstread.packs.place import written_alone
from firstread.runtime import open_reader
from firstread.runtime.prepare import pixels_of
from firstread.runtime.session import Session
from firstread.train.image.golden import image_golden
from firstread.train.measurements.golden import row_golden
from firstread.train.pack.golden import FOLDER

GIVEN = 4
"""How many golden samples are taken from a folder that is given."""
_SOFTWARE = ("firstread", "onnx", "onnxruntime", "numpy")


@dataclass(frozen=True, kw_only=True)
class Imported:
    """The pack folder, and what whoever imported it should know."""

    folder: Path
    says: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Where the pack is written and what else there is to make it of."""

    out: Path
    samples: Path | None = None
    """Pictures that become golden samples; None: synthetic ones."""
    labelled: Dataset | None = None
    replace: bool = False
    """A pack of that name that stands there is replaced."""
    step: Callable[[], None] = lambda: None


def make_pack(
    plan: Plan,
    *,
    write: Callable[[Path], Made],
    file: str,
    file_sha256: str,
    wanted: Wanted,
) -> Imported:
    """Write the pack of `plan` into `wanted.out`; `write` puts its network into the folder.

    Raises what `write` raises, BadConfiguration where a pack of that name stands there already,
    and BadDataset where samples that are given cannot be used.
    """
    refuse_other_file(plan, file_sha256)
    with fresh(wanted, plan.name) as folder:
        made = write(folder / "model.onnx")
        draft = _draft(plan, made, file=file, file_sha256=file_sha256)
        draft = replace(draft, golden=_golden(folder, plan, draft, samples=wanted.samples))
        says: tuple[str, ...] = ()
        if wanted.labelled is not None:
            write_manifest(draft, folder)
            (folder / "card.md").write_text("A draft.\n", encoding="utf-8")
            seal(folder)
            found = fit(
                draft,
                open_reader(folder),
                wanted.labelled,
                folder=folder,
                sensitivities=plan.sensitivities,
                step=wanted.step,
            )
            draft, says = found.manifest, found.says
        write_manifest(draft, folder)
        write_import_card(
            folder,
            draft,
            words=plan.words,
            pixels=None if made.input is None else plan.pixels,
            missing=made.missing,
            says=(*plan.told, *says),
        )
        seal(folder)
        open_reader(folder)  # as everybody will open it: checksums, manifest, golden samples
        place = put_in_place(folder, wanted, name=plan.name)
    return Imported(folder=place, says=(*plan.told, *says, *_notes(draft, made)))


def refuse_other_file(plan: Plan, file_sha256: str) -> None:
    """Raises ModelRefused where the recipe is for another file than this one."""
    if plan.file_sha256 not in (None, file_sha256):
        raise ModelRefused(
            f"{plan.recipe} is for another file: its SHA-256 begins with "
            f"{str(plan.file_sha256)[:12]}, and this one's with {file_sha256[:12]}. Get that file, "
            "or take the hash out of a copy of the recipe."
        )


@contextmanager
def fresh(wanted: Wanted, name: str) -> Iterator[Path]:
    """An empty folder beside the packs, gone afterwards; refuses where the name is taken."""
    _refuse_taken(wanted, name)
    with written_alone(wanted.out, name) as folder:
        yield folder


def _refuse_taken(wanted: Wanted, name: str) -> None:
    place = wanted.out / name
    if place.exists() and not wanted.replace:
        raise BadConfiguration(
            f"There is a pack '{name}' in {wanted.out} already. Say --replace to put this one in "
            "its place, or --name for another name."
        )


def put_in_place(folder: Path, wanted: Wanted, *, name: str) -> Path:
    """The sealed folder becomes the pack of that name; the one before it goes."""
    place = wanted.out / name
    if place.exists():
        if pack_sha256_or_none(place) == pack_sha256(folder):
            return place
        _refuse_taken(wanted, name)
    return replaced(folder, place)


def pack_sha256_or_none(place: Path) -> str | None:
    """The hash of the pack that stands there, None where no whole one does."""
    try:
        verify(place)
    except PackRefused:
        return None
    return pack_sha256(place)


def _draft(plan: Plan, made: Made, *, file: str, file_sha256: str) -> Manifest:
    software = {}
    for name in _SOFTWARE:
        try:
            software[name] = version(name)
        except PackageNotFoundError:
            continue
    return Manifest(
        format=1,
        pack=About(
            name=plan.name,
            version=plan.version,
            check=plan.check,
            kind="image" if made.input is not None else "measurements",
            title=plan.title,
            licence=plan.licence,
            intended_use=plan.intended_use,
            limits=plan.limits,
            many=plan.many,
            one=plan.one,
            readers=plan.readers,
            motif=plan.motif,
        ),
        input=made.input,
        measurements=made.measurements,
        measurements_model=None if made.bias is None else MeasurementsModel(bias=made.bias),
        labels=plan.labels,
        calibration=Calibration(method="none", temperature=1.0),
        provenance=Provenance(
            datasets=(),
            recipe=plan.recipe,
            seed=0,
            trained_at=dt.datetime.now(dt.UTC).date().isoformat(),
            software=software,
            model_file=file,
            model_sha256=file_sha256,
        ),
        golden=(),
    )


def _golden(
    folder: Path, plan: Plan, draft: Manifest, *, samples: Path | None
) -> tuple[Golden, ...]:
    if draft.input is None:
        if samples is not None:
            raise BadConfiguration(
                "The golden samples of a model of measurements are synthetic. Leave --samples out."
            )
        return row_golden(
            folder, check=plan.check, labels=plan.codes[:GIVEN], measurements=draft.measurements
        )
    if samples is None:
        return image_golden(folder, check=plan.check, labels=plan.codes, given=draft.input)
    found = sorted(path for path in samples.rglob("*") if path.suffix.lower() in IMAGE_ENDINGS)
    session = Session(folder / "model.onnx", kind="image")
    (folder / FOLDER).mkdir(exist_ok=True)
    golden = []
    for number, path in enumerate(found[:GIVEN], start=1):
        try:
            pixels = pixels_of(path.read_bytes(), draft.input)
        except UnreadableSample as error:
            raise BadDataset(f"{path.name} cannot be a golden sample: {error}") from None
        # As prepared pixels, so that nothing beside them comes along: no name, no place, no date.
        name = f"{FOLDER}/given-{number:02d}.png"
        kept = io.BytesIO()
        Image.fromarray(pixels).save(kept, "PNG")
        (folder / name).write_bytes(kept.getvalue())
        logits = session.run(pixels[np.newaxis])["logits"][0]
        golden.append(Golden(sample=name, logits=tuple(round(float(n), 6) for n in logits)))
    if not golden:
        raise BadDataset(
            f"The folder {samples.name} holds no pictures for golden samples. Name one that does, "
            "or leave --samples out."
        )
    return tuple(golden)


def _notes(manifest: Manifest, made: Made) -> tuple[str, ...]:
    notes = []
    if made.missing:
        notes.append(f"What it lacks: {made.missing}.")
    if not manifest.results:
        notes.append(
            "Nothing is known of how well it reads: it was given no labelled samples (--calibrate)."
        )
    elif manifest.calibration.method == "none":
        notes.append("Its probabilities are not calibrated.")
    return tuple(notes)


def sha256_of(data: bytes) -> str:
    """The hash of a file's bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()

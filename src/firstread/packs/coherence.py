"""What two keys of a `pack.toml` must say together, and the limits that a type cannot hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from firstread.domain.errors import PackRefused
from firstread.packs.manifest import (
    About,
    Appearance,
    FamiliarityReference,
    Input,
    Manifest,
    Twin,
)

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_CODE = re.compile(r"[A-Za-z0-9]+([_-][A-Za-z0-9]+)*")
_VERSION = re.compile(r"\d+\.\d+\.\d+([-+][0-9A-Za-z.-]+)?")
_ONE = re.compile(r"[a-z]+( [a-z]+)*")
_LONGEST_ONE = 24
_MAX_SIDE_PX = 4096


def refuse_incoherent(manifest: Manifest) -> None:
    """Raises PackRefused with the first contradiction, where there is one."""
    for problem in _problems(manifest):
        raise PackRefused(f"In pack.toml {problem}. Train or copy the pack again.")


def is_inside(name: str) -> bool:
    """Whether a name in pack.toml stays inside the pack folder.

    >>> is_inside("golden/01.png"), is_inside("../model.onnx"), is_inside("/etc/passwd")
    (True, False, False)
    """
    path = PurePosixPath(name)
    plain = re.fullmatch(r"[\w .+/-]+", name, flags=re.ASCII) is not None
    return plain and not path.is_absolute() and path.parts != () and ".." not in path.parts


def _problems(manifest: Manifest) -> Iterator[str]:
    about = manifest.pack
    if manifest.format < 1:
        yield f"'format' must be 1 or more, not {manifest.format}"
    for key, text in (("pack.name", about.name), ("pack.check", about.check)):
        if not _NAME.fullmatch(text):
            yield f"'{key}' must be small letters, digits and hyphens, not {text!r}"
    if not _VERSION.fullmatch(about.version):
        yield f"'pack.version' must look like 1.0.0, not {about.version!r}"
    yield from _one_problems(about)
    yield from _label_problems(manifest)
    yield from _group_problems(manifest)
    yield from _threshold_problems(manifest)
    if about.kind == "image":
        yield from _image_problems(manifest.input)
    elif about.kind == "recording":
        yield from _recording_problems(manifest)
    else:
        yield from _measurement_problems(manifest)
    if manifest.familiarity is not None:
        yield from _familiarity_problems(manifest.familiarity, count=len(manifest.measurements))
    if manifest.appearance is not None:
        yield from _appearance_problems(manifest.appearance, kind=about.kind)
    yield from _golden_problems(manifest)
    if manifest.twin is not None:
        yield from _twin_problems(manifest.twin, count=len(manifest.labels))


def _one_problems(about: About) -> Iterator[str]:
    if len(about.one) > _LONGEST_ONE or not _ONE.fullmatch(about.one):
        yield (
            f"'pack.one' must be what one sample is called, small letters and spaces, at most "
            f"{_LONGEST_ONE}, not {about.one[: 2 * _LONGEST_ONE]!r}"
        )
    if about.kind != "image" and about.one != "picture":
        yield "'pack.one' belongs to packs of kind image"


def _twin_problems(twin: Twin, *, count: int) -> Iterator[str]:
    if not is_inside(twin.network) or twin.network == "model.onnx":
        yield f"'twin.network' must be a file of its own in the pack folder, not {twin.network!r}"
    if twin.times_as_fast <= 0:
        yield "'twin.times_as_fast' must be greater than 0"
    if not twin.golden:
        yield "'twin.golden' is missing: without golden samples no machine can check its answers"
    for golden in twin.golden:
        if not is_inside(golden.sample):
            yield f"'twin.golden.sample' leaves the pack folder: {golden.sample!r}"
        if len(golden.logits) != count:
            yield f"golden sample {golden.sample!r} of the twin must have one logit for each label"


def _golden_problems(manifest: Manifest) -> Iterator[str]:
    if not manifest.golden:
        yield "'golden' is missing: without golden samples no machine can check its answers"
    for golden in manifest.golden:
        if not is_inside(golden.sample):
            yield f"'golden.sample' leaves the pack folder: {golden.sample!r}"
        if len(golden.logits) != len(manifest.labels):
            yield f"golden sample {golden.sample!r} must have one logit for each label"


def _label_problems(manifest: Manifest) -> Iterator[str]:
    if len(manifest.labels) < 2:
        yield "there must be two labels or more"
    yield from _repeated("label.code", (each.code for each in manifest.labels))
    yield from _repeated("operating_point.label", (e.label for e in manifest.operating_points))
    known = {each.code for each in manifest.answers}
    for point in manifest.operating_points:
        if point.label not in known:
            yield f"'operating_point.label' names {point.label!r}, which is no label or group"


def _group_problems(manifest: Manifest) -> Iterator[str]:
    yield from _repeated("group.code", (each.code for each in manifest.groups))
    for group in manifest.groups:
        if group.code in manifest.codes:
            yield f"'group.code' has {group.code!r}, which is a label's code already"
        for code in group.labels:
            if code not in manifest.codes:
                yield f"group {group.code!r} names {code!r}, which is no label of the pack"
        yield from _repeated(f"group.{group.code}.labels", group.labels)
        if not 2 <= len(group.labels) < len(manifest.codes):
            yield f"group {group.code!r} must name two labels or more, and not all of them"


def _threshold_problems(manifest: Manifest) -> Iterator[str]:
    shares = [
        (f"operating_point.{key}", getattr(point, key))
        for point in manifest.operating_points
        for key in ("threshold", "sensitivity", "specificity")
    ]
    if manifest.conformal is not None:
        shares.append(("conformal.coverage", manifest.conformal.coverage))
        shares.append(("conformal.threshold", manifest.conformal.threshold))
    for key, share in shares:
        if not 0.0 <= share <= 1.0:
            yield f"'{key}' must lie between 0 and 1, not {share:g}"
    if manifest.calibration.temperature <= 0:
        yield "'calibration.temperature' must be greater than 0"
    if manifest.calibration.method == "none" and manifest.calibration.temperature != 1:
        yield "'calibration.temperature' must be 1 where the method is none"


def _image_problems(given: Input | None) -> Iterator[str]:
    if given is None:
        yield "'input' is missing, and a pack of kind image needs it"
    elif not (0 < given.width_px <= _MAX_SIDE_PX and 0 < given.height_px <= _MAX_SIDE_PX):
        yield f"'input' must be 1 to {_MAX_SIDE_PX} pixels wide and high"


def _recording_problems(manifest: Manifest) -> Iterator[str]:
    if manifest.input is not None or manifest.quality is not None:
        yield "'input' and 'quality' belong to packs of kind image"
    given = manifest.recording
    if given is None:
        yield "'recording' is missing, and a pack of kind recording needs it"
        return
    bounds: tuple[tuple[str, float, float], ...] = (
        ("leads", 1, 12),
        ("rate_hz", 50, 1000),
        ("before_s", 0.05, 10),
        ("after_s", 0.05, 10),
        ("beats_around", 0, 64),
        ("alarm_beats", 1, 1000),
        ("min_length_s", 1, 3600),
    )
    for key, low, high in bounds:
        if not low <= getattr(given, key) <= high:
            yield f"'recording.{key}' must lie between {low:g} and {high:g}"


def _measurement_problems(manifest: Manifest) -> Iterator[str]:
    if manifest.input is not None or manifest.quality is not None:
        yield "'input' and 'quality' belong to packs of kind image"
    if manifest.recording is not None:
        yield "'recording' belongs to packs of kind recording"
    if not manifest.measurements:
        yield "'measurement' is missing, and a pack of kind measurements needs it"
    yield from _repeated("measurement.code", (each.code for each in manifest.measurements))
    for each in manifest.measurements:
        if each.minimum >= each.maximum:
            yield f"measurement {each.code!r} has a minimum that is not below its maximum"
    model = manifest.measurements_model
    if model is not None and len(model.bias) != len(manifest.labels):
        yield "'measurements_model.bias' must have one number for each label"


def _familiarity_problems(familiarity: FamiliarityReference, *, count: int) -> Iterator[str]:
    if not is_inside(familiarity.reference):
        yield f"'familiarity.reference' leaves the pack folder: {familiarity.reference!r}"
    if familiarity.k < 1:
        yield "'familiarity.k' must be 1 or more"
    quantiles = familiarity.quantiles
    if len(quantiles) != 101 or list(quantiles) != sorted(quantiles):
        yield "'familiarity.quantiles' must be 101 ascending numbers"
    if familiarity.on == "measurements":
        if len(familiarity.centre) != count or len(familiarity.scale) != count or count == 0:
            yield "'familiarity.centre' and '.scale' must have one number for each measurement"
        elif min(familiarity.scale) <= 0:
            yield "'familiarity.scale' must be greater than 0"


def _appearance_problems(stated: Appearance, *, kind: str) -> Iterator[str]:
    if kind != "image":
        yield "'appearance' belongs to packs of kind image"
    if not is_inside(stated.reference):
        yield f"'appearance.reference' leaves the pack folder: {stated.reference!r}"
    if min(stated.usual, stated.usual_neighbours) <= 0:
        yield "'appearance.usual' and '.usual_neighbours' must be greater than 0"
    yield from _repeated("appearance.spoiling.kind", (each.kind for each in stated.spoiling))
    for each in stated.spoiling:
        if each.limit <= each.typical:
            yield f"the spoiling {each.kind!r} has a limit that is not above what is typical"


def _repeated(key: str, codes: Iterable[str]) -> Iterator[str]:
    seen: set[str] = set()
    for code in codes:
        if not _CODE.fullmatch(code):
            yield f"'{key}' must be letters, digits, hyphens and underscores, not {code!r}"
        if code in seen:
            yield f"'{key}' has {code!r} twice"
        seen.add(code)

"""What two keys of a `pack.toml` must say together, which no type can hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from firstread.domain.errors import PackRefused
from firstread.packs.codes import repeated
from firstread.packs.kinds import KINDS
from firstread.packs.manifest import Appearance, FamiliarityReference, Manifest


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
    if manifest.kind not in KINDS:
        yield f"'pack.kind' must be one of {', '.join(KINDS)}, not {manifest.kind[:40]!r}"
    kind = KINDS[manifest.kind]
    if manifest.takes is not None and kind.takes is None:
        yield f"'takes' belongs to packs of other kinds than {manifest.kind}"
    yield from kind.problems(manifest)
    yield from _label_problems(manifest)
    yield from _group_problems(manifest)
    if manifest.calibration.method == "none" and manifest.calibration.temperature != 1:
        yield "'calibration.temperature' must be 1 where the method is none"
    if manifest.familiarity is not None:
        yield from _familiarity_problems(manifest.familiarity, count=len(manifest.measurements))
    if manifest.appearance is not None:
        yield from _appearance_problems(manifest.appearance)
    yield from _golden_problems(manifest)
    yield from (
        f"'{key}' leaves the pack folder: {name!r}"
        for key, name in _files(manifest)
        if not is_inside(name)
    )


def _files(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """The files of the pack that the manifest names, by their keys."""
    yield from (("golden.sample", each.sample) for each in manifest.golden)
    if manifest.familiarity is not None:
        yield "familiarity.reference", manifest.familiarity.reference
    if manifest.appearance is not None:
        yield "appearance.reference", manifest.appearance.reference
    if manifest.twin is not None:
        yield "twin.network", manifest.twin.network
        yield from (("twin.golden.sample", each.sample) for each in manifest.twin.golden)


def _golden_problems(manifest: Manifest) -> Iterator[str]:
    count = len(manifest.labels)
    for golden in manifest.golden:
        if len(golden.logits) != count:
            yield f"golden sample {golden.sample!r} must have one logit for each label"
    if manifest.twin is None:
        return
    if manifest.twin.network == "model.onnx":
        yield "'twin.network' must be a file of its own in the pack folder"
    for golden in manifest.twin.golden:
        if len(golden.logits) != count:
            yield f"golden sample {golden.sample!r} of the twin must have one logit for each label"


def _label_problems(manifest: Manifest) -> Iterator[str]:
    yield from repeated("label.code", manifest.codes)
    yield from repeated("operating_point.label", (e.label for e in manifest.operating_points))
    known = {each.code for each in manifest.answers}
    for point in manifest.operating_points:
        if point.label not in known:
            yield f"'operating_point.label' names {point.label!r}, which is no label or group"


def _group_problems(manifest: Manifest) -> Iterator[str]:
    yield from repeated("group.code", (each.code for each in manifest.groups))
    for group in manifest.groups:
        if group.code in manifest.codes:
            yield f"'group.code' has {group.code!r}, which is a label's code already"
        for code in group.labels:
            if code not in manifest.codes:
                yield f"group {group.code!r} names {code!r}, which is no label of the pack"
        yield from repeated(f"group.{group.code}.labels", group.labels)
        if not 2 <= len(group.labels) < len(manifest.codes):
            yield f"group {group.code!r} must name two labels or more, and not all of them"


def _familiarity_problems(familiarity: FamiliarityReference, *, count: int) -> Iterator[str]:
    quantiles = familiarity.quantiles
    if len(quantiles) != 101 or list(quantiles) != sorted(quantiles):
        yield "'familiarity.quantiles' must be 101 ascending numbers"
    if familiarity.on == "measurements":
        if len(familiarity.centre) != count or len(familiarity.scale) != count or count == 0:
            yield "'familiarity.centre' and '.scale' must have one number for each measurement"
        elif min(familiarity.scale) <= 0:
            yield "'familiarity.scale' must be greater than 0"


def _appearance_problems(stated: Appearance) -> Iterator[str]:
    yield from repeated("appearance.spoiling.kind", (each.kind for each in stated.spoiling))
    for each in stated.spoiling:
        if each.limit <= each.typical:
            yield f"the spoiling {each.kind!r} has a limit that is not above what is typical"

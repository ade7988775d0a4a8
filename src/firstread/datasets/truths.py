"""Where people write what samples truly show: in a table beside them, in folders, in names."""

# Paths are compared as they were written, and links as they are.
# ruff: noqa: PTH100, PTH119, PTH120, PTH121, PTH122
from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePath
from typing import Protocol

from firstread.datasets.endings import IMAGE_ENDINGS, LABELS_FILES
from firstread.datasets.labels_csv import LabelsTable, open_labels
from firstread.datasets.truth import UNKNOWN, KnownLabels, Truth
from firstread.domain.errors import BadDataset

RULES = ("auto", "names", "folders", "none")


class _Source(Protocol):
    """One place where truths stand."""

    title: str

    def find(self, path: str, *, root: str) -> Truth | None: ...


class Truths:
    """The truth of each sample; `counts` says how many were found where, `notes` what is wrong.

    A sample is named by its path and by the folder that was named for it, '' for a file itself.
    """

    def __init__(self, sources: Sequence[_Source]) -> None:
        self._sources = sources
        self.counts: Counter[str] = Counter()

    def of(self, path: str, *, root: str = "") -> Truth | None:
        """What the sample truly shows, from the first place that says; None where none does."""
        for source in self._sources:
            truth = source.find(path, root=root)
            if truth is UNKNOWN:
                return None
            if truth is not None:
                self.counts[source.title] += 1
                return truth
        return None

    @property
    def notes(self) -> list[str]:
        """When all is read: a sentence for each thing that a table has wrong."""
        return [
            note for source in self._sources if isinstance(source, _Tables) for note in source.notes
        ]

    def is_labels_file(self, path: str) -> bool:
        """Whether the file is one of the tables that truths are taken from, and so no sample."""
        return any(isinstance(source, _Tables) and source.has(path) for source in self._sources)


def find_truths(
    files: Iterable[tuple[str, str]], *, rule: str, known: KnownLabels, images: bool = True
) -> Truths:
    """Where the truths of `files` stand; each of them is a path and the folder named for it.

    `rule` is 'auto', 'names', 'folders', 'none', or the path of a table with the columns path and
    label. By 'auto' a `labels.csv` in the sample's folder, in one above it as far as the named
    one, or beside that comes first; then the nearest folder whose name is a label; then names of
    images that all end in _1 or _0. Raises BadDataset where a table cannot be used.

    >>> known = KnownLabels(["sick", "well"], positive=["sick"])
    >>> files = [("all/Im001_1.jpg", "all"), ("all/Im002_0.jpg", "all"), ("well/a.png", "well")]
    >>> truths = find_truths(files, rule="auto", known=known)
    >>> [str(truths.of(path, root=root)) for path, root in files]
    ['positive', 'negative', 'well']
    """
    if rule == "none":
        return Truths([])
    if rule == "folders":
        return Truths([_Folders(known)])
    if rule == "names":
        return Truths([_Names(known)])
    if rule == "auto":
        ends = [_Ends(known, folders=_told_by_ends(files))] if images and known.positive else []
        return Truths([_Tables(known), _Folders(known), *ends])
    table = open_labels(Path(rule), known=known.truth)
    if table is None:
        raise BadDataset(
            f"{Path(rule).name} does not say which labels its samples have. Its first line must "
            "name the columns path and label."
        )
    if table.unknown:
        line, label = table.unknown[0]
        raise BadDataset(
            f"{table.name}, line {line}, has the label '{label[:60]}', which the pack does not "
            f"know. It knows: {known}. Correct the label, or name another pack."
        )
    return Truths([_Tables(known, only=table, at=rule)])


class _Tables:
    title = LABELS_FILES[0]

    def __init__(
        self, known: KnownLabels, *, only: LabelsTable | None = None, at: str = ""
    ) -> None:
        self._known = known
        self._only = only
        self._at = at
        self._by_folder: dict[str, LabelsTable | None] = {}
        self._whole: set[str] = set()
        if only is not None:
            self.title = only.name

    @property
    def notes(self) -> Iterator[str]:
        """A sentence for each table with labels nobody knows, or samples that are not there."""
        if self._only is not None:
            yield from self._only.told
        for folder, table in self._by_folder.items():
            if table is None:
                continue
            yield from table.told
            if table.unknown:
                yield _unknown_note(table)
            if folder in self._whole and (absent := table.absent):
                yield (
                    f"{table.name} names samples that were not read, {len(absent)} of "
                    f"{len(table.entries)}: the first is '{absent[0][:200]}'."
                )

    def has(self, path: str) -> bool:
        folder, name = os.path.split(path)
        if self._only is not None:
            return name == Path(self._at).name and _same(path, self._at)
        if name not in LABELS_FILES or self._in(folder) is None:
            return False
        self._whole.add(folder)
        return True

    def find(self, path: str, *, root: str) -> Truth | None:
        if self._only is not None:
            beside = os.path.relpath(path, os.path.dirname(self._at) or ".")
            below = _below(path, root or os.path.dirname(path))
            return self._only.first(beside, below, path, os.path.basename(path))
        root = root.rstrip("/") or root
        last = os.path.dirname(root or path)
        folder = os.path.dirname(path)
        while True:
            table = self._in(folder)
            truth = table.first(_below(path, folder)) if table else None
            above = os.path.dirname(folder)
            if truth is not None or folder in (last, above):
                return truth
            folder = above

    def _in(self, folder: str) -> LabelsTable | None:
        if folder not in self._by_folder:
            named = [Path(folder) / name for name in LABELS_FILES]
            file = next((each for each in named if each.is_file()), None)
            self._by_folder[folder] = (
                None if file is None else open_labels(file, known=self._known.truth)
            )
        return self._by_folder[folder]


class _Folders:
    title = "the names of folders"

    def __init__(self, known: KnownLabels) -> None:
        self._known = known
        self._by_folder: dict[tuple[str, str], Truth | None] = {}

    def find(self, path: str, *, root: str) -> Truth | None:
        key = (os.path.dirname(path), root)
        if key not in self._by_folder:
            self._by_folder[key] = self._nearest(*key)
        return self._by_folder[key]

    def _nearest(self, folder: str, root: str) -> Truth | None:
        """Of the folders from the sample's own up to the named one, the first that is a label."""
        named = PurePath(os.path.abspath(root)) if root else None
        own = PurePath(os.path.abspath(folder))
        for each in (own, *own.parents):
            truth = self._known.truth(each.name)
            if truth is not None and truth.label is not None:
                return truth
            if each == named or named is None:
                break
        return None


class _Ends:
    title = "the names, _1 positive and _0 negative"

    def __init__(self, known: KnownLabels, *, folders: frozenset[str]) -> None:
        self._known = known
        self._folders = folders

    def find(self, path: str, *, root: str) -> Truth | None:  # noqa: ARG002  as every source
        folder, name = os.path.split(path)
        end = _end_of(name)
        return self._known.side(positive=end[1]) if end and folder in self._folders else None


class _Names:
    title = "the names"

    def __init__(self, known: KnownLabels) -> None:
        self._known = known
        longest_first = sorted(known.codes, key=len, reverse=True)
        words = "|".join(map(re.escape, longest_first))
        self._words = re.compile(rf"(?<![^\W_])(?:{words})(?![^\W_])", re.IGNORECASE)

    def find(self, path: str, *, root: str) -> Truth | None:  # noqa: ARG002  as every source
        name = os.path.basename(path)
        labels = {self._known.truth(word) for word in self._words.findall(PurePath(name).stem)}
        if len(labels) == 1:
            return labels.pop()
        end = _end_of(name) if not labels else None
        return self._known.side(positive=end[1]) if end else None


def _end_of(name: str) -> tuple[str, bool] | None:
    """What stands before _1 or _0 at the end of a name, and whether it was _1."""
    stem, _ = os.path.splitext(name)
    return (stem[:-2], stem[-1] == "1") if stem[-2:] in ("_0", "_1") else None


def _told_by_ends(files: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Folders in which the names of all images end in _1 or _0, and none of them with both.

    scan_0, scan_1 is a series with numbers, and no word about what the samples show.
    """
    seen: dict[str, set[str] | None] = {}
    for path, _ in files:
        folder, name = os.path.split(path)
        if os.path.splitext(name)[1].lower() not in IMAGE_ENDINGS:
            continue
        before = seen.setdefault(folder, set())
        end = _end_of(name)
        if before is None or end is None or end[0] in before:
            seen[folder] = None
        else:
            before.add(end[0])
    return frozenset(folder for folder, names in seen.items() if names is not None)


def _below(path: str, folder: str) -> str:
    inside = path[len(folder) :] if folder and path.startswith(folder) else path
    return inside.lstrip("/")


def _same(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


def _unknown_note(table: LabelsTable) -> str:
    line, label = table.unknown[0]
    lines = "a label" if len(table.unknown) == 1 else f"{len(table.unknown)} labels"
    return (
        f"{table.name} has {lines} that the pack does not know, the first on line {line}: "
        f"'{label[:60]}'. Samples with such a label are not counted."
    )

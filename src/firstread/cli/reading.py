"""What `classify` and `client` have in common: samples are read one by one, shown and counted."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from firstread.cli.kinds import KINDS, RowsOf
from firstread.cli.print_answers import (
    answer_as_json,
    answer_as_line,
    summary_as_json,
    summary_as_text,
)
from firstread.cli.running import progress, stop_waits
from firstread.cli.samples import ToRead, files_of, sample_of
from firstread.domain.errors import (
    BadConfiguration,
    BadDataset,
    BadMeasurement,
    FirstreadError,
    NotAllowed,
    UnknownPack,
    Unreachable,
    UnreadableSample,
)
from firstread.domain.foremost import listed
from firstread.domain.left_out import why_not_found

if TYPE_CHECKING:
    from firstread.cli.answers_file import KeptAnswers
    from firstread.datasets.truth import KnownLabels, Truth
    from firstread.datasets.truths import Truths
    from firstread.evaluation.tally import Positive
    from firstread.tables.columns import Measured

_ALIGNED_UP_TO = 60
_FEW = 10
_OWN_COLUMN = "the table's own column"
_NO_SAMPLES_FAULT = (Unreachable, NotAllowed, UnknownPack, BadConfiguration)
"""After these no other sample would fare better."""

Sample = bytes | Mapping[str, Any]
"""A file's bytes, or one row of measurements by their codes."""
ReadSample = Callable[[Sample], dict[str, Any]]
_Command = TypeVar("_Command", bound=Callable[..., Any])


@dataclass(frozen=True, kw_only=True)
class PackFacts:
    """What must be known of the pack that reads, here or on a server."""

    name: str
    version: str
    sha256: str
    codes: tuple[str, ...]
    positive: tuple[str, ...]
    """The labels and groups that the pack holds positive."""
    groups: Mapping[str, tuple[str, ...]]
    """The labels of each group."""
    kind: str
    measurements: tuple[Measured, ...]
    """Empty for a pack that reads none."""

    @property
    def rows_of(self) -> RowsOf | None:
        """The samples in files that may hold many; None where each file is one."""
        return KINDS[self.kind].rows_of


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """How the person wants the answers."""

    as_json: bool
    labels: str
    positive: tuple[str, ...]
    out: Path | None


def answer_options(command: _Command) -> _Command:
    """The options that `classify` and `client` share; `wanted_of` takes them from the command."""
    options = (
        click.option("--json", "as_json", is_flag=True, help="One JSON object a line."),
        click.option(
            "--labels",
            default="auto",
            show_default=True,
            metavar="FILE|auto|names|folders|none",
            help="Where it stands what the samples truly show: a CSV with path and label, ...",
        ),
        click.option(
            "--positive", default="", help="The labels that count as positive, with commas."
        ),
        click.option(
            "--out",
            type=click.Path(path_type=Path, dir_okay=False),
            help="Keep each answer in this file; run again, what is in it is not read again.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def wanted_of(*, as_json: bool, labels: str, positive: str, out: Path | None) -> Wanted:
    """The shared options in one value."""
    named = tuple(each.strip() for each in positive.split(",") if each.strip())
    return Wanted(as_json=as_json, labels=labels, positive=named, out=out)


def read_paths(
    paths: Sequence[str], *, pack: PackFacts, read: ReadSample, at_once: int, wanted: Wanted
) -> int:
    """Read what the paths name, show each answer and the figures; returns how many failed."""
    from firstread.datasets.truth import KnownLabels
    from firstread.datasets.truths import find_truths

    positive = _positive(wanted, pack=pack)
    known = KnownLabels(pack.codes, positive=positive.labels)
    files = list(files_of(paths))
    truths = find_truths(
        ((file.path, file.root) for file in files),
        rule=wanted.labels,
        known=known,
        images=pack.rows_of is None,
    )
    files = _without_tables(files, truths=truths, out=wanted.out)
    samples = _Samples(files, pack=pack, truths=truths, known=known, rule=wanted.labels)
    with ExitStack() as stack:
        kept = None
        if wanted.out is not None:
            from firstread.cli.answers_file import KeptAnswers

            kept = stack.enter_context(
                KeptAnswers(wanted.out, pack=f"{pack.name} {pack.version}", pack_sha256=pack.sha256)
            )
        run = _Run(samples, positive=positive, kept=kept, wanted=wanted)
        return run.go(read, at_once=at_once)


class _Samples:
    """What is to be read, in its order, each with what it truly shows where that is known."""

    def __init__(
        self,
        files: Sequence[ToRead],
        *,
        pack: PackFacts,
        truths: Truths,
        known: KnownLabels,
        rule: str,
    ) -> None:
        self.files = files
        self.truths = truths
        self.counts = truths.counts
        self.width = min(max((len(file.path) for file in files), default=0), _ALIGNED_UP_TO)
        self._pack = pack
        self._known = known
        self._by_column = rule == "auto"
        self.unknown_labels: Counter[str] = Counter()
        self._of_files = [] if pack.rows_of else [self._truth(file) for file in files]
        self.labelled = any(truth is not None for truth in self._of_files)
        if rule not in ("auto", "none") and not (self.labelled or pack.rows_of):
            raise BadDataset(
                f"--labels {rule} says of none of the {len(files)} samples what it shows. Paths "
                "in a CSV begin where the CSV lies, or in the folder that is read; or say "
                "--labels none."
            )

    @property
    def total(self) -> int | None:
        return None if self._pack.rows_of else len(self.files)

    def __iter__(self) -> Iterator[tuple[ToRead, Truth | None]]:
        rows_of = self._pack.rows_of
        if rows_of is None:
            yield from zip(self.files, self._of_files, strict=True)
            return
        for row in rows_of(self.files, self._pack):
            yield row, self._truth(row)

    def _truth(self, asked: ToRead) -> Truth | None:
        if asked.label and self._by_column:
            from firstread.datasets.forms.measurements import CLASS_CODES

            word = asked.label
            truth = self._known.truth(CLASS_CODES.get(word, word)) or self._known.truth(word)
            if truth is not None:
                self.counts[_OWN_COLUMN] += 1
                return truth
            self.unknown_labels[asked.label] += 1
        return self.truths.of(asked.path, root=asked.root)

    @property
    def notes(self) -> list[str]:
        notes = self.truths.notes
        if self.unknown_labels:
            label, _ = self.unknown_labels.most_common(1)[0]
            notes.append(
                f"{self.unknown_labels.total()} rows have a label that the pack does not know, "
                f"such as '{label[:60]}'. They are not counted."
            )
        return notes


class _Run:
    """One run over all samples: each is read or found among the kept answers, shown and counted."""

    def __init__(
        self,
        samples: _Samples,
        *,
        positive: Positive,
        kept: KeptAnswers | None,
        wanted: Wanted,
    ) -> None:
        from firstread.evaluation.tally import Tally

        self._samples = samples
        self._kept = kept
        self._wanted = wanted
        self._tally = Tally(positive)
        self._done = self._failed = 0
        self._doubtful: Counter[str] = Counter()

    def go(self, read: ReadSample, *, at_once: int) -> int:
        from firstread.runtime.batch import read_all

        samples = self._samples
        several = len(samples.files) > 1 or samples.total is None
        both = sys.stdout.isatty()
        watched = sys.stderr.isatty() and len(samples.files) > (_FEW if both else 1)
        try:
            with progress("Reading", total=samples.total, shown=watched, beside_lines=both) as step:
                for truth, answer, sha256 in read_all(
                    samples,
                    lambda sample: self._answered(*sample, read=read),
                    threads=at_once if several else 1,
                ):
                    with stop_waits():
                        self._count(answer, sha256=sha256)
                    step.say(self._shown(truth, answer))
                    step()
        except KeyboardInterrupt:
            click.echo(f"\nfirstread: Stopped. {self._how_far()}", err=True)
            raise
        except Unreachable as error:
            raise Unreachable(f"{error} {self._how_far()}") from None
        self._conclude()
        return self._failed

    def _answered(
        self, asked: ToRead, truth: Truth | None, *, read: ReadSample
    ) -> tuple[Truth | None, dict[str, Any], str | None]:
        """The answer, and under which hash it is to be kept; None where it is not."""
        place: dict[str, Any] = {"path": asked.path}
        if asked.line is not None:
            place["line"] = asked.line
        sha256 = None
        try:
            if asked.error is not None:
                return truth, place | {"error": asked.error}, None
            sample = sample_of(asked) if asked.values is None else asked.values
            if self._kept is not None:
                sha256 = _sha256(sample)
                found = self._kept.find(asked.path, line=asked.line, sample_sha256=sha256)
                if found is not None:
                    return truth, found, None
            return truth, place | read(sample), sha256
        except _NO_SAMPLES_FAULT:
            raise
        except (UnreadableSample, BadMeasurement) as error:
            return truth, place | {"error": str(error)}, sha256
        except FirstreadError as error:
            return truth, place | {"error": str(error)}, None

    def _count(self, answer: dict[str, Any], *, sha256: str | None) -> None:
        if self._kept is not None and sha256 is not None:
            self._kept.keep(answer, sample_sha256=sha256)
        self._done += 1
        self._failed += "error" in answer
        if "error" not in answer and answer["label"] is None:
            self._doubtful[why_not_found(answer)] += 1

    def _shown(self, truth: Truth | None, answer: dict[str, Any]) -> str:
        outcome = self._tally.add(answer, truth)
        word = str(truth) if truth is not None else None
        if self._wanted.as_json:
            return answer_as_json(answer, truth=word, outcome=outcome)
        return answer_as_line(
            answer,
            width=self._samples.width,
            labelled=self._samples.labelled or truth is not None,
            truth=word,
            outcome=outcome,
        )

    def _conclude(self) -> None:
        if self._tally.compared:
            form = summary_as_json if self._wanted.as_json else summary_as_text
            click.echo(form(self._tally.summary(), truths=dict(self._samples.counts)))
        elif self._doubtful and self._done > 1:
            why = ", ".join(f"{count} {why}" for why, count in self._doubtful.most_common())
            click.echo(
                f"firstread: For {self._doubtful.total()} of {self._done} samples no finding "
                f"stands: {why}. A person reads them unaided.",
                err=True,
            )
        for note in self._samples.notes:
            click.echo(f"firstread: {note}", err=True)

    def _how_far(self) -> str:
        total = self._samples.total
        read = f"{self._done} of {total} were read." if total else f"{self._done} were read."
        if not self._done:
            return read
        if self._kept is None:
            return f"{read} With --out FILE a run can go on where it stopped."
        return f"{read} Run the same command again to go on."


def _positive(wanted: Wanted, *, pack: PackFacts) -> Positive:
    from firstread.evaluation.tally import positive_of

    try:
        return positive_of(
            wanted.positive, codes=pack.codes, alarmed=pack.positive, groups=pack.groups
        )
    except KeyError as error:
        raise BadConfiguration(
            f"--positive names '{error.args[0]}', which is no label of {pack.name}. It has: "
            f"{listed(pack.codes)}."
        ) from None


def _without_tables(files: Sequence[ToRead], *, truths: Truths, out: Path | None) -> list[ToRead]:
    """The files that are samples: not the tables of labels in a folder, nor the file of --out."""
    kept = None if out is None else os.path.realpath(out)
    left = [
        file
        for file in files
        if not (
            file.root
            and (
                truths.is_labels_file(file.path)
                or (kept is not None and os.path.realpath(file.path) == kept)
            )
        )
    ]
    # A folder of nothing else is as empty as one with nothing.
    return left or [ToRead(path=file.root) for file in files[:1]]


def _sha256(sample: Sample) -> str:
    if isinstance(sample, bytes):
        return hashlib.sha256(sample).hexdigest()
    row = json.dumps(dict(sample), sort_keys=True, default=str)
    return hashlib.sha256(row.encode()).hexdigest()

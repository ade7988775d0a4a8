"""What a pack said of every sample of a set, beside what is true: the ground of every figure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from firstread.datasets import Dataset, Item, measured_as, named
from firstread.domain.errors import BadDataset, BadMeasurement, UnreadableSample
from firstread.domain.foremost import listed
from firstread.domain.read import Read
from firstread.evaluation.resample import Clusters, clusters_of
from firstread.packs import Manifest
from firstread.runtime import PackReader, read_all

Answer = TypeVar("Answer")


@dataclass(frozen=True, kw_only=True, eq=False)
class Answers:
    """N answers to samples whose label is known, of a pack with K labels."""

    codes: tuple[str, ...]
    truths: NDArray[np.int64]
    """[N], places in `codes`."""
    chances: NDArray[np.float64]
    """[N, K], calibrated."""
    sets: NDArray[np.bool_]
    """[N, K]: which labels stand in the finding set."""
    groups: Mapping[str, tuple[str, ...]]
    """The labels of each group."""
    alarms: Mapping[str, NDArray[np.bool_]]
    """For each label and group that can raise the alarm, whether it did: [N]."""
    familiarity: NDArray[np.float64]
    """[N]; NaN where the pack gives none."""
    unfamiliar: NDArray[np.bool_]
    unfit: NDArray[np.bool_]
    samples: tuple[Item, ...]
    """What was read, in the order of the rows."""
    ms: NDArray[np.float64]
    """How long each read took."""
    unreadable: tuple[dict[str, str], ...] = ()
    named: NDArray[np.int64] | None = None
    """[N], places in `codes`, where the label given is not always the most probable one."""

    @property
    def given(self) -> NDArray[np.int64]:
        """The label that each sample was given: [N], places in `codes`."""
        return self.chances.argmax(1) if self.named is None else self.named

    @cached_property
    def clusters(self) -> Clusters | None:
        """Which rows are one patient's; None where each stands alone."""
        return clusters_of([item.patient for item in self.samples])

    @property
    def patients(self) -> int | None:
        """How many patients are known; None where none is."""
        return len({item.patient for item in self.samples if item.patient}) or None

    def of(self, code: str) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """Of a label or a group: whether it is true, and the probability that was said [N]."""
        places = [self.codes.index(each) for each in self.groups.get(code, (code,))]
        said = np.minimum(self.chances[:, places].sum(1), 1.0)
        return np.isin(self.truths, places), said

    def only(self, kept: NDArray[np.bool_]) -> Answers:
        """The answers for which `kept` [N] holds."""
        return replace(
            self,
            truths=self.truths[kept],
            chances=self.chances[kept],
            sets=self.sets[kept],
            alarms={code: said[kept] for code, said in self.alarms.items()},
            familiarity=self.familiarity[kept],
            unfamiliar=self.unfamiliar[kept],
            unfit=self.unfit[kept],
            samples=tuple(item for item, keep in zip(self.samples, kept, strict=True) if keep),
            ms=self.ms[kept],
            named=None if self.named is None else self.named[kept],
        )


def read_dataset(
    reader: PackReader,
    dataset: Dataset,
    *,
    threads: int = 2,
    step: Callable[[], None] = lambda: None,
) -> Answers:
    """Have every sample of `dataset` read; `step` is called after each.

    Raises BadDataset where the folder has a label that the pack does not know, or holds another
    kind of sample than the pack reads, and where no sample could be opened.
    """
    dataset = measured_as(named(dataset, reader.manifest.codes), reader.manifest)
    refuse_other_labels(reader, dataset)

    def answer(item: Item) -> tuple[Item, Read]:
        return item, reader.read(dataset.sample(item)).read

    opened, unreadable = read_each(dataset, answer, threads=threads, step=step)
    if not opened:
        first = unreadable[0]["error"] if unreadable else "There are none. Add samples."
        raise BadDataset(f"None of the samples of {dataset.name} could be read. {first}")
    return _gathered(reader.manifest, opened, unreadable)


def read_each(
    dataset: Dataset,
    answer: Callable[[Item], Answer],
    *,
    threads: int,
    step: Callable[[], None],
) -> tuple[list[Answer], tuple[dict[str, str], ...]]:
    """`answer` of every sample that opens, in order; and of every other the path and the reason."""

    def tried(item: Item) -> tuple[list[Answer], str]:
        try:
            return [answer(item)], ""
        except (UnreadableSample, BadMeasurement, BadDataset) as error:
            return [], str(error)

    answers: list[Answer] = []
    unreadable: list[dict[str, str]] = []
    for item, (found, why) in zip(
        dataset.items, read_all(dataset.items, tried, threads=threads), strict=True
    ):
        answers += found
        if not found:
            unreadable.append({"path": item.path, "error": why})
        step()
    return answers, tuple(unreadable)


def refuse_other_labels(reader: PackReader, dataset: Dataset) -> None:
    """Raises BadDataset where the pack cannot be measured on the dataset at all."""
    pack = reader.manifest
    if dataset.kind != pack.kind:
        raise BadDataset(
            f"The folder {dataset.name} holds samples of kind {dataset.kind}, and the pack "
            f"{pack.name} reads {pack.kind}. Name a pack of the same kind."
        )
    unknown = sorted(set(dataset.labels) - set(pack.codes))
    if unknown:
        remedy = "Name another pack."
        alarms = any(each.positive for each in pack.answers)
        if alarms and len(unknown) == len(dataset.labels) == 2:  # such as healthy and leukaemia
            remedy = (
                "Name another pack, or measure its alarms alone: firstread classify FOLDER --pack "
                f"{pack.name} --labels FILE, a CSV of path and label with 1 for what should raise "
                "an alarm and 0 for the other."
            )
        raise BadDataset(
            f"The folder {dataset.name} has the label '{unknown[0]}', which the pack {pack.name} "
            f"does not know. It knows: {listed(pack.codes)}. {remedy}"
        )


def _gathered(
    pack: Manifest, opened: list[tuple[Item, Read]], unreadable: tuple[dict[str, str], ...]
) -> Answers:
    codes = pack.codes
    place = {code: index for index, code in enumerate(codes)}
    chances = np.zeros((len(opened), len(codes)))
    sets = np.zeros((len(opened), len(codes)), bool)
    for row, (_, read) in enumerate(opened):
        for finding in read.findings:
            chances[row, place[finding.label]] = finding.probability
        # A pack without conformal sets rules nothing out but by its first answer.
        sets[row, [place[code] for code in read.finding_set or (read.label,)]] = True
    reads = [read for _, read in opened]
    near = [read.familiarity for read in reads]
    return Answers(
        codes=codes,
        truths=np.array([place[item.label] for item, _ in opened], np.int64),
        chances=chances,
        sets=sets,
        groups={group.code: group.labels for group in pack.groups},
        alarms={
            each.code: np.array([each.code in read.alarms for read in reads])
            for each in pack.answers
            if each.positive
        },
        familiarity=np.array([np.nan if each is None else each.score for each in near]),
        unfamiliar=np.array([each is not None and not each.familiar for each in near]),
        unfit=np.array([read.unfit is not None for read in reads]),
        samples=tuple(item for item, _ in opened),
        ms=np.array([read.ms for read in reads]),
        unreadable=unreadable,
    )

"""Answers against truths, one by one: true and false positives and negatives, and their figures."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from firstread.datasets.truth import Truth
from firstread.domain.left_out import why_not_found
from firstread.evaluation.metrics import Share, auc, wilson
from firstread.evaluation.plain import without_nan

Answer = Mapping[str, Any]
"""What `Read.as_answer` gives, here or from a server; or an object with `error`."""


def said_by(answer: Answer) -> tuple[str, Sequence[str]]:
    """The label and the alarms of the pack, also where they do not stand and are not shown."""
    if answer["label"] is None:
        return answer["verdict"]["would_say"], answer["verdict"]["would_alarm"]
    return answer["label"], answer["alarms"]


@dataclass(frozen=True, kw_only=True)
class Positive:
    """Which labels count as positive, and when an answer says so.

    The alarm of a label, or of a group that holds it, decides where the pack holds it positive,
    and elsewhere whether it is the most probable one.
    """

    labels: tuple[str, ...]
    alarmed: frozenset[str]
    """Those of the labels that the pack itself holds positive, and its groups of such labels."""
    grouped: frozenset[str] = frozenset()
    """Those of the labels for which a group of `alarmed` speaks."""

    def is_said_by(self, answer: Answer) -> bool:
        """Whether the answer is a positive one.

        >>> positive = Positive(labels=("blast", "monocyte"), alarmed=frozenset({"blast"}))
        >>> positive.is_said_by({"label": "neutrophil", "alarms": ["blast"]})
        True
        >>> positive.is_said_by({"label": "blast", "alarms": []})
        False
        """
        likeliest, alarms = said_by(answer)
        if not self.alarmed.isdisjoint(alarms):
            return True
        return likeliest in self.labels and likeliest not in self.alarmed | self.grouped

    def probability(self, answer: Answer) -> float:
        """The probability that one of the labels is right: the sum of theirs."""
        return math.fsum(
            finding["probability"]
            for finding in answer["findings"]
            if finding["label"] in self.labels
        )

    def __str__(self) -> str:
        alarmed = [label for label in self.labels if label in self.alarmed]
        alarmed += sorted(self.alarmed - set(alarmed))
        others = [e for e in self.labels if e not in self.alarmed | self.grouped]
        reaching = "whose probability reaches the pack's operating point"
        ways = [f"an alarm of {' or '.join(alarmed)}, {reaching}"] if alarmed else []
        ways += [f"{' or '.join(others)} as the most probable label"] if others else []
        return "; or ".join(ways)


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The figures of all answers whose truth is known; shares with Wilson's 95 % interval.

    Every sample that could be opened counts, also one whose read says that it is unfit. The
    counts and what follows from them are None where nothing counts as positive, `labels_right`
    where no truth names a label.
    """

    n: int
    true_positives: int | None
    false_positives: int | None
    true_negatives: int | None
    false_negatives: int | None
    accuracy: Share | None
    recall: Share | None
    precision: Share | None
    specificity: Share | None
    auc: float | None
    """Of the positive labels' probability; NaN where only one side occurs."""
    labels_right: Share | None
    """The share of labels read as they are, among the samples whose label is known."""
    labels_n: int
    positive: tuple[str, ...]
    rule: str
    """When an answer counts as positive, in words."""
    unread: int
    """Samples whose truth is known and that could not be read."""
    unlabelled: int
    """Samples whose truth is not known."""
    unfit: int
    doubtful: Mapping[str, int] = field(default_factory=dict)
    """Samples that count in the figures though no finding stands for them: why, and how many."""

    def as_dict(self) -> dict[str, Any]:
        """The figures as plain JSON values; NaN becomes null."""
        plain: dict[str, Any] = without_nan(asdict(self))
        return plain


class Tally:
    """Counts answers as they come, nine bytes each.

    >>> from firstread.datasets.truth import KnownLabels
    >>> known = KnownLabels(["blast", "neutrophil"], positive=["blast"])
    >>> tally = Tally(Positive(labels=("blast",), alarmed=frozenset({"blast"})))
    >>> answer = {"label": "blast", "alarms": ["blast"], "unfit": None,
    ...           "findings": [{"label": "blast", "probability": 0.9}]}
    >>> tally.add(answer, known.truth("neutrophil"))
    'false positive'
    >>> tally.summary().specificity.value
    0.0
    """

    def __init__(self, positive: Positive) -> None:
        self.positive = positive
        self._outcomes: Counter[str] = Counter()
        self._truths = array("b")
        self._scores = array("d")
        self._labelled = self._labels_right = 0
        self._unread = self._unlabelled = self._unfit = 0
        self._doubtful: Counter[str] = Counter()

    def add(self, answer: Answer, truth: Truth | None) -> str | None:
        """Count one answer; returns its outcome, None where it could not be read or compared.

        An outcome is a true or false positive or negative, and right or wrong where nothing
        counts as positive.
        """
        if truth is None:
            self._unlabelled += 1
            return None
        if "error" in answer:
            self._unread += 1
            return None
        self._unfit += answer["unfit"] is not None
        if answer["label"] is None:
            self._doubtful[why_not_found(answer)] += 1
        right = truth.label == said_by(answer)[0]
        if truth.label is not None:
            self._labelled += 1
            self._labels_right += right
        if truth.positive is None:
            outcome = "right" if right else "wrong"
        else:
            said = self.positive.is_said_by(answer)
            self._truths.append(truth.positive)
            self._scores.append(self.positive.probability(answer))
            outcome = (
                f"{'true' if said == truth.positive else 'false'} "
                f"{'positive' if said else 'negative'}"
            )
        self._outcomes[outcome] += 1
        return outcome

    @property
    def compared(self) -> bool:
        """Whether the truth of any sample was known."""
        return bool(self._unread or self._outcomes)

    def summary(self) -> Summary:
        """The figures so far."""
        counts = self._outcomes
        hits, alarms = counts["true positive"], counts["false positive"]
        passes, misses = counts["true negative"], counts["false negative"]
        sided = bool(self.positive.labels)
        n = counts.total()
        truths = np.frombuffer(self._truths, np.int8).astype(bool)
        return Summary(
            n=n,
            true_positives=hits if sided else None,
            false_positives=alarms if sided else None,
            true_negatives=passes if sided else None,
            false_negatives=misses if sided else None,
            accuracy=wilson(hits + passes, n) if sided else None,
            recall=wilson(hits, hits + misses) if sided else None,
            precision=wilson(hits, hits + alarms) if sided else None,
            specificity=wilson(passes, passes + alarms) if sided else None,
            auc=auc(truths, np.frombuffer(self._scores)) if sided else None,
            labels_right=wilson(self._labels_right, self._labelled) if self._labelled else None,
            labels_n=self._labelled,
            positive=self.positive.labels,
            rule=str(self.positive),
            unread=self._unread,
            unlabelled=self._unlabelled,
            unfit=self._unfit,
            doubtful=dict(self._doubtful.most_common()),
        )


def positive_of(
    asked: Sequence[str],
    *,
    codes: Sequence[str],
    alarmed: Sequence[str],
    groups: Mapping[str, Sequence[str]] | None = None,
) -> Positive:
    """The labels asked for as positive, in the pack's order; those of the pack where none is.

    `alarmed` are the labels and groups that the pack holds positive, `groups` gives the labels of
    each of its groups; a group that is asked for stands for its labels. Raises KeyError with the
    first label that the pack does not have.

    >>> found = positive_of(["pneumonia"], codes=["normal", "bacterial", "viral"],
    ...     alarmed=["pneumonia"], groups={"pneumonia": ["bacterial", "viral"]})
    >>> found.labels, sorted(found.alarmed)
    (('bacterial', 'viral'), ['pneumonia'])
    """
    held = groups or {}
    for label in asked:
        if label not in codes and label not in held:
            raise KeyError(label)
    wanted = {label for name in asked or alarmed for label in held.get(name, (name,))}
    chosen = tuple(code for code in codes if code in wanted)
    speaking = [name for name in alarmed if wanted.issuperset(held.get(name, (name,)))]
    return Positive(
        labels=chosen,
        alarmed=frozenset(speaking),
        grouped=frozenset(label for name in speaking for label in held.get(name, ())),
    )

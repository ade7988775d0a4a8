"""What a model's file calls its classes and columns, held against what was said of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from firstread.domain.errors import BadConfiguration
from firstread.importing.plan import Plan, labels_from
from firstread.packs import Label

_WORDS_OF_NUMBERS = {"true": "1", "false": "0"}
_COUNTING = re.compile(r"[A-Za-z_ ]*?([0-9]+)")


@dataclass(frozen=True, kw_only=True)
class Matched:
    """The place of what was said for each of the file's names, and a sentence where it counts."""

    places: tuple[int, ...]
    told: str = ""

    @property
    def moved(self) -> bool:
        """Whether the file has them in another order than they were said in."""
        return list(self.places) != sorted(self.places)


def labels_by(
    own: Sequence[str], plan: Plan, *, remedy: str = ""
) -> tuple[tuple[Label, ...], tuple[str, ...]]:
    """The labels in the order of the file's own classes, and in words how it was found.

    Labels that nobody named are those of the file. `remedy` is said where others contradict it.

    Raises BadConfiguration, with both sides, where they are others than were named.
    """
    if not plan.labels:
        labels = labels_from(own, positive=plan.positive)
        return labels, (f"The labels are the classes that the file names: {_listed(own)}.",)
    if len(plan.labels) != len(own):
        raise BadConfiguration(
            f"The model tells {len(own)} classes apart ({_listed(own)}), and {len(plan.labels)} "
            f"labels are named ({_listed(plan.codes)}). "
            f"{remedy or 'Name one for each, in that order.'}"
        )
    said = [(each.code, each.title) for each in plan.labels]
    matched = matched_classes(own, said, remedy=remedy)
    labels = tuple(plan.labels[place] for place in matched.places)
    return labels, tuple(filter(None, (matched.told,)))


def matched_classes(
    own: Sequence[str], said: Sequence[Sequence[str]], *, remedy: str = ""
) -> Matched:
    """Which label belongs to which class of the file; `said` are the names that each label has.

    Classes that are numbers are taken in the file's order, for a number says nothing. Raises
    BadConfiguration, with both sides, where the labels name other classes than the file.

    >>> matched_classes(["benign", "malignant"], [["malignant"], ["Benign"]]).places
    (1, 0)
    >>> matched_classes(["2", "4"], [["benign"], ["malignant"]]).told
    "The file's class 2 is called benign here, and 4 malignant."
    """
    places = _places(own, said)
    shown = [names[0] for names in said]
    if places is not None:
        return Matched(places=places, told=_in_files_order("classes", own, shown, places))
    both = (
        f"The file's classes are {_listed(own)}, and the labels that were named {_listed(shown)}."
    )
    numbers = [_plain(name) for name in own]
    if any(_is_number(name) for name in shown):
        if _counts_from(shown, 1) and _counts_from(numbers, 0):
            both += " The labels count from 1, and the file from 0."
        raise BadConfiguration(
            f"{both} {remedy or 'Leave --labels out, or name them as the file does.'}"
        )
    if not all(_is_number(name) for name in own):
        raise BadConfiguration(
            f"{both} "
            + (
                remedy
                or "Leave --labels out, or name them as the file does. To show another name, give "
                "it as the title of that code in a recipe's [[label]]."
            )
        )
    first, *rest = zip(own, shown, strict=True)
    pairs = [f"class {first[0]} is called {first[1]} here", *(f"{a} {b}" for a, b in rest)]
    return Matched(
        places=tuple(range(len(own))),
        told=f"The file's {', '.join(pairs[:-1])}{', and ' if rest else ''}{pairs[-1]}.",
    )


def matched_columns(own: Sequence[str], said: Sequence[Sequence[str]]) -> Matched:
    """Which measurement belongs to which column of the file; as `matched_classes`.

    Columns that are only counted (x0, x1) are taken in the file's order.

    >>> matched_columns(["a", "b"], [["b"], ["a"]]).told
    "The file's columns are a, b; the measurements were put in that order, from b, a."
    """
    places = _places(own, said)
    shown = [names[0] for names in said]
    if places is not None:
        return Matched(places=places, told=_in_files_order("columns", own, shown, places))
    found = [_COUNTING.fullmatch(name) for name in own]
    counted = [int(each[1]) for each in found if each is not None]
    if len(counted) == len(own) and counted == list(range(counted[0], counted[0] + len(own))):
        return Matched(places=tuple(range(len(own))))
    raise BadConfiguration(
        f"The file's columns are {_listed(own)}, and the measurements that were named "
        f"{_listed(shown)}. Name them as the file does. To show another name, give it as the title "
        "of that code in a recipe's [[measurement]]."
    )


def _places(own: Sequence[str], said: Sequence[Sequence[str]]) -> tuple[int, ...] | None:
    """For each of the file's names the one place that says it; None where not each has one."""
    for alike in (str, _plain):
        places: list[int] = []
        twice = Counter(alike(name) for name in own)
        for name in own:
            at = [
                place
                for place, names in enumerate(said)
                if alike(name) in {alike(each) for each in names}
            ]
            if len(at) == 1 and twice[alike(name)] == 1:
                places += at
        if len(places) == len(own) == len(set(places)):
            return tuple(places)
    return None


def _in_files_order(
    what: str, own: Sequence[str], shown: Sequence[str], places: Sequence[int]
) -> str:
    if list(places) == sorted(places):
        return ""
    called = {"classes": "labels", "columns": "measurements"}[what]
    return (
        f"The file's {what} are {_listed(own)}; the {called} were put in that order, from "
        f"{_listed(shown)}."
    )


def _plain(name: str) -> str:
    low = name.strip().casefold()
    low = _WORDS_OF_NUMBERS.get(low, low)
    return f"{float(low):g}" if _is_number(low) else re.sub(r"[\W_]+", "", low) or low


def _is_number(name: str) -> bool:
    low = name.strip().casefold()
    low = _WORDS_OF_NUMBERS.get(low, low)
    return re.fullmatch(r"[+-]?[0-9]+(\.[0-9]*)?(e[+-]?[0-9]+)?", low) is not None


def _counts_from(names: Sequence[str], first: int) -> bool:
    return {_plain(name) for name in names} == {str(n) for n in range(first, first + len(names))}


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 12} more" if len(names) > 12 else ""
    return ", ".join(name[:60] for name in names[:12]) + more

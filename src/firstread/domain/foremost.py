"""Of a thousand labels a person is shown the first few; of a dozen, all."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from firstread.domain.read import Finding

MANY = 20
"""Up to so many labels are all shown."""
FIRST = 5


def foremost(findings: Sequence[Finding], *, always: Collection[str] = ()) -> tuple[Finding, ...]:
    """What is shown of findings that stand most probable first.

    Where there are many, the first five, and those whose labels are in `always`: an alarm is never
    left out.

    >>> each = [Finding(label=str(n), probability=1 / 100) for n in range(100)]
    >>> [finding.label for finding in foremost(each, always=("70",))]
    ['0', '1', '2', '3', '4', '70']
    """
    if len(findings) <= MANY:
        return tuple(findings)
    first, rest = findings[:FIRST], findings[FIRST:]
    return (*first, *(each for each in rest if each.label in always))


def listed(names: Sequence[str]) -> str:
    """Names in a sentence: all, or of many the first five and how many more there are.

    >>> listed(["benign", "malignant"]), listed([str(n) for n in range(1000)])
    ('benign, malignant', '0, 1, 2, 3, 4 and 995 more')
    """
    if len(names) <= MANY:
        return ", ".join(names)
    return f"{', '.join(names[:FIRST])} and {len(names) - FIRST} more"

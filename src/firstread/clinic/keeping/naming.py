"""Whether a text names a patient: by a whole word, for 17 is not in 1723."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePath

_AGAIN = re.compile(r"-\d+$")
"""What is put behind a file's name where another of that name lies already."""


def names_any(text: str, words: Sequence[str]) -> bool:
    """Whether one of the words stands in the text by itself.

    >>> [names_any(each, ["17"]) for each in ("17_a.png", "a,17,3.5", "1723_a.png", "26-17")]
    [True, True, False, False]
    """
    return bool(words) and pattern_of(words).search(text) is not None


def file_names_any(path: PurePath, words: Sequence[str]) -> bool:
    """The same of a file's name and folders.

    >>> file_names_any(PurePath("malaria/17-2.png"), ["17"])
    True
    """
    parts = [*path.parts, _AGAIN.sub("", path.stem)]
    return any(names_any(part, words) for part in parts)


def pattern_of(words: Sequence[str]) -> re.Pattern[str]:
    """What finds one of the words by itself."""
    any_of = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    return re.compile(rf"(?<![^\W_])(?<!-)(?:{any_of})(?![^\W_])(?!-)", re.IGNORECASE)

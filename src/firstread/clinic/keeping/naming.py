"""Whether a text names a patient: by a whole word, for 17 is not in 1723."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import Any

from firstread.tables.identifiers import composed

_AGAIN = re.compile(r"-\d+$")
"""What is put behind a file's name where another of that name lies already."""


def names_any(text: str, words: Sequence[str]) -> bool:
    """Whether one of the words stands in the text by itself.

    >>> [names_any(each, ["17"]) for each in ("17_a.png", "a,17,3.5", "1723_a.png", "26-17")]
    [True, True, False, False]
    """
    return bool(words) and pattern_of(words).search(composed(text)) is not None


def value_names_any(value: Any, words: Sequence[str]) -> bool:
    """The same of any text in a value of JSON: as it is, not as JSON or Python write it.

    >>> told = {"case": {"accession": "M\\\\1"}, "samples": 17}
    >>> value_names_any(told, ["m\\\\1"]), value_names_any(told, ["17"])
    (True, False)
    """
    return any(names_any(text, words) for text in _texts_of(value))


def file_names_any(path: PurePath, words: Sequence[str]) -> bool:
    """The same of a file's name and folders.

    >>> file_names_any(PurePath("malaria/17-2.png"), ["17"])
    True
    """
    parts = [*path.parts, _AGAIN.sub("", path.stem)]
    return any(names_any(part, words) for part in parts)


def pattern_of(words: Sequence[str]) -> re.Pattern[str]:
    """What finds one of the words by itself."""
    longest_first = sorted(map(composed, words), key=len, reverse=True)
    any_of = "|".join(re.escape(word) for word in longest_first)
    return re.compile(rf"(?<![^\W_])(?<!-)(?:{any_of})(?![^\W_])(?!-)", re.IGNORECASE)


def _texts_of(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, each in value.items():
            yield str(name)
            yield from _texts_of(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts_of(each)

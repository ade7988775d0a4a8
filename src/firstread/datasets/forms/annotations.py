"""What cardiologists wrote beside a record: https://wfdb.io/spec/annotation-files.html

The library wfdb reads it too; it brings pandas and matplotlib, so it stands in the tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from firstread.domain.errors import BadDataset

_SYMBOLS = ' NLRaVFJASEj/Q~ | sT*D"=pB^t+u?![]en@xf()r'
_SKIP, _NUM, _SUB, _CHN, _AUX = 59, 60, 61, 62, 63

AAMI = {
    **dict.fromkeys("NLRejnB", "N"),
    **dict.fromkeys("AaJS", "S"),
    **dict.fromkeys("VEr", "V"),
    "F": "F",
    **dict.fromkeys("/fQ?", "Q"),
}
"""The class of each symbol (ANSI/AAMI EC57; de Chazal et al., IEEE Trans Biomed Eng 51:1196, 2004):
normal and escape beats, bundle branch block; supraventricular; ventricular; fusion; paced or
unknown."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TrueBeats:
    """The beats of one record as people named them."""

    samples: NDArray[np.int64]
    """[n]: at which sample each lies, ascending."""
    labels: tuple[str, ...]
    """N, S, V, F or Q, one a beat."""
    asides: tuple[tuple[int, int], ...]
    """From which sample to which the ventricles flutter or fibrillate: no beats can be told."""


def true_beats(data: bytes, *, name: str) -> TrueBeats:
    """The beats in the bytes of an annotation file; raises BadDataset where they are damaged."""
    samples, labels, asides = [], [], []
    began: int | None = None
    last = 0
    for sample, symbol in _annotations(data, name=name):
        last = sample
        if symbol in AAMI:
            samples.append(sample)
            labels.append(AAMI[symbol])
        elif symbol == "[":
            began = sample
        elif symbol == "]" and began is not None:
            asides.append((began, sample))
            began = None
    if began is not None:
        asides.append((began, last))
    if any(after < before for before, after in pairwise(samples)):
        raise _damaged(name)
    return TrueBeats(
        samples=np.array(samples, np.int64), labels=tuple(labels), asides=tuple(asides)
    )


def annotations_of(beats: TrueBeats) -> bytes:
    """The bytes of an annotation file that says the same.

    >>> beats = TrueBeats(samples=np.array([70, 5000]), labels=("N", "V"), asides=())
    >>> true_beats(annotations_of(beats), name="two").labels
    ('N', 'V')
    """
    said = list(zip(beats.samples.tolist(), beats.labels, strict=True))
    said += [(at, sign) for aside in beats.asides for at, sign in zip(aside, "[]", strict=True)]
    words: list[int] = []
    last = 0
    for at, symbol in sorted(said, key=lambda one: one[0]):
        step = at - last
        if step > 0x3FF:
            words += [_SKIP << 10, step >> 16, step & 0xFFFF]
            step = 0
        words.append(_SYMBOLS.index(symbol) << 10 | step)
        last = at
    return np.array([*words, 0], "<u2").tobytes()


def _annotations(data: bytes, *, name: str) -> Iterator[tuple[int, str]]:
    words = np.frombuffer(data[: len(data) // 2 * 2], "<u2").tolist()
    place = sample = 0
    while place < len(words):
        code, step = words[place] >> 10, words[place] & 0x3FF
        place += 1
        if code == 0 and step == 0:
            return
        if code == _SKIP:
            if place + 1 >= len(words):
                raise _damaged(name)
            far = words[place] << 16 | words[place + 1]  # the high half stands first
            sample += far - (1 << 32) if far >= 1 << 31 else far
            place += 2
        elif code == _AUX:
            place += (step + 1) // 2
        elif code not in (_NUM, _SUB, _CHN):
            sample += step
            yield sample, _SYMBOLS[code] if code < len(_SYMBOLS) else " "
    raise _damaged(name)


def _damaged(name: str) -> BadDataset:
    return BadDataset(f"The annotations {name} are damaged or cut short. Copy them again.")

"""How samples of each kind are read: what its network takes and gives, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from firstread.domain.errors import UnreadableSample
from firstread.domain.kinds import WORDS, Kinds
from firstread.packs import Manifest
from firstread.runtime.measurements import Given
from firstread.runtime.open_pack import OpenPack, Outcome


class ReadBytes(Protocol):
    """Reads the bytes of one sample; `began` is when its read was, by `time.perf_counter`.

    Raises UnreadableSample where they cannot be opened.
    """

    def __call__(
        self, pack: OpenPack, data: bytes, *, sample_sha256: str, began: float
    ) -> Outcome: ...


def refuse_row(pack: OpenPack, values: Given) -> Outcome:  # noqa: ARG001  the form of `read_row`
    """Raises UnreadableSample: samples of this kind are no rows."""
    words = WORDS[pack.manifest.kind]
    raise UnreadableSample(
        f"The pack {pack.manifest.name} reads {words.many}, not measurements. Send a {words.one}."
    )


def zeros(manifest: Manifest) -> float:  # noqa: ARG001  the form of `blank_values`
    """Zero: black, or a flat line."""
    return 0.0


def each_of(values: NDArray[Any], manifest: Manifest) -> list[NDArray[Any]]:  # noqa: ARG001  the form of `checked`
    """Every sample of the tensor as it is."""
    return list(values)


@dataclass(frozen=True, kw_only=True)
class KindOfRead:
    """What a pack's reader must know of a kind of sample."""

    input: str
    """What the network's only input is called."""
    element: type[np.generic]
    """uint8 or float32."""
    axes: str
    """Of the input, a letter each."""
    outputs: Mapping[str, str]
    """The outputs that a read uses, each with its axes: N samples, K labels, F measurements, D."""
    needed: tuple[str, ...] = ("logits",)
    """Those that another server must give."""
    shape: Callable[[Manifest], tuple[int, ...]]
    """Of one sample, as the network takes it."""
    blank_values: Callable[[Manifest], float | Sequence[float]] = zeros
    """What a sample [...] that shows nothing is filled with."""
    read: ReadBytes
    read_row: Callable[[OpenPack, Given], Outcome] = refuse_row
    """Reads one row of measurements; raises BadMeasurement, whose `field` names what is wrong."""
    checked: Callable[[NDArray[Any], Manifest], list[NDArray[Any]]] = each_of
    """The samples of a tensor [N, ...] one by one; raises BadMeasurement where one cannot be."""

    def blank(self, manifest: Manifest) -> NDArray[Any]:
        """A sample [1, ...] that shows nothing, to learn from it what the network gives."""
        return np.full((1, *self.shape(manifest)), self.blank_values(manifest), dtype=self.element)


KINDS = Kinds(__name__, KindOfRead)

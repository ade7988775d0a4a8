"""One labelled sample as it is handed over to be written into a folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from firstread.datasets.dataset import Origin, Part


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Plain values: nothing of it need lie in a file, and `name` is never trusted as a path.

    A picture or a recording has its bytes in `data`, a recording also the `annotations` of its
    beats (WFDB; `annotations_of` makes them), a row has `measurements` alone. `places` are points
    x, y in pixels where a picture shows what its label says, `columns` what else is known of it.
    """

    label: str
    data: bytes = b""
    annotations: bytes = b""
    measurements: Mapping[str, float | None] = field(default_factory=dict)
    name: str = ""
    patient: str = ""
    part: Part = ""
    places: tuple[tuple[float, float], ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    origin: Origin = field(default_factory=Origin)


@dataclass(frozen=True, kw_only=True)
class Stored:
    """The files that a sample becomes: its own, and what stands beside it, by what that is."""

    ending: str
    data: bytes
    beside: Mapping[str, tuple[str, bytes]] = field(default_factory=dict)
    """The ending and the bytes of each."""

"""What pages show of a kind of sample: as it is put in, on the worklist, and on the case page."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from firstread.clinic.models import Case, CaseSample, Sample
from firstread.clinic.shown.case import CaseView, Cell
from firstread.domain.errors import UnknownCase
from firstread.domain.kinds import Kinds

PICTURES = 4
"""So many samples of a case are shown in its thumbnail."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture for a page, as bytes."""

    data: bytes
    media_type: str


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One measurement in the thumbnail of a row of measurements."""

    x: float
    y: float
    height: float
    kind: str


@dataclass(frozen=True, kw_only=True)
class Glance:
    """What a line of the worklist shows of a case's samples."""

    pictures: Sequence[int] = ()
    """The samples whose thumbnails are shown."""
    bars: Sequence[Bar] = ()
    telling: str = ""
    """What the first read says, where that is more than a probability."""


@dataclass(frozen=True, kw_only=True)
class PutIn:
    """How the page on which samples are put in asks for them."""

    icon: str
    offer: str
    """What a check takes, in a few words."""
    offer_many: str
    """The same where a case may hold many."""
    form: str = "clinic/put_in/files.html"
    """The template of the whole form."""
    drop: str = ""
    """The template of the place where files are dropped."""
    look: str = ""
    """How a file is shown before it is sent: `img` as itself, else by a sign of that name."""
    in_pairs: bool = False
    """Whether two files may be one sample."""


class Draw(Protocol):
    """The picture of one sample in a case; raises UnknownCase or UnreadableSample.

    `beat` is the place in it that the page asks for, by its number.
    """

    def __call__(self, case_sample: int, sample: Sample, *, beat: int | None) -> Picture: ...


class Own(Protocol):
    """What the kind's own templates show of a sample, beside what every page shows."""

    def __call__(self, view: CaseView, cell: Cell, *, beat: int | None) -> object | None: ...


def nothing(view: CaseView, cell: Cell, *, beat: int | None) -> None:
    """Every page shows all there is."""


def not_drawn(case_sample: int, sample: Sample, *, beat: int | None) -> Picture:  # noqa: ARG001  a Draw
    """Raises UnknownCase: such samples have no picture."""
    raise UnknownCase("There is no picture of such a sample.")


@dataclass(frozen=True, kw_only=True)
class KindOfPage:
    """What pages must know of a kind of sample."""

    put_in: PutIn
    glances: Callable[[Sequence[Any]], Mapping[uuid.UUID, Glance]]
    """Of cases with `sample_count`, by their number."""
    stage: str
    """The template of the sample, shown large."""
    beside: str = ""
    """The template of what stands under the sample and the read, or ''."""
    head: str = ""
    """The template of what the page's head says of the sample, or ''."""
    keys: str = "clinic/case/keys_viewer.html"
    """The template that names the keys of the stage."""
    css: str = ""
    """A style sheet of its own, or ''."""
    layout: str = ""
    """The class of the page's grid, or ''."""
    own: Own = nothing
    image: Draw = not_drawn
    thumbnail: Draw = not_drawn
    has_maps: bool = False
    """Whether evidence is a map over the picture."""
    has_trace: bool = False
    """Whether it is scrolled as a trace, with evidence along it."""


def with_pictures(cases: Sequence[Case]) -> dict[uuid.UUID, Glance]:
    """The first samples of each case, as pictures: a mosaic has four, or is one."""
    first = CaseSample.objects.filter(case__in=cases, position__lte=PICTURES).order_by("position")
    found: dict[uuid.UUID, list[int]] = defaultdict(list)
    for case_id, pk in first.values_list("case_id", "pk"):
        found[case_id].append(pk)
    return {
        case: Glance(pictures=ids[:PICTURES] if len(ids) >= PICTURES else ids[:1])
        for case, ids in found.items()
    }


KINDS = Kinds(__name__, KindOfPage)

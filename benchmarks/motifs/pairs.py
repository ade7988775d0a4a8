"""Every kind of picture put in under every check of pictures: what is said of it.

    python benchmarks/motifs/pairs.py DATA [--everyday PICTURES] [--each 150] [--page FILE]

Read are pictures that neither the packs nor `motifs` have learnt from: the test part of each pack,
and what `sources.py` keeps of the other sets.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sources import PACKS, Given, pictures

from firstread.domain.read import Read
from firstread.domain.verdict import Doubt
from firstread.evaluation import wilson
from firstread.packs import find_pack
from firstread.runtime import open_reader

_SEED = 11
_NAMES = {
    "diabetic-retinopathy": "fundus, 28 px",
    "fundus": "fundus, 384 px (IDRiD)",
    "malaria": "red cells, 50 px grey",
    "malaria/colour": "red cells, whole, in colour",
    "blood-cell": "blood cells, 128 px",
    "blood-cell/originals": "blood cells, 360 px",
    "smear-field-more": "fields of 360 px round one blood cell",
    "marrow-cell": "marrow cells, 144 px",
    "marrow-cell/originals": "marrow cells, 250 px",
    "brain-tumour": "MRI slices of heads",
    "pneumonia": "chest X-rays",
    "breast-histology": "tissue, 50 px",
    "breast-histology-more": "tissue, 50 px, other patches",
    "smear-field": "whole fields, 640 px",
    "samples": "retinal OCT",
    "everyday": "photographs and drawings",
}


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One set under one check."""

    motif: str
    own: bool
    n: int
    said: Counter[str]

    def of(self, *what: str) -> int:
        return sum(self.said[each] for each in what)

    @property
    def told(self) -> str:
        """Of the pack's own pictures what is lost, and what is called unlike what it was measured
        on; of others what is not shown as a read, and what gets a wrong reason."""
        if self.own:
            lost = _share(self.of("unfit", "another"), self.n)
            return f"**{lost}** lost, {_share(self.of('unfamiliar'), self.n)} unlike"
        return f"{_share(self.n - self.of('read'), self.n)}, {_share(self.of('unfit'), self.n)}"


def _share(count: int, n: int) -> str:
    return f"{100 * count / n:.3g} %"


def said_of(read: Read) -> str:
    """What a person is told of it, in one word."""
    if read.verdict.names_finding:
        return "read"
    if read.is_anothers:
        return "another"
    return "unfit" if read.doubt is Doubt.UNFIT else "unfamiliar"


def table(sets: dict[str, Sequence[Given]]) -> Iterator[tuple[str, str, Cell, Counter[str]]]:
    """Set and pack, with what was said and as what foreign pictures were named."""
    for motif, pack in PACKS.items():
        reader = open_reader(find_pack(pack))
        for source, given in sets.items():
            reads = [reader.read(each.data).read for each in given]
            names = Counter(each.looks_like for each in reads if each.is_anothers)
            cell = Cell(
                motif=motif,
                own=given[0].motif == motif,
                n=len(reads),
                said=Counter(said_of(each) for each in reads),
            )
            yield source, pack, cell, names


def main() -> None:
    """Read all, and write the table."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("data", type=Path)
    asked.add_argument("--everyday", type=Path)
    asked.add_argument("--each", type=int, default=150)
    asked.add_argument("--page", type=Path)
    options = asked.parse_args()
    found: dict[str, list[Given]] = defaultdict(list)
    for each in pictures(options.data, everyday=options.everyday):
        # What nobody can name is unfit by its own label, and right so.
        if each.part == "test" and each.label != "unidentifiable":
            found[each.source].append(each)
    rng = random.Random(_SEED)
    sets = {name: rng.sample(all_, min(options.each, len(all_))) for name, all_ in found.items()}
    rows: dict[str, dict[str, Cell]] = defaultdict(dict)
    for source, pack, cell, names in table(sets):
        rows[source][pack] = cell
        print(json.dumps([source, pack, cell.n, dict(cell.said), dict(names)]), flush=True)
    page = "\n".join(_page(rows))
    print(page)
    if options.page:
        options.page.write_text(page + "\n", encoding="utf-8")


def _page(rows: dict[str, dict[str, Cell]]) -> Iterator[str]:
    packs = list(PACKS.values())
    yield f"| what was put in | n | {' | '.join(f'`{each}`' for each in packs)} |"
    yield f"|---|---|{'---|' * len(packs)}"
    for source, cells in rows.items():
        n = cells[packs[0]].n
        yield f"| {_NAMES[source]} | {n} | {' | '.join(cells[p].told for p in packs)} |"
    others = [cell for cells in rows.values() for cell in cells.values() if not cell.own]
    own = [cell for cells in rows.values() for cell in cells.values() if cell.own]
    for words, cells, what in (
        ("Another's pictures not shown as a read", others, ("another", "unfit", "unfamiliar")),
        ("Another's pictures with a wrong reason", others, ("unfit",)),
        ("Own pictures called another kind", own, ("another",)),
        ("Own pictures called unfit", own, ("unfit",)),
    ):
        count, n = sum(cell.of(*what) for cell in cells), sum(cell.n for cell in cells)
        share = wilson(count, n)
        yield (
            f"\n{words}: {_share(count, n)} ({100 * share.low:.1f} to {100 * share.high:.1f} %), "
            f"n = {n}."
        )


if __name__ == "__main__":
    main()

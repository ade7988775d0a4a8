"""The golden samples of a pack: phantoms, which are nobody's, and what the pack must answer to
them."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from firstread import phantom
from firstread.domain.errors import UnknownCheck
from firstread.packs import Golden
from firstread.phantom import Phantom
from firstread.runtime.session import Session

FOLDER = "golden"
SEED = 20_26


def drawn(check: str, label: str, *, seed: int) -> Phantom | None:
    """A phantom that shows the label; None where the check has none of it."""
    try:
        known = phantom.labels(check)
    except UnknownCheck:
        return None
    return phantom.make(check, label=label, seed=seed) if label in known else None


def asked(session: Session, name: str, batch: NDArray[Any]) -> Golden:
    """What the pack's own network answers to the sample of that name."""
    logits = session.run(batch)["logits"][0]
    return Golden(sample=name, logits=tuple(round(float(value), 6) for value in logits))

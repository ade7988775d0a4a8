"""Pictures: sent as they are, several at once, and shown with their evidence over them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firstread.edge.kinds import KindAtTheEdge, kept_if_it_opens, post_files
from firstread.imaging import decode
from firstread.packs import Manifest

if TYPE_CHECKING:
    from firstread.runtime import Outcome


def _overlay(data: bytes, outcome: Outcome, *, manifest: Manifest, place: int) -> bytes | None:
    from firstread.imaging.overlay import overlay_png
    from firstread.imaging.size import upright_size_px

    given = manifest.input
    if outcome.evidence is None or given is None:
        return None
    return overlay_png(
        outcome.evidence[place],
        sample_px=upright_size_px(data),
        network_px=(given.width_px, given.height_px),
        fit=given.fit,
    )


KIND = KindAtTheEdge(
    example="cell.png",
    not_media=("application/json", "text/"),
    send="reads pictures. Send the bytes of one, or several as a multipart form.",
    overlay=_overlay,
    take_in=kept_if_it_opens(decode),
    post=post_files,
    together=True,
)

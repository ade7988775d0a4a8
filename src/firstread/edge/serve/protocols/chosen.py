"""The pack that reads where a protocol's address names none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firstread.domain.errors import BadRequest

if TYPE_CHECKING:
    from firstread.edge.serve.warm import WarmPacks


def chosen_pack(packs: WarmPacks, *, asked: str | None, default: str | None, how: str) -> str:
    """The pack's name: the one asked for, else the default, else the only one.

    `how` says how a request names one. Raises BadRequest where several could be meant; whether
    the name stands for a pack, `packs` finds out.
    """
    if asked:
        return asked
    if default is not None:
        return default
    if len(packs.names) == 1:
        return packs.names[0]
    raise BadRequest(
        f"This reader has several packs: {', '.join(packs.names)}. Name one {how}, or start the "
        "reader with --default-pack."
    )

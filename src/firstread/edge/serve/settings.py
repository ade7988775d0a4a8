"""How the HTTP reader is run; what it answers is told by the packs alone."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from firstread.connect.loopback import is_loopback
from firstread.domain.errors import BadConfiguration
from firstread.packs import Precision


@dataclass(frozen=True, kw_only=True)
class ServeSettings:
    """The options of `firstread serve`."""

    packs: tuple[str, ...] = ()
    """Names or folders; all on the shelves where none is named."""
    default_pack: str | None = None
    """The pack of protocols whose addresses name none; the only one where there is one."""
    precision: Precision = "float"
    """"int8" reads with the twins of the packs, and refuses those without."""
    vr_pictures: Path | None = None
    """The folder of test pictures that AllDS2020's VR clients ask for by number."""
    health_route: str | None = None
    predict_route: str | None = None
    """The addresses that Vertex AI chose for us."""
    host: str = "127.0.0.1"
    port: int = 8080
    threads: int = 1
    queue: int = 64
    """How many requests may wait for a thread."""
    max_body_mb: int = 64
    memory_cap_mb: int = 1024
    idle_s: float = 600.0
    token: str | None = None
    open_to_all: bool = False
    tls_cert: Path | None = None
    tls_key: Path | None = None
    grace_s: float = 30.0
    log: Literal["json", "text"] = "json"

    @property
    def max_body_bytes(self) -> int:
        return self.max_body_mb << 20


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def refuse_unguarded(settings: ServeSettings) -> None:
    """Raises BadConfiguration where whoever reaches this machine could have samples read."""
    if is_loopback(settings.host) or settings.token or settings.open_to_all:
        return
    raise BadConfiguration(
        f"Everybody who reaches {settings.host} could use this reader. Give it a token "
        "(--token-file FILE), or say --open-to-all where something else guards it."
    )


def refuse_bad_token(token: str) -> None:
    """Raises BadConfiguration where no HTTP header could carry the token."""
    if not token.isascii() or not token.isprintable() or " " in token or not token:
        raise BadConfiguration(
            "The token holds a space or a sign that no HTTP header can carry. Use letters, digits, "
            "'-' and '_'."
        )

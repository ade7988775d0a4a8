"""Firstread's servers from Python: the clinic's JSON API, and the HTTP reader."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from firstread.client.client import Client, Submitted
    from firstread.client.reader import ReaderClient, ServedPack

__all__ = ["Client", "ReaderClient", "ServedPack", "Submitted"]

_MODULES = {
    "Client": "firstread.client.client",
    "ReaderClient": "firstread.client.reader",
    "ServedPack": "firstread.client.reader",
    "Submitted": "firstread.client.client",
}


def __getattr__(name: str) -> Any:
    # The reader's client runs on the lean install; the clinic's needs httpx.
    import importlib

    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name]), name)

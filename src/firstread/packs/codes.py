"""Codes of a `pack.toml` that must differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


def repeated(key: str, codes: Iterable[str]) -> Iterator[str]:
    """A sentence for each code that stands there twice."""
    seen: set[str] = set()
    for code in codes:
        if code in seen:
            yield f"'{key}' has {code!r} twice"
        seen.add(code)

"""How long what was decided is kept."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Terms:
    """How many days after the last word on a case something of it is kept; 0 is for ever."""

    cases_days: int = 0
    bytes_days: int = 0
    names_days: int = 0

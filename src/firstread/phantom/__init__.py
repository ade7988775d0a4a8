"""Phantoms: samples that look like the real thing and hold no person's data."""

from __future__ import annotations

from firstread.phantom.damage import DAMAGES, damaged
from firstread.phantom.making import Phantom, checks, labels, make

__all__ = ["DAMAGES", "Phantom", "checks", "damaged", "labels", "make"]

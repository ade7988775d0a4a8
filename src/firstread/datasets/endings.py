"""The endings of the names of pictures that Firstread opens."""

from __future__ import annotations

IMAGE_ENDINGS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".gif")
TABLE_ENDINGS = (".csv", ".tsv", ".xlsx")
LABELS_FILES = tuple(f"labels{ending}" for ending in TABLE_ENDINGS)
"""How a table is named that is found beside the samples that it labels."""

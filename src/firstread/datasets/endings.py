"""The endings of the names of pictures that Firstread opens."""

from __future__ import annotations

IMAGE_ENDINGS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".gif")

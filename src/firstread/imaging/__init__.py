"""Bytes to pixels: decode, quality, and pictures without metadata for pages."""

from firstread.decoding import MAX_PIXELS
from firstread.imaging.decode import decode
from firstread.imaging.show import SHOWN_AS, display, thumbnail
from firstread.imaging.sniff import media_type

__all__ = ["MAX_PIXELS", "SHOWN_AS", "decode", "display", "media_type", "thumbnail"]

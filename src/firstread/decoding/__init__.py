"""What every decoder needs: memory that is asked for beforehand, and grey levels of any numbers."""

MAX_PIXELS = 100_000_000
"""More is refused before it is unpacked; 100 million pixels are 300 MB in memory."""

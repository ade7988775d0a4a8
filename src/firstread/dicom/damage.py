"""What pydicom and its decoders were seen to raise on damaged files."""

from __future__ import annotations

import struct
import zlib

DAMAGED = (
    OSError, EOFError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError,
    NotImplementedError, RuntimeError, struct.error, zlib.error,
)  # fmt: skip

"""What people write in TOML becomes frozen values, and every surprise a sentence with its key."""

from firstread.toml.document import Document
from firstread.toml.table import (
    Number,
    Positive,
    Secret,
    Share,
    Table,
    Text,
    Wrong,
    narrowed,
    within,
)

__all__ = [
    "Document",
    "Number",
    "Positive",
    "Secret",
    "Share",
    "Table",
    "Text",
    "Wrong",
    "narrowed",
    "within",
]

"""A pack and a sample become a read: prepare, session, calibrate, familiarity, batch."""

from firstread.runtime.batch import read_all
from firstread.runtime.measurements import measurements_as_bytes
from firstread.runtime.open_pack import Network, OpenPack, Outcome
from firstread.runtime.read import PackReader, open_reader

__all__ = [
    "Network",
    "OpenPack",
    "Outcome",
    "PackReader",
    "measurements_as_bytes",
    "open_reader",
    "read_all",
]

"""A melody is whole once its notes can be read."""

from firstread.inbox.kinds import KindOfFile
from tests.melody_for_tests import notes_of

KIND = KindOfFile(
    called="melodies",
    takes=lambda name: name.endswith(".notes"),
    is_whole=lambda data, *, name, measurements: notes_of(data).any(),
)

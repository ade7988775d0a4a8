"""Melodies come in as files."""

from collections.abc import Sequence

from firstread.clinic.steps.files import Incoming, Opened
from firstread.clinic.steps.kinds import KindOfCase
from tests.melody_for_tests import notes_of


def _opened(files: Sequence[Incoming]) -> Opened:
    notes_of(files[0].data)
    return Opened(data=files[0].data, media_type="text/plain")


KIND = KindOfCase(opened=_opened)

"""Melodies are sent as they are."""

from firstread.edge.kinds import KindAtTheEdge, kept_if_it_opens, post_files
from tests.melody_for_tests import notes_of

KIND = KindAtTheEdge(
    example="tune.notes",
    not_media=("image/",),
    send="reads melodies. Send the bytes of one.",
    take_in=kept_if_it_opens(notes_of),
    post=post_files,
)

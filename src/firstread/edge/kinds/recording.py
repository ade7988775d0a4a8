"""Recordings: sent one by one; the clinic shows their evidence along the trace."""

from firstread.edge.kinds import KindAtTheEdge, kept_if_it_opens, post_files
from firstread.recordings import open_recording

KIND = KindAtTheEdge(
    example="recording.zip",
    # A CSV of voltages is text, so that only what cannot be one is refused.
    not_media=("application/json", "image/", "video/", "audio/"),
    send="reads recordings. Send the bytes of one: a zip of a .hea and its .dat, CSV, EDF or "
    "DICOM; or several as a multipart form.",
    take_in=kept_if_it_opens(open_recording),
    post=post_files,
)

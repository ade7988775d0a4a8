"""Pictures come in as files, each of them one."""

from collections.abc import Sequence

from firstread.clinic.steps.files import Incoming, Opened
from firstread.clinic.steps.kinds import KindOfCase
from firstread.imaging import decode, media_type


def _opened(files: Sequence[Incoming]) -> Opened:
    data = files[0].data
    picture = decode(data)
    return Opened(
        data=data,
        media_type=media_type(data),
        width_px=picture.width,
        height_px=picture.height,
    )


KIND = KindOfCase(opened=_opened)

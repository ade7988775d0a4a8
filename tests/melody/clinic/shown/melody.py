"""Melodies are drawn as notes on a line."""

from firstread.clinic.models import Sample
from firstread.clinic.shown.kinds import KindOfPage, Picture, PutIn, with_pictures
from firstread.clinic.storage import store
from tests.melody_for_tests import drawn


def _drawn(case_sample: int, sample: Sample, *, beat: int | None) -> Picture:
    return Picture(data=drawn(store.open(sample.sha256)), media_type="image/svg+xml")


KIND = KindOfPage(
    put_in=PutIn(
        icon="pulse",
        offer="One melody",
        offer_many="One melody, or many",
        drop="clinic/put_in/drop_melody.html",
    ),
    glances=with_pictures,
    stage="clinic/case/stage.html",
    image=_drawn,
    thumbnail=_drawn,
)

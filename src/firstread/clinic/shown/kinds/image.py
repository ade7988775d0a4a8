"""Pictures: dropped or taken, looked at large with their evidence map over them."""

from firstread.clinic.models import Sample
from firstread.clinic.shown import pictures
from firstread.clinic.shown.kinds import KindOfPage, Picture, PutIn, with_pictures


def _image(case_sample: int, sample: Sample, *, beat: int | None) -> Picture:  # noqa: ARG001  a Draw
    return Picture(data=pictures.display(sample.sha256), media_type=pictures.SHOWN_AS)


def _thumbnail(case_sample: int, sample: Sample, *, beat: int | None) -> Picture:  # noqa: ARG001  a Draw
    return Picture(data=pictures.thumbnail(sample.sha256), media_type=pictures.SHOWN_AS)


KIND = KindOfPage(
    put_in=PutIn(
        icon="cells",
        offer="One picture",
        offer_many="One picture, or many",
        drop="clinic/put_in/drop_pictures.html",
        look="img",
    ),
    glances=with_pictures,
    stage="clinic/case/stage.html",
    image=_image,
    thumbnail=_thumbnail,
    has_maps=True,
)

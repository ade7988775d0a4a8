"""Pictures: measured one by one, parted by their size too, shown in the report, spoiled."""

from functools import partial

from firstread.datasets import Dataset, Item
from firstread.evaluation.figures import evaluate_samples
from firstread.evaluation.kinds import KindOfEvaluation, label_of
from firstread.imaging.show import thumbnail
from firstread.imaging.size import upright_size_px

_SIDE_PX = 112


def _size(dataset: Dataset, item: Item) -> str:
    """Doubling classes of the longer side, such as '129 to 256 px'."""
    side = max(upright_size_px(dataset.data(item)))
    top = 32
    while top < side:
        top *= 2
    return f"up to {top} px" if top == 32 else f"{top // 2 + 1} to {top} px"


KIND = KindOfEvaluation(
    evaluate=evaluate_samples,
    told={"label": label_of, "size": _size},
    thumbnail=partial(thumbnail, max_side_px=_SIDE_PX),
    can_be_spoiled=True,
)

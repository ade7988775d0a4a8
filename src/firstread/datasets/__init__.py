"""Labelled samples: the forms they come in, and how they are parted by patient."""

from firstread.datasets.dataset import Dataset, Item, named
from firstread.datasets.groups import groups
from firstread.datasets.measured import measured_as
from firstread.datasets.opening import open_dataset
from firstread.datasets.split import Split, split

__all__ = ["Dataset", "Item", "Split", "groups", "measured_as", "named", "open_dataset", "split"]

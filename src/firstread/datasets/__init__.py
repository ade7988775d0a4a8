"""Labelled samples: the folder forms they come in, and how they are parted by patient."""

from firstread.datasets.dataset import Dataset, Item
from firstread.datasets.folder import open_dataset
from firstread.datasets.split import Split, groups, split

__all__ = ["Dataset", "Item", "Split", "groups", "open_dataset", "split"]

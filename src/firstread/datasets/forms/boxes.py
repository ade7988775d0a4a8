"""Boxes round the cells of a field are no labels of samples; this form only says so."""

from __future__ import annotations

from firstread.datasets.dataset import Dataset
from firstread.datasets.place import Place
from firstread.domain.errors import BadDataset


def fits(place: Place) -> bool:
    """Whether the set has boxes, and no table of labels."""
    return "boxes.csv" in place.names and "labels.csv" not in place.names


def open_boxes(place: Place) -> Dataset:
    """Raises BadDataset: what a box holds is not what the whole picture shows."""
    raise BadDataset(
        f"{place.name} holds boxes round cells (boxes.csv), not a label for each picture. Cut the "
        "cells out into one folder per label, or add a labels.csv (path,label)."
    )

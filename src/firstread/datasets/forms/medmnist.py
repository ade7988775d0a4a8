"""MedMNIST (Yang et al., Sci Data 10:41, 2023): arrays of small pictures in one `.npz` file."""

from __future__ import annotations

import io
import zipfile
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from firstread.datasets.dataset import Dataset, Item, Part
from firstread.datasets.parts import part_of
from firstread.datasets.place import Place
from firstread.domain.errors import BadDataset

_IMAGES, _LABELS = "_images", "_labels"
MAX_BYTES = 4 << 30
"""All arrays together, unpacked: they are held in memory."""


def fits(place: Place) -> bool:
    """Whether a `.npz` file lies at the top."""
    return bool(_files(place))


def open_medmnist(place: Place) -> Dataset:
    """The pictures as PNG without loss, the integers of their labels as text, and their parts."""
    files = _files(place)
    if len(files) > 1:
        raise BadDataset(
            f"{place.name} holds {len(files)} files .npz. Name the one that should be opened."
        )
    arrays = _arrays(place.read(files[0]), name=files[0])
    items, images = [], {}
    for key in [key for key in arrays if key.endswith(_IMAGES)]:
        part = key.removesuffix(_IMAGES)
        labels = arrays.get(part + _LABELS)
        images[part] = _pictures(arrays[key], key=key, name=files[0])
        if labels is None:
            raise BadDataset(
                f"{files[0]} has pictures '{key}', but no '{part}{_LABELS}'. Download it again."
            )
        items += _items(part, images[part], labels, name=files[0])
    if not items:
        raise BadDataset(
            f"{files[0]} holds no pictures with labels. MedMNIST names its arrays train_images, "
            "train_labels, val_images, and so on."
        )
    return Dataset(place.name, "image", tuple(items), _fetcher(images))


def _files(place: Place) -> list[str]:
    return [name for name in place.ending(".npz") if "/" not in name]


def _arrays(data: bytes, *, name: str) -> dict[str, NDArray[Any]]:
    """The arrays of an archive, none of them pickled, whose sizes are as its headers promise."""
    damaged = BadDataset(f"{name} is not a NumPy archive that can be opened. Download it again.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > MAX_BYTES:
            raise BadDataset(
                f"{name} unpacks to {unpacked / 2**30:.1f} GiB; at most {MAX_BYTES >> 30} are "
                "opened. Take the set with smaller pictures."
            )
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            opened = {key: arrays[key] for key in arrays.files}
    except zipfile.BadZipFile as why:
        raise damaged from why
    except ValueError as why:
        if "allow_pickle" in str(why) or "pickled" in str(why):
            raise BadDataset(
                f"{name} holds Python objects, which could run a program when they are opened. "
                "Save plain arrays of numbers."
            ) from why
        raise damaged from why
    except (OSError, EOFError, KeyError, SyntaxError, MemoryError, OverflowError) as why:
        raise damaged from why
    if not all(isinstance(each, np.ndarray) for each in opened.values()):
        raise damaged
    return opened


def _pictures(images: NDArray[Any], *, key: str, name: str) -> NDArray[np.uint8]:
    grey, colour = images.ndim == 3, images.ndim == 4 and images.shape[-1] == 3
    if images.dtype != np.uint8 or not (grey or colour) or 0 in images.shape[1:]:
        raise BadDataset(
            f"'{key}' of {name} holds {images.dtype} {list(images.shape)}; pictures are uint8 "
            "[N, H, W] or [N, H, W, 3]. Volumes are not read."
        )
    return images


def _items(part: str, images: NDArray[np.uint8], labels: NDArray[Any], *, name: str) -> list[Item]:
    width = int(np.prod(labels.shape[1:]))
    flat = labels.reshape(len(labels), width) if labels.ndim else np.zeros((0, 0))
    if len(flat) != len(images) or flat.shape[1] != 1 or flat.dtype.kind not in "iub":
        raise BadDataset(
            f"'{part}{_LABELS}' of {name} holds {labels.dtype} {list(labels.shape)} for "
            f"{len(images)} pictures; one whole number each is needed. Sets with several labels a "
            "picture are not read."
        )
    given: Part = part_of(part)
    return [
        Item(path=f"{part}/{number:06d}.png", label=str(int(label)), part=given)
        for number, label in enumerate(flat[:, 0])
    ]


def _fetcher(images: dict[str, NDArray[np.uint8]]) -> Any:
    @lru_cache(maxsize=64)
    def fetch(path: str) -> bytes:
        part, _, file = path.partition("/")
        number = int(file.removesuffix(".png"))
        out = io.BytesIO()
        Image.fromarray(images[part][number]).save(out, format="PNG", compress_level=1)
        return out.getvalue()

    return fetch

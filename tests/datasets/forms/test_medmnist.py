"""MedMNIST's arrays, and archives that only look like them."""

from __future__ import annotations

import zipfile
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from firstread.datasets import named, open_dataset, split
from firstread.domain.errors import BadDataset


def arrays(parts: dict[str, int], *, shape: tuple[int, ...] = (28, 28, 3)) -> dict:
    rng = np.random.default_rng(1)
    found = {}
    for part, count in parts.items():
        found[f"{part}_images"] = rng.integers(0, 255, (count, *shape), dtype=np.uint8)
        found[f"{part}_labels"] = (np.arange(count) % 3).astype(np.uint8)[:, np.newaxis]
    return found


def saved(tmp_path, found: dict, name: str = "retinamnist.npz"):
    np.savez_compressed(tmp_path / name, **found)
    return tmp_path / name


@pytest.mark.parametrize("shape", [(28, 28, 3), (28, 28), (64, 48)])
def test_pictures_come_out_as_they_are_in_the_arrays(tmp_path, shape):
    found = arrays({"train": 6, "val": 3}, shape=shape)
    dataset = open_dataset(saved(tmp_path, found))
    assert dataset.labels == ("0", "1", "2")
    picture = Image.open(BytesIO(dataset.data(dataset.items[7])))
    assert np.array_equal(np.asarray(picture), found["val_images"][1])
    assert picture.format == "PNG"


def test_a_part_without_pictures_is_no_set(tmp_path):
    with pytest.raises(BadDataset, match="holds no pictures with labels"):
        open_dataset(saved(tmp_path, arrays({"train": 0})))


def test_its_test_part_stays_the_test_part(tmp_path):
    dataset = open_dataset(saved(tmp_path, arrays({"train": 80, "val": 10, "test": 20})).parent)
    parts = split(dataset, validation=0.3, test=0.3, seed=1)
    assert parts.test == tuple(range(90, 110))
    assert parts.validation == tuple(range(80, 90))
    assert len(parts.train) == 80


def test_its_numbers_mean_the_labels_of_a_pack_in_their_order(tmp_path):
    dataset = open_dataset(saved(tmp_path, arrays({"test": 6})))
    codes = [f"grade-{number}" for number in range(5)]
    assert named(dataset, codes).labels == ("grade-0", "grade-1", "grade-2")


def test_pickled_objects_are_never_opened(tmp_path):
    class Hostile:
        def __reduce__(self):
            return (open, (str(tmp_path / "written"), "w"))

    np.savez(tmp_path / "bad.npz", train_images=np.array([Hostile()], dtype=object))
    with pytest.raises(BadDataset, match="holds Python objects"):
        open_dataset(tmp_path / "bad.npz")
    assert not (tmp_path / "written").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"train_images": np.zeros((4, 28, 28, 28), np.uint8)}, "Volumes are not read"),
        ({"train_images": np.zeros((4, 28, 28), np.float32)}, "pictures are uint8"),
        ({"train_labels": np.zeros((4, 14), np.uint8)}, "several labels a picture"),
        ({"train_labels": np.zeros((3, 1), np.uint8)}, "for 4 pictures"),
        ({"train_labels": None}, "but no 'train_labels'"),
        ({"train_images": None}, "holds no pictures with labels"),
    ],
)
def test_arrays_of_another_form_are_refused(tmp_path, change, said):
    found = arrays({"train": 4}) | change
    with pytest.raises(BadDataset, match=said):
        open_dataset(saved(tmp_path, {k: v for k, v in found.items() if v is not None}))


def test_archives_that_promise_too_much_or_are_damaged_are_refused(tmp_path, monkeypatch):
    path = saved(tmp_path, arrays({"train": 4}))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadDataset, match="not a NumPy archive"):
        open_dataset(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("train_images.npy", whole[:200])
    with pytest.raises(BadDataset, match=r"not a NumPy archive|Python objects"):
        open_dataset(path)
    path.write_bytes(whole)
    monkeypatch.setattr("firstread.datasets.forms.medmnist.MAX_BYTES", 1000)
    with pytest.raises(BadDataset, match="Take the set with smaller pictures"):
        open_dataset(path)

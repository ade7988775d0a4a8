"""A split never shares a patient or a picture, nor one that is nearly the same."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageEnhance

from firstread.datasets import Dataset, Item, groups, split

ROWS = st.lists(
    st.tuples(
        st.integers(0, 12), st.sampled_from(["", "p1", "p2", "p3", "p4", "p5"]), st.booleans()
    ),
    min_size=1,
    max_size=60,
)


def dataset_of(rows: list[tuple[int, str, bool]]) -> Dataset:
    items = tuple(
        Item(path=str(content), label="ill" if ill else "well", patient=patient)
        for content, patient, ill in rows
    )
    return Dataset("made", "image", items, str.encode)


@given(rows=ROWS, seed=st.integers(0, 99))
def test_no_patient_and_no_picture_stands_on_two_sides(rows, seed):
    dataset = dataset_of(rows)
    parts = split(dataset, validation=0.3, test=0.3, seed=seed)
    sides = [parts.train, parts.validation, parts.test]
    assert sorted(index for side in sides for index in side) == list(range(len(rows)))
    for read in (lambda index: dataset.hashes[index], lambda index: dataset.items[index].patient):
        seen = [{read(index) for index in side} - {""} for side in sides]
        assert not seen[0] & seen[1]
        assert not seen[0] & seen[2]
        assert not seen[1] & seen[2]


@given(rows=ROWS, seed=st.integers(0, 99))
def test_the_order_of_the_folder_does_not_matter(rows, seed):
    # Each picture once: among exact duplicates with different labels the first decides.
    rows = list({row[0]: row for row in rows}.values())
    forward, backward = dataset_of(rows), dataset_of(rows[::-1])
    one = split(forward, validation=0.2, test=0.2, seed=seed)
    two = split(backward, validation=0.2, test=0.2, seed=seed)
    assert {forward.items[i] for i in one.test} == {backward.items[i] for i in two.test}


def test_each_label_has_its_share_in_each_part():
    rows = [(number, "", number % 4 == 0) for number in range(400)]
    dataset = dataset_of(rows)
    parts = split(dataset, validation=0.1, test=0.2, seed=3)
    for part, share in ((parts.test, 0.2), (parts.validation, 0.1), (parts.train, 0.7)):
        for label, count in (("ill", 100), ("well", 300)):
            found = sum(dataset.items[index].label == label for index in part)
            assert abs(found - share * count) <= 1


def test_another_seed_parts_otherwise():
    dataset = dataset_of([(number, "", False) for number in range(100)])
    first = split(dataset, validation=0.1, test=0.1, seed=1)
    assert first == split(dataset, validation=0.1, test=0.1, seed=1)
    assert first != split(dataset, validation=0.1, test=0.1, seed=2)


def test_equal_rows_of_measurements_are_two_people():
    items = tuple(
        Item(path=str(i), label="benign", measurements=(("size", 1.0),)) for i in range(3)
    )
    dataset = Dataset("rows", "measurements", items, str.encode)
    assert len(groups(dataset)) == 3


def scene(number: int) -> Image.Image:
    """A picture like no other: coarse blocks of its own."""
    blocks = np.random.default_rng(number).integers(0, 255, (9, 9, 3), dtype=np.uint8)
    return Image.fromarray(blocks).resize((90, 90), Image.Resampling.BICUBIC)


COPIES = {
    "itself": lambda picture: picture,
    "mirrored": lambda picture: picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "turned": lambda picture: picture.transpose(Image.Transpose.ROTATE_90),
    "half": lambda picture: picture.resize((45, 45)),
    "bright": lambda picture: ImageEnhance.Brightness(picture).enhance(1.15),
}


def jpeg(number: int, copy: str, quality: int) -> bytes:
    out = BytesIO()
    COPIES[copy](scene(number)).save(out, format="JPEG", quality=quality)
    return out.getvalue()


PICTURES = st.lists(
    st.tuples(st.integers(0, 14), st.sampled_from(sorted(COPIES)), st.sampled_from([60, 92])),
    min_size=3,
    max_size=30,
    unique=True,
)


@settings(deadline=None, max_examples=30)
@given(rows=PICTURES, seed=st.integers(0, 9))
def test_copies_of_a_picture_never_stand_on_two_sides(rows, seed):
    files = {"-".join(map(str, row)): jpeg(*row) for row in rows}
    items = tuple(Item(path=path, label="cell") for path in files)
    dataset = Dataset("scenes", "image", items, files.__getitem__)
    parts = split(dataset, validation=0.3, test=0.3, seed=seed)
    sides = [{rows[index][0] for index in part} for part in (parts.train, parts.validation)]
    sides.append({rows[index][0] for index in parts.test})
    assert not sides[0] & sides[1]
    assert not sides[0] & sides[2]
    assert not sides[1] & sides[2]
    # And what is not the same is not held to be: every scene is a group of its own.
    assert len(groups(dataset)) == len({number for number, _, _ in rows})


def test_parts_that_a_set_came_with_stay_and_what_is_like_them_is_not_learnt_from():
    rows = [("a", "train"), ("b", "train"), ("a", "test"), ("c", "test"), ("d", "validation")]
    rows += [(f"more {number}", "train") for number in range(20)]
    items = tuple(
        Item(path=f"{number}", label="x", part=part) for number, (_, part) in enumerate(rows)
    )
    dataset = Dataset("given", "image", items, lambda path: rows[int(path)][0].encode())
    parts = split(dataset, validation=0.2, test=0.2, seed=1)
    assert (parts.test, parts.validation, parts.aside) == ((2, 3), (4,), (0,))
    assert len(parts.train) == 21


def test_where_only_a_validation_part_was_given_the_test_part_is_drawn_from_the_rest():
    items = tuple(
        Item(path=f"{number}", label="x", part="validation" if number < 10 else "train")
        for number in range(110)
    )
    parts = split(Dataset("set", "image", items, str.encode), validation=0.2, test=0.1, seed=1)
    assert parts.validation == tuple(range(10))
    assert (len(parts.test), len(parts.train)) == (10, 90)

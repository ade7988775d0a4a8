"""A split never shares a patient or a picture."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

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

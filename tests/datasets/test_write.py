"""A set that is written and opened again is the same set, whatever its samples are called; it is
there whole or not at all."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import textwrap
import tracemalloc

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from firstread.datasets import open_dataset, split
from firstread.datasets.dataset import Origin
from firstread.datasets.forms.annotations import TrueBeats, annotations_of, true_beats
from firstread.datasets.forms.records import beats_of
from firstread.datasets.sample import Sample
from firstread.datasets.write import samples_of, write_dataset
from firstread.domain.errors import BadConfiguration, BadDataset, UnknownKind
from firstread.packs.place import alone
from tests.dicom.test_pixels import RAMP, dicom
from tests.images_for_tests import cell_png
from tests.recordings_for_tests import annotated

ENCODED = st.characters(codec="utf-8")
LABELS = st.text(ENCODED, min_size=1, max_size=30).filter(str.strip)
PATIENTS = st.text(ENCODED, max_size=30)
NAMES = st.text(max_size=60) | st.sampled_from(
    ["../../etc/passwd", "/a", ".hidden", "CON", "a\\b", "=1+1.png", "\udcff.png", "x" * 5000]
)
PARTS = st.sampled_from(["", "train", "validation", "test"])
ORIGINS = st.builds(
    Origin, source=NAMES, licence=st.text(max_size=20), at=st.just("2026-01-02T03:04:05Z")
)
PICTURES = st.builds(
    Sample,
    label=LABELS,
    data=st.binary(min_size=1, max_size=40),
    name=NAMES,
    patient=PATIENTS,
    part=PARTS,
    places=st.lists(st.tuples(st.floats(0, 1e4), st.floats(0, 1e4)), max_size=2).map(tuple),
    columns=st.dictionaries(st.text(max_size=9), st.text(max_size=9), max_size=3),
    origin=ORIGINS,
)
FINITE = st.floats(allow_nan=False, allow_infinity=False)


def written_and_opened(samples, *, kind, folder):
    shutil.rmtree(folder, ignore_errors=True)
    assert write_dataset(iter(samples), to=folder, kind=kind, source="made up") == len(samples)
    return open_dataset(folder)


def refuse_difference(samples, dataset):
    for item, sample in zip(dataset.items, samples, strict=True):
        assert (item.label, item.patient, item.part) == (sample.label, sample.patient, sample.part)
        assert item.places == sample.places
        assert item.origin.source == (sample.origin.source or "made up")
        assert (item.origin.licence, item.origin.at) == (sample.origin.licence, sample.origin.at)


@given(samples=st.lists(PICTURES, min_size=1, max_size=6))
@example(samples=[Sample(label="=cmd()", patient="'=1", data=b"a"), Sample(label="'a", data=b"a")])
@example(samples=[Sample(label="a\r\nb", patient="\t-2", data=b"a", name="same")] * 2)
@settings(max_examples=60, deadline=None)
def test_pictures_are_the_same_after_they_were_written(samples, tmp_path_factory):
    folder = tmp_path_factory.getbasetemp() / "pictures"
    dataset = written_and_opened(samples, kind="image", folder=folder)
    refuse_difference(samples, dataset)
    assert [dataset.data(item) for item in dataset.items] == [sample.data for sample in samples]
    assert [dict(item.columns) for item in dataset.items] == [each.columns for each in samples]
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) == len(samples) + 3
    assert all(path.name.isascii() and not path.name.startswith(".") for path in files)


@given(data=st.data(), codes=st.lists(LABELS, min_size=1, max_size=4, unique=True))
@settings(max_examples=60, deadline=None)
def test_rows_are_the_same_after_they_were_written(data, codes, tmp_path_factory):
    rows = st.builds(
        Sample,
        label=LABELS,
        patient=PATIENTS,
        part=PARTS,
        measurements=st.tuples(*[FINITE | st.none() for _ in codes]).map(
            lambda values: dict(zip(codes, values, strict=True))
        ),
    )
    samples = data.draw(st.lists(rows, min_size=1, max_size=5))
    folder = tmp_path_factory.getbasetemp() / "rows"
    dataset = written_and_opened(samples, kind="measurements", folder=folder)
    refuse_difference(samples, dataset)
    for item, sample in zip(dataset.items, samples, strict=True):
        assert item.measurements == tuple(sample.measurements.items())


@given(
    steps=st.lists(st.integers(1, 400_000), min_size=1, max_size=30),
    labels=st.data(),
    aside=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_annotations_are_the_same_after_they_were_written(steps, labels, aside):
    at = np.cumsum(steps)
    names = labels.draw(st.lists(st.sampled_from("NSVFQ"), min_size=len(at), max_size=len(at)))
    asides = ((int(at[0]), int(at[-1])),) if aside else ()
    beats = TrueBeats(samples=at, labels=tuple(names), asides=asides)
    found = true_beats(annotations_of(beats), name="drawn")
    assert found.samples.tolist() == at.tolist()
    assert (found.labels, found.asides) == (beats.labels, beats.asides)


def test_recordings_keep_their_beats_and_patients(tmp_path):
    for record in ("100", "101"):
        for name, data in annotated(record, symbols="NLVAF/N").items():
            (tmp_path / name).write_bytes(data)
    whole = open_dataset(tmp_path)
    samples = [each.__class__(**{**vars(each), "patient": "p"}) for each in samples_of(whole)]
    again = written_and_opened(samples, kind="recording", folder=tmp_path / "out")
    assert again.kind == "recording"
    assert again.hashes == whole.hashes
    assert [item.patient for item in again.items] == ["p", "p"]
    for one, other in zip(whole.items, again.items, strict=True):
        assert beats_of(again, other).labels == beats_of(whole, one).labels
        assert beats_of(again, other).samples.tolist() == beats_of(whole, one).samples.tolist()


def test_a_dicom_file_leaves_its_patient_behind_and_keeps_its_picture(tmp_path):
    data = dicom(RAMP)
    dataset = written_and_opened(
        [Sample(label="ill", data=data, name="a.dcm")], kind="image", folder=tmp_path / "out"
    )
    item = dataset.items[0]
    assert dataset.data(item).startswith(b"\x89PNG")
    assert item.origin.sha256 != dataset.hashes[0]
    assert not list((tmp_path / "out").rglob("*.dcm"))
    with pytest.raises(BadDataset, match="holds 2 frames, of which each is a sample"):
        written_and_opened(
            [Sample(label="ill", data=dicom(np.stack([RAMP, RAMP])))],
            kind="image",
            folder=tmp_path / "two",
        )


def test_no_spreadsheet_takes_a_cell_for_a_formula(tmp_path):
    samples = [Sample(label="=HYPERLINK(0)", patient="+49", data=b"x", name="@SUM(1).png")]
    dataset = written_and_opened(samples, kind="image", folder=tmp_path / "out")
    with (tmp_path / "out" / "labels.csv").open(newline="") as file:
        row = list(csv.reader(file))[1]
    assert row == ["samples/000/000000-SUM-1.bin", "'=HYPERLINK(0)", "'+49", ""]
    assert dataset.items[0].patient == "+49"


def test_parts_that_were_drawn_are_the_parts_after_opening(tmp_path):
    source = tmp_path / "cells"
    for label in ("red", "blue"):
        (source / label).mkdir(parents=True)
        for number in range(20):
            (source / label / f"{number}.png").write_bytes(cell_png(label, seed=number))
    dataset = open_dataset(source)
    parts = split(dataset, validation=0.2, test=0.2, seed=3)
    drawn = {at: part for part in ("train", "validation", "test") for at in getattr(parts, part)}
    write_dataset(samples_of(dataset, parts=drawn), to=tmp_path / "out", kind="image")
    again = open_dataset(tmp_path / "out")
    assert split(again, validation=0.4, test=0.4, seed=9) == parts
    assert again.sha256 == dataset.sha256
    assert again.items[0].origin.source == "cells: blue/0.png"


def test_a_written_set_is_written_again_with_the_origin_it_had(tmp_path):
    origin = Origin(source="case 12", licence="site", at="2026-01-02")
    sample = Sample(label="a", data=b"one", origin=origin)
    first = written_and_opened([sample], kind="image", folder=tmp_path / "first")
    write_dataset(samples_of(first), to=tmp_path / "second", kind="image", licence="other")
    assert open_dataset(tmp_path / "second").items[0].origin == first.items[0].origin


def test_a_sample_that_was_changed_since_is_refused(tmp_path):
    samples = [Sample(label="a", data=b"one"), Sample(label="b", data=b"two")]
    dataset = written_and_opened(samples, kind="image", folder=tmp_path / "out")
    (tmp_path / "out" / dataset.items[1].path).write_bytes(b"twO")
    assert dataset.data(dataset.items[0]) == b"one"
    with pytest.raises(BadDataset, match=r"000001\.bin' of out is not the one that was written"):
        dataset.data(dataset.items[1])


@pytest.mark.parametrize("file", ["labels.csv", "samples.jsonl", "dataset.json"])
@pytest.mark.parametrize("length", [0, 40, -2])
def test_tables_that_were_cut_short_are_refused(file, length, tmp_path):
    samples = [Sample(label="a", part="test", data=b"x"), Sample(label="b", part="test", data=b"y")]
    written_and_opened(samples, kind="image", folder=tmp_path / "out")
    path = tmp_path / "out" / file
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(BadDataset, match=f"{file} of out is .* Copy the folder again"):
        open_dataset(tmp_path / "out")


def test_a_table_that_was_changed_counts_alone_once_it_is_said(tmp_path):
    written_and_opened([Sample(label="a", data=b"x")], kind="image", folder=tmp_path / "out")
    table = tmp_path / "out" / "labels.csv"
    table.write_bytes(table.read_bytes().replace(b",a,", b",b,"))
    with pytest.raises(BadDataset, match=r"changed it on purpose, take dataset\.json out"):
        open_dataset(tmp_path / "out")
    (tmp_path / "out" / "dataset.json").unlink()
    assert open_dataset(tmp_path / "out").labels == ("b",)


@pytest.mark.parametrize("line", ["[]", "{}", '{"path": 1}', "no json", "", 100_000 * "["])
def test_a_forged_table_is_refused(line, tmp_path):
    written_and_opened([Sample(label="a", data=b"x")], kind="image", folder=tmp_path / "out")
    (tmp_path / "out" / "samples.jsonl").write_text(line)
    about = json.loads((tmp_path / "out" / "dataset.json").read_text())
    about["samples.jsonl"] = hashlib.sha256(line.encode()).hexdigest()
    (tmp_path / "out" / "dataset.json").write_text(json.dumps(about))
    with pytest.raises(BadDataset, match="The tables of out were not written by Firstread"):
        open_dataset(tmp_path / "out")


def test_a_damaged_description_is_refused_in_a_sentence(tmp_path):
    written_and_opened([Sample(label="a", data=b"x")], kind="image", folder=tmp_path / "out")
    about = tmp_path / "out" / "dataset.json"
    another_kind = about.read_text().replace('"image"', '"recording"')
    about.write_text(100_000 * "[")
    with pytest.raises(BadDataset, match=r"dataset\.json of out is damaged"):
        open_dataset(tmp_path / "out")
    about.write_text(another_kind)
    with pytest.raises(BadDataset, match="names no annotations, as a recording does"):
        list(samples_of(open_dataset(tmp_path / "out")))


def test_a_folder_of_a_later_firstread_says_whose_it_is(tmp_path):
    written_and_opened([Sample(label="a", data=b"one")], kind="image", folder=tmp_path / "out")
    path = tmp_path / "out" / "dataset.json"
    about = json.loads(path.read_text()) | {"format": 2, "written_by": "firstread 9.0"}
    path.write_text(json.dumps(about))
    with pytest.raises(BadDataset, match=r"was written by firstread 9\.0, whose folders"):
        open_dataset(tmp_path / "out")


@pytest.mark.parametrize(
    ("kind", "samples", "sentence"),
    [
        ("image", [], "There is no sample to write"),
        ("image", [Sample(label="", data=b"x")], "The label '' is empty"),
        ("image", [Sample(label="a\udcff", data=b"x")], "Spell it in UTF-8"),
        ("image", [Sample(label="a", patient="\udcff", data=b"x")], "Spell it in UTF-8"),
        ("image", [Sample(label="a", data=b"x", part="tset")], "has the part 'tset'"),
        ("image", [Sample(label="a", measurements={"x": 1})], "is no picture"),
        ("measurements", [Sample(label="a", data=b"x")], "is no row"),
        ("measurements", [Sample(label="a", measurements={"x": float("nan")})], "is nan"),
        (
            "measurements",
            [Sample(label="a", measurements={"x": 1}), Sample(label="a", measurements={"y": 1})],
            "Sample 2 has other measurements than the first, which has x",
        ),
        ("recording", [Sample(label="N", data=b"time,II\n0,1")], "is no annotated recording"),
        (
            "recording",
            [Sample(label="N", data=b"time,II\n0,1", annotations=b"\0\0")],
            "name no beat",
        ),
    ],
)
def test_what_cannot_be_written_is_refused_and_leaves_nothing(kind, samples, sentence, tmp_path):
    with pytest.raises(BadDataset, match=sentence):
        write_dataset(samples, to=tmp_path / "out", kind=kind)
    assert list(tmp_path.iterdir()) == []


def test_a_kind_that_nobody_knows_is_refused(tmp_path):
    with pytest.raises(UnknownKind, match="smell"):
        write_dataset([Sample(label="a", data=b"x")], to=tmp_path / "out", kind="smell")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_over_what_stands_there(tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(BadDataset, match=r"There is something at .*out already"):
        write_dataset([Sample(label="a", data=b"x")], to=tmp_path / "out", kind="image")
    with pytest.raises(BadDataset, match=r"There is no folder .*nowhere to write into"):
        write_dataset([], to=tmp_path / "nowhere" / "out", kind="image")


def test_two_writers_of_one_folder_do_not_meet(tmp_path):
    with (
        alone(tmp_path / ".out.lock", otherwise="busy"),
        pytest.raises(BadConfiguration, match=r"Another command writes .*out right now"),
    ):
        write_dataset([Sample(label="a", data=b"x")], to=tmp_path / "out", kind="image")


def test_an_error_among_the_samples_leaves_nothing(tmp_path):
    def failing():
        yield Sample(label="a", data=b"x")
        raise OSError("the other disk")

    with pytest.raises(OSError, match="the other disk"):
        write_dataset(failing(), to=tmp_path / "out", kind="image")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_nothing(tmp_path):
    samples = [Sample(label="a", data=b"x" * 500), Sample(label="a", data=b"x" * 2000)]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            write_dataset(samples, to=tmp_path / "out", kind="image")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert list(tmp_path.iterdir()) == []


KILLED = """
    import os, signal, sys
    from pathlib import Path
    from firstread.datasets.sample import Sample
    from firstread.datasets.write import write_dataset

    def samples():
        for number in range(int(sys.argv[2])):
            yield Sample(label="a", data=b"%d" % number)
        os.kill(os.getpid(), signal.SIGKILL)

    write_dataset(samples(), to=Path(sys.argv[1]), kind="image")
"""


@pytest.mark.parametrize("after", [0, 1, 7])
def test_a_killed_writer_leaves_what_the_next_one_takes_away(after, tmp_path):
    out = tmp_path / "out"
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(out), str(after)],
        env=os.environ,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL
    assert sorted(path.name for path in tmp_path.iterdir()) == [".out.lock", ".out.part"]
    dataset = written_and_opened([Sample(label="b", data=b"x")], kind="image", folder=out)
    assert len(dataset.items) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert len([path for path in out.rglob("*") if path.is_file()]) == 4


def test_samples_are_not_kept_while_they_are_written(tmp_path):
    def many():
        for number in range(3000):
            yield Sample(label="a", patient=f"p{number}", data=b"%07d" % number * 1000)

    tracemalloc.start()
    try:
        write_dataset(many(), to=tmp_path / "out", kind="image")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1 << 20  # of 21 MB
    assert sorted(path.name for path in (tmp_path / "out" / "samples").iterdir()) == [
        "000",
        "001",
        "002",
    ]

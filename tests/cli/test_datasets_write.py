"""`firstread datasets write` turns a set of any form into one folder, which is the same set."""

from __future__ import annotations

import json
import zipfile

import numpy as np
import pytest
from click.testing import CliRunner

from firstread.cli.main import main
from firstread.datasets import open_dataset, split
from tests.datasets.forms.test_medmnist import arrays, saved
from tests.dicom.test_pixels import RAMP, dicom
from tests.images_for_tests import cell_png
from tests.recordings_for_tests import annotated


def run(*arguments):
    return CliRunner().invoke(main, ["datasets", *map(str, arguments)])


def folders(folder):
    for part in ("train", "val"):
        for label in ("red", "blue"):
            (folder / part / label).mkdir(parents=True)
            for number in range(3):
                picture = cell_png(label, seed=number + 5 * (part == "val"))
                (folder / part / label / f"{number}.png").write_bytes(picture)
    return folder


def zipped(folder):
    table = "path,label,patient,split,sex\na.png,red,1,train,f\nb.png,blue,2,test,m\n"
    with zipfile.ZipFile(folder / "set.zip", "w") as archive:
        archive.writestr("labels.csv", table)
        archive.writestr("a.png", cell_png("red"))
        archive.writestr("b.png", cell_png("blue"))
    return folder / "set.zip"


def medmnist(folder):
    return saved(folder, arrays({"train": 4, "test": 3}))


def dicoms(folder):
    for label, frames in (("ill", np.stack([RAMP, RAMP[::-1]])), ("well", RAMP)):
        (folder / label).mkdir()
        (folder / label / "1.dcm").write_bytes(dicom(frames))
    return folder


def records(folder):
    for record in ("100", "101"):
        for name, data in annotated(record, symbols="NLVAF/N").items():
            (folder / name).write_bytes(data)
    return folder


def rows(folder):
    table = "sample_id,size,shape,diagnosis\n7,1.5,?,M\n8,-2,3e-7,B\n7,0.1,1,M\n"
    (folder / "cells.csv").write_text(table)
    return folder / "cells.csv"


def blasts(folder):
    for name in ("Im001_1", "Im002_0"):
        (folder / f"{name}.png").write_bytes(cell_png("red", seed=int(name[4])))
    (folder / "Im001_1.xyc").write_text("12 30\n4 5.5\n")
    return folder


@pytest.mark.parametrize("form", [folders, zipped, medmnist, dicoms, records, rows, blasts])
def test_a_set_of_any_form_is_the_same_set_afterwards(form, tmp_path):
    (tmp_path / "given").mkdir()
    given = form(tmp_path / "given")
    out = tmp_path / "out"
    done = run("write", given, out, "--licence", "CC0-1.0", "--source", "somewhere")
    assert done.exit_code == 0, done.output
    before, after = open_dataset(given), open_dataset(out)
    assert (after.kind, after.remark, after.sha256) == (before.kind, before.remark, before.sha256)
    for one, other in zip(before.items, after.items, strict=True):
        assert (one.label, one.patient, one.part) == (other.label, other.patient, other.part)
        assert (one.measurements, one.places) == (other.measurements, other.places)
        assert {*one.columns} - {*other.columns} <= {("annotations", f"{one.path}.atr")}
        assert after.data(other) == before.data(one)
        assert other.origin.source == f"somewhere: {one.path}"
        assert other.origin.licence == "CC0-1.0"
    assert done.output.startswith(f"{out}: {len(before.items)} samples ({before.kind}), ")
    checks = [json.loads(run("check", place, "--json").output) for place in (given, out)]
    for figure in ("labels", "parts", "patients", "groups", "largest_group", "told_apart"):
        assert checks[0][figure] == checks[1][figure]


def test_parts_are_drawn_by_patient_when_they_are_asked_for(tmp_path):
    given = tmp_path / "cells.csv"
    lines = [f"p{n // 2},{n},{'ab'[n % 4 // 2]}" for n in range(80)]
    given.write_text("\n".join(["patient,size,class", *lines]))
    done = run("write", given, tmp_path / "out", "--validation", "0.2", "--test", "0.2")
    assert done.output.strip().endswith("40 patients, test 16, train 48, validation 16")
    dataset = open_dataset(tmp_path / "out")
    parts: dict[str, set[str]] = {}
    for item in dataset.items:
        parts.setdefault(item.patient, set()).add(item.part)
    assert all(len(each) == 1 for each in parts.values())
    again = split(dataset, validation=0.9, test=0.05, seed=77)
    assert len(again.test) == len(again.validation) == 16


def test_samples_without_a_label_are_left_out_and_told_of(tmp_path):
    given = tmp_path / "given"
    given.mkdir()
    for name in ("a", "b"):
        (given / f"{name}.png").write_bytes(cell_png("red"))
    (given / "labels.csv").write_text("path,label\na.png,red\n")
    done = run("write", given, tmp_path / "out")
    assert done.exit_code == 0
    assert "1 without a label were left out, the first of them 'b.png'." in done.stderr
    assert "1 samples (image), 0 patients, in no part 1" in done.stdout


def test_what_stands_there_is_left_as_it_is(tmp_path):
    given = folders(tmp_path / "given")
    done = run("write", given, given)
    assert done.exit_code == 1
    assert "There is something at" in done.stderr

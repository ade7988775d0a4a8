"""The command evaluate, with real packs: every figure, and every refusal."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from click.testing import CliRunner
from msgspec.structs import replace
from PIL import Image

from firstread.cli.main import main
from firstread.datasets import open_dataset
from firstread.packs import DatasetUsed, open_manifest, seal, write_manifest
from tests.images_for_tests import as_png, cell_png
from tests.packs_for_tests import COLOURS, LABELS_WITH_UNFIT, WARM, make_pack


@pytest.fixture(scope="module")
def pack(tmp_path_factory) -> Path:
    return make_pack(tmp_path_factory.mktemp("packs"))


@pytest.fixture
def folder(tmp_path) -> Path:
    for label in COLOURS:
        (tmp_path / "set" / label).mkdir(parents=True)
        for number in range(4):
            picture = cell_png(label, seed=number)
            (tmp_path / "set" / label / f"{number}.png").write_bytes(picture)
    return tmp_path / "set"


def evaluated(*arguments: object) -> tuple[int, dict, str]:
    result = CliRunner().invoke(main, ["evaluate", *map(str, arguments), "--json"])
    return result.exit_code, json.loads(result.stdout or "{}"), result.stderr


def test_a_pack_that_reads_all_right_gets_full_marks(pack, folder):
    code, found, _ = evaluated(pack, folder)
    assert code == 0
    assert (found["n"], found["accuracy"], found["balanced_accuracy"]) == (12, 1.0, 1.0)
    assert found["auc"] == found["f1"] == 1.0
    for figure in ("sensitivity", "specificity", "ppv"):
        assert set(found[figure]) == set(COLOURS)
        assert found[figure]["red"]["value"] == 1.0
        assert 0 < found[figure]["red"]["low"] < found[figure]["red"]["high"] == 1.0
    assert found["confusion"] == {
        "labels": list(COLOURS),
        "rows": [[4, 0, 0], [0, 4, 0], [0, 0, 4]],
    }
    assert {"ece", "coverage", "mean_set_size", "unfamiliar", "unfit_n"} <= set(found)


def test_a_wrong_label_is_counted_wrong(pack, folder):
    (folder / "red" / "0.png").rename(folder / "blue" / "9.png")
    _, found, _ = evaluated(pack, folder)
    assert found["accuracy"] == pytest.approx(11 / 12)
    assert found["confusion"]["rows"][2] == [1, 0, 4]


def test_what_cannot_be_opened_is_listed_and_makes_the_command_fail(pack, folder):
    (folder / "red" / "broken.png").write_bytes(b"not a picture")
    code, found, said = evaluated(pack, folder)
    assert code == 1
    assert found["n"] == 12
    assert [each["path"] for each in found["unreadable"]] == ["red/broken.png"]
    assert "red/broken.png" in said


def test_a_label_that_the_pack_does_not_know_is_refused_with_a_sentence(pack, folder):
    (folder / "red").rename(folder / "violet")
    result = CliRunner().invoke(main, ["evaluate", str(pack), str(folder)])
    assert result.exit_code == 1
    assert "the label 'violet', which the pack colour does not know" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_set_that_knows_yes_and_no_is_led_to_the_alarms(pack, folder):
    kept = ("red", "healthy"), ("green", "leukaemia")
    for colour in COLOURS:
        (folder / colour).rename(folder / dict(kept).get(colour, f".{colour}"))
    result = CliRunner().invoke(main, ["evaluate", str(pack), str(folder)])
    assert result.exit_code == 1
    assert (
        "--labels FILE, a CSV of path and label with 1 for what should raise an alarm"
        in result.stderr
    )


def test_a_folder_of_another_kind_is_refused(pack, tmp_path):
    (tmp_path / "measurements.csv").write_text("size,class\n1,2\n")
    result = CliRunner().invoke(main, ["evaluate", str(pack), str(tmp_path)])
    assert result.exit_code == 1
    assert "reads image" in result.stderr


def test_the_picture_is_drawn(pack, folder, tmp_path):
    code, found, _ = evaluated(pack, folder, "--plot", tmp_path / "plot.svg")
    assert code == 0
    svg = ET.parse(tmp_path / "plot.svg").getroot()
    words = [text.text for text in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert f"{found['pack']} {found['version']} on {found['dataset']}, n = {found['n']}" in words
    assert "Do the stated chances hold?" in words
    cells = [int(word) for word in words if word.isdigit() and word != "0"]
    assert sum(cells) >= found["n"]
    style = svg.find("{http://www.w3.org/2000/svg}style").text
    assert "var(" not in style  # not everything that shows SVG knows variables
    assert "#ffffff" in style
    evaluated(pack, folder, "--plot", tmp_path / "again.svg")
    assert (tmp_path / "again.svg").read_bytes() == (tmp_path / "plot.svg").read_bytes()


def test_a_picture_of_an_unknown_ending_is_wrong_use(pack, folder, tmp_path):
    result = CliRunner().invoke(main, ["evaluate", str(pack), str(folder), "--plot", "x.png"])
    assert result.exit_code == 2
    assert "must end in .svg" in result.stderr


def test_people_get_a_table(pack, folder):
    result = CliRunner().invoke(main, ["evaluate", str(pack), str(folder)])
    assert result.exit_code == 0
    assert "accuracy" in result.stdout
    assert "read as (columns)" in result.stdout


def test_existing_keys_stay_and_every_figure_has_an_interval(pack, folder):
    (folder / "red" / "0.png").rename(folder / "blue" / "9.png")
    _, found, _ = evaluated(pack, folder)
    assert {
        "pack", "version", "dataset", "n", "accuracy", "accuracy_low", "accuracy_high",
        "balanced_accuracy", "auc", "f1", "labels", "sensitivity", "specificity", "ppv", "ece",
        "coverage", "coverage_low", "coverage_high", "mean_set_size", "unfamiliar",
        "unfamiliar_n", "unfit_n", "confusion", "unreadable",
    } <= set(found)  # fmt: skip
    assert (found["intervals_by"], found["patients"]) == ("sample", None)
    for name in ("kappa", "mcc", "brier", "log_loss", "ece", "auc", "average_precision", "f1"):
        figure = found["figures"][name]
        assert figure["low"] <= figure["value"] <= figure["high"], name
    red = found["alarms"]["red"]
    assert red["n"] == 3
    assert red["sensitivity"]["value"] == 1.0
    assert red["specificity"]["value"] < 1.0
    assert [each["threshold"] for each in red["net_benefit"]][:3] == [0.01, 0.02, 0.05]
    assert found["set_aside"][0]["n"] == 12
    assert any("Under 30 samples are red (3), green (4)" in each for each in found["warnings"])


def labelled(folder: Path, *, patients: bool = True) -> Path:
    """The same pictures with a table that says more of each."""
    lines = ["path,label,patient,stain"]
    for number, path in enumerate(sorted(folder.rglob("*.png"))):
        name = path.relative_to(folder).as_posix()
        who = f"p{number // 2}" if patients else ""
        lines.append(f"{name},{path.parent.name},{who},{'old' if number % 3 else 'new'}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    return folder


def test_intervals_are_by_patient_where_patients_are_known(pack, folder):
    _, found, _ = evaluated(pack, labelled(folder))
    assert (found["intervals_by"], found["patients"]) == ("patient", 6)
    assert found["accuracy_low"] == pytest.approx(0.6097, abs=1e-4)  # Wilson of 6 out of 6


def test_samples_are_parted_by_a_column_and_few_ones_are_said_to_be(pack, folder):
    _, found, _ = evaluated(pack, labelled(folder), "--by", "stain", "--by", "size")
    stains = {each["value"]: each for each in found["subgroups"]["stain"]}
    assert {value: each["n"] for value, each in stains.items()} == {"new": 4, "old": 8}
    assert stains["old"]["few"] is True
    assert stains["old"]["accuracy"]["value"] == 1.0
    assert [each["n"] for each in found["subgroups"]["size"]] == [12]
    result = CliRunner().invoke(main, ["evaluate", str(pack), str(folder), "--by", "stain"])
    assert "few: says little" in result.stdout


def test_a_column_that_is_not_there_is_refused_with_those_that_are(pack, folder):
    command = ["evaluate", str(pack), str(labelled(folder)), "--by", "stian"]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 1
    assert "no column 'stian'" in result.stderr
    assert "It has: label, size, stain" in result.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--against", "no-such-pack"], "no-such-pack"),
        (["--familiarity-against", "/nowhere"], "There is nothing at /nowhere"),
        (["--by", "stian"], "no column 'stian'"),
    ],
)
def test_what_is_named_wrongly_is_told_before_a_sample_is_read(pack, folder, words, sentence):
    (folder / "red" / "broken.png").write_bytes(b"not a picture")
    result = CliRunner().invoke(main, ["evaluate", str(pack), str(folder), *words])
    assert sentence in result.stderr
    assert "broken.png" not in result.stdout + result.stderr


def test_names_that_are_no_text_and_samples_without_a_label_are_told_of(pack, folder, tmp_path):
    (folder / "red" / "\x1b[2J\udcff.png").write_bytes(b"no picture")
    (folder / "stray.png").write_bytes(b"no label")
    command = ["evaluate", str(pack), str(folder), "--report", str(tmp_path / "page.html")]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 1
    assert "\x1b" not in result.output
    assert "red/?[2J?.png: This is" in result.stderr
    assert "1 without a label are left out, the first is stray.png" in result.stderr
    assert "[2J?.png" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_two_packs_are_compared_and_the_end_is_a_sentence(pack, folder, tmp_path):
    other = make_pack(tmp_path / "other", name="weaker", gain=-8.0)
    code, found, _ = evaluated(pack, folder, "--against", other)
    assert code == 0
    against = found["against"]
    assert (against["first"], against["second"]) == ("colour 1.0.0", "weaker 1.0.0")
    assert against["differences"]["accuracy"]["value"] == -1.0
    assert against["mcnemar"]["only_first"] == 12
    assert against["sentence"].startswith("colour 1.0.0 is better by 100.0 points")
    assert len(against["differing"]) == 12
    command = ["evaluate", str(pack), str(folder), "--against", str(other)]
    result = CliRunner().invoke(main, command)
    assert result.stdout.rstrip().splitlines()[-1] == against["sentence"]


def test_a_group_has_figures_of_its_own(tmp_path, folder):
    grouped = make_pack(tmp_path / "grouped", groups=[WARM])
    _, found, _ = evaluated(grouped, folder)
    warm = found["alarms"]["warm"]
    assert warm["n"] == 8
    assert warm["auc"]["value"] == 1.0
    assert warm["sensitivity"]["value"] == 1.0
    assert found["figures"]["accuracy_among_warm"]["value"] == 1.0
    (folder / "red" / "0.png").rename(folder / "green" / "9.png")
    _, found, _ = evaluated(grouped, folder)
    assert found["figures"]["accuracy_among_warm"]["value"] == pytest.approx(7 / 8)


def test_the_report_is_one_file_that_needs_nothing_else(pack, folder, tmp_path):
    (folder / "red" / "0.png").rename(folder / "blue" / "9.png")
    (folder / "red" / "<b>.png").write_bytes(b"no picture")
    other = make_pack(tmp_path / "other", name="weaker", gain=-8.0)
    page = tmp_path / "page.html"
    _, _, _ = evaluated(
        pack, labelled(folder), "--report", page, "--against", other, "--by", "stain"
    )
    text = page.read_text()
    assert "http" not in text.replace("http-equiv", "")
    assert text.count("data:image/webp;base64,") == 1  # the one mistake
    assert "blue/9.png" in text
    assert "&lt;b&gt;.png" in text
    assert "<b>" not in text
    for heading in (
        "By label", "Read as, and truly", "Whether its probabilities hold", "By stain",
        "Setting the doubtful aside", "Beside another pack", "Worst mistakes", "Could not be read",
    ):  # fmt: skip
        assert f"<h2>{heading}</h2>" in text
    assert text.count("<svg") == text.count("</svg>") >= 6
    # What differs is named whole: a name that begins left of the drawing would be cut off.
    name = "calibration error, bins of equally many"
    at = re.search(r'<text x="(\d+)" y="\d+" text-anchor="end">' + name, text)
    assert at is not None
    assert int(at[1]) >= 6.5 * len(name)
    assert "decision support for research" in text.lower()


def test_a_report_that_has_no_place_is_refused_before_the_work(pack, folder):
    command = ["evaluate", str(pack), str(folder), "--report", "/nowhere/page.html"]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 2
    assert "there is no folder" in result.stderr


def test_samples_that_the_pack_was_made_of_are_told_of(pack, folder, tmp_path):
    _, found, _ = evaluated(pack, folder)
    assert "flatter" not in str(found["warnings"])
    used = DatasetUsed(name="set", sha256=open_dataset(folder).sha256, n=12, licence="none")
    own = tmp_path / "packs" / "colour"
    shutil.copytree(pack, own)
    manifest = open_manifest(own)
    write_manifest(
        replace(manifest, provenance=replace(manifest.provenance, datasets=(used,))), own
    )
    seal(own)
    _, found, _ = evaluated(own, folder)
    assert "has learnt from most of it: the figures flatter" in found["warnings"][0]
    assert (
        "the figures flatter"
        in CliRunner().invoke(main, ["evaluate", str(own), str(folder)]).stdout
    )


def strangers_in(folder: Path) -> Path:
    """A labelled set of something else: noise, under labels that the pack does not know."""
    for kind in ("one", "other"):
        (folder / kind).mkdir(parents=True)
        for number in range(5):
            grains = np.random.default_rng([number, kind == "one"]).integers(0, 256, (64, 64, 3))
            picture = as_png(Image.fromarray(grains.astype(np.uint8)))
            (folder / kind / f"{number}.png").write_bytes(picture)
    return folder


def test_familiarity_is_measured_against_another_set(pack, folder, tmp_path):
    foreign = strangers_in(tmp_path / "noise")
    (foreign / "one" / "damaged.png").write_bytes(b"no picture")
    code, found, _ = evaluated(pack, folder, "--familiarity-against", foreign)
    assert code == 0
    (told,) = found["familiarity_against"]
    assert (told["name"], told["n"]) == ("noise", 10)
    assert 0.5 < told["auroc"]["value"] <= 1
    assert told["auroc"]["low"] < told["auroc"]["value"]
    command = ["evaluate", str(pack), str(folder), "--familiarity-against", str(foreign)]
    assert "AUROC, familiarity" in CliRunner().invoke(main, command).stdout


def test_own_samples_that_are_labelled_unfit_are_not_counted_as_flagged(folder, tmp_path):
    """That such a picture is flagged is right: it says nothing against the pack."""
    strict = make_pack(tmp_path / "packs", labels=LABELS_WITH_UNFIT)
    foreign = strangers_in(tmp_path / "noise")
    _, found, _ = evaluated(strict, folder, "--familiarity-against", foreign)
    assert found["unfit_n"] == 4  # the blue ones
    (told,) = found["familiarity_against"]
    assert told["own_flagged"]["value"] == found["unfamiliar_n"] == 0


def test_another_kind_cannot_be_told_apart(pack, folder, tmp_path):
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows" / "measurements.csv").write_text("size,class\n1,2\n")
    command = ["evaluate", str(pack), str(folder), "--familiarity-against", str(tmp_path / "rows")]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 1
    assert "which the pack colour refuses before it reads them" in result.stderr


def test_spoiled_samples_are_counted_way_by_way(pack, folder, tmp_path):
    page = tmp_path / "page.html"
    _, found, _ = evaluated(pack, folder, "--spoil", "--report", page)
    ways = {each["name"]: each for each in found["spoiled"]}
    assert ways["as they are"]["n"] == 12
    assert ways["as they are"]["flagged"]["value"] == 0.0
    assert len(ways) > 10
    assert "What becomes of spoiled samples" in page.read_text()


def test_rows_of_measurements_cannot_be_spoiled(tmp_path):
    pack = make_pack(tmp_path / "packs", kind="measurements")
    rows = tmp_path / "rows"
    rows.mkdir()
    lines = ["size,shape,nuclei,class", "1,1,1,benign", "9,9,9,malignant"]
    (rows / "measurements.csv").write_text("\n".join(lines) + "\n")
    result = CliRunner().invoke(main, ["evaluate", str(pack), str(rows), "--spoil"])
    assert result.exit_code == 1
    assert "Only pictures can be spoiled" in result.stderr


def test_a_set_of_a_single_sample_has_figures_and_no_false_certainty(pack, folder, tmp_path):
    (tmp_path / "one" / "red").mkdir(parents=True)
    picture = (folder / "red" / "0.png").read_bytes()
    (tmp_path / "one" / "red" / "0.png").write_bytes(picture)
    page = tmp_path / "page.html"
    code, found, _ = evaluated(pack, tmp_path / "one", "--report", page, "--by", "label")
    assert code == 0
    assert (found["n"], found["accuracy"]) == (1, 1.0)
    assert found["accuracy_low"] == pytest.approx(0.2065)
    assert found["auc"] is None
    assert found["alarms"]["red"]["auc"]["value"] is None
    assert found["figures"]["kappa"]["low"] is None
    assert "No sample is green, blue" in found["warnings"][1]
    assert "There is none." in page.read_text()

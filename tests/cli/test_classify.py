"""`firstread classify` answers a line for every sample, and never stops at a bad one."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from firstread.cli.main import main
from tests.dicom_for_tests import cell_dicom
from tests.images_for_tests import (
    as_png,
    blurred_png,
    cell,
    cell_png,
    every_form,
    not_pictures,
    save,
    yellow_png,
)
from tests.packs_for_tests import make_pack


@pytest.fixture
def packs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "packs"
    make_pack(folder)
    make_pack(folder, kind="measurements")
    monkeypatch.setenv("FIRSTREAD_PACKS", str(folder))
    return folder


def _classify(*words: str | Path, given: bytes | None = None) -> Result:
    return CliRunner().invoke(main, ["classify", *map(str, words)], input=given)


def _lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_one_picture_gives_one_object_with_every_key(packs: Path, tmp_path: Path) -> None:
    picture = tmp_path / "cell.png"
    picture.write_bytes(cell_png("red"))
    result = _classify(picture, "--pack", "colour", "--json")
    assert result.exit_code == 0
    (answer,) = _lines(result)
    assert list(answer) == [
        "path", "verdict", "label", "probability", "findings", "groups", "finding_set",
        "familiarity", "alarms", "unfit", "pack", "version", "ms",
    ]  # fmt: skip
    assert answer["path"] == str(picture)
    assert answer["label"] == "red" == answer["findings"][0]["label"]
    assert answer["familiarity"]["familiar"] is True
    assert (answer["pack"], answer["version"]) == ("colour", "1.0.0")


def test_a_folder_is_read_whole_sorted_and_a_bad_file_stops_nothing(
    packs: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "samples"
    (folder / "deep").mkdir(parents=True)
    for name, data in {**every_form(cell()), **not_pictures()}.items():
        (folder / "deep" / name.replace(" ", "_")).write_bytes(data)
    (folder / "a.png").write_bytes(cell_png("blue"))
    (folder / ".DS_Store").write_bytes(b"hidden")
    result = _classify(folder, tmp_path / "absent.png", "--pack", "colour", "--json")
    assert result.exit_code == 1
    answers = _lines(result)
    assert [a["path"] for a in answers[:-1]] == sorted(a["path"] for a in answers[:-1])
    assert len(answers) == len(every_form(cell())) + len(not_pictures()) + 2
    failed = [answer for answer in answers if "error" in answer]
    assert len(failed) == len(not_pictures()) + 1
    assert failed[-1] == {
        "path": str(tmp_path / "absent.png"),
        "error": "There is no such file. Check the path.",
    }


def test_without_json_a_person_can_read_it(packs: Path, tmp_path: Path) -> None:
    (tmp_path / "red.png").write_bytes(cell_png("red"))
    (tmp_path / "blurred.png").write_bytes(blurred_png("green"))
    result = _classify(tmp_path / "red.png", tmp_path / "blurred.png", "--pack", "colour")
    red, blurred = result.stdout.splitlines()
    assert "ALARM red" in red
    assert "Unfit for a first read: The picture is blurred" in blurred


def test_where_no_finding_stands_the_line_says_so_in_its_place_and_the_end_how_often(
    packs: Path, tmp_path: Path
) -> None:
    samples = tmp_path / "samples"
    samples.mkdir()
    for name, data in (("a", cell_png("red")), ("b", yellow_png()), ("c", blurred_png("red"))):
        (samples / f"{name}.png").write_bytes(data)
    result = _classify(samples, "--pack", "colour")
    _, other, _ = result.stdout.splitlines()
    assert "Not the kind of picture this was made for." in other
    assert "(would have said " in other
    assert "ALARM" not in other
    assert (
        "For 2 of 3 samples no finding stands: 1 not the kind of picture this was made for, "
        "1 unfit (blurred)." in result.stderr
    )
    (answer,) = _lines(_classify(samples / "b.png", "--pack", "colour", "--json"))
    assert (answer["label"], answer["probability"], answer["alarms"]) == (None, None, [])
    assert answer["verdict"]["doubt"] == "wrong_kind"


def test_figures_count_what_the_pack_says_also_where_it_does_not_stand(
    packs: Path, tmp_path: Path
) -> None:
    for label, data in (("red", blurred_png("red")), ("green", cell_png("green"))):
        (tmp_path / "s" / label).mkdir(parents=True)
        (tmp_path / "s" / label / "1.png").write_bytes(data)
    result = _classify(tmp_path / "s", "--pack", "colour")
    assert "Counted, though no finding stands for them: 1 unfit (blurred)." in result.stdout
    (*_, last) = _lines(_classify(tmp_path / "s", "--pack", "colour", "--json"))
    assert (last["summary"]["true_positives"], last["summary"]["labels_n"]) == (1, 2)


def test_the_input_can_be_read(packs: Path) -> None:
    result = _classify("-", "--pack", "colour", "--json", given=cell_png("green"))
    (answer,) = _lines(result)
    assert (answer["path"], answer["label"]) == ("-", "green")


def test_an_empty_folder_is_an_error_and_not_silence(packs: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = _classify(tmp_path / "empty", "--pack", "colour", "--json")
    assert result.exit_code == 1
    assert "holds no files" in _lines(result)[0]["error"]


def test_odd_file_names_do_no_harm(packs: Path, tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path / "odd")
    os.mkdir(folder)  # noqa: PTH102  pathlib makes no name that is not UTF-8
    for name in (b"\xff\xfe.png", b"new\nline.png", b"\x1b[2Jred.png"):
        with open(folder + b"/" + name, "wb") as file:  # noqa: PTH123
            file.write(cell_png())
    for option in ((), ("--json",)):
        result = _classify(tmp_path / "odd", "--pack", "colour", *option)
        assert result.exit_code == 0
        assert len(result.stdout.splitlines()) == 3
        assert "\x1b" not in result.stdout


def test_rows_of_a_table_are_read_with_their_lines(packs: Path, tmp_path: Path) -> None:
    table = tmp_path / "rows.csv"
    table.write_text("size,shape,nuclei,note\n9,9,?,x\n1,,3,x\n1,2,3,x\n1,11,3,x\n")
    result = _classify(table, "--pack", "sizes", "--json")
    assert result.exit_code == 1
    answers = _lines(result)
    assert [answer["line"] for answer in answers] == [2, 3, 4, 5]
    assert [answer.get("label") for answer in answers] == ["malignant", None, "benign", None]
    assert "Cell shape is missing" in answers[1]["error"]
    assert "between 1 and 10, not 11" in answers[3]["error"]
    assert len(answers[0]["contributions"]) == 3


def test_json_holds_one_row_or_several(packs: Path, tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text('{"size": 1, "shape": 1}')
    (tmp_path / "two.json").write_text('[{"size": 1, "shape": 1}, {"size": 10, "shape": 10}]')
    answers = _lines(
        _classify(tmp_path / "one.json", tmp_path / "two.json", "--pack", "sizes", "--json")
    )
    assert [answer["label"] for answer in answers] == ["benign", "benign", "malignant"]
    assert [answer.get("line") for answer in answers] == [None, 1, 2]


def test_a_picture_for_a_pack_of_measurements_says_so(packs: Path, tmp_path: Path) -> None:
    (tmp_path / "cell.png").write_bytes(as_png(cell()))
    result = _classify(tmp_path / "cell.png", "--pack", "sizes", "--json")
    assert result.exit_code == 1
    assert "error" in _lines(result)[0]


def test_a_damaged_pack_is_refused_before_anything_is_read(packs: Path, tmp_path: Path) -> None:
    (packs / "colour" / "card.md").write_text("changed", encoding="utf-8")
    result = _classify(tmp_path, "--pack", "colour", "--json")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "card.md is not as it was sealed" in result.stderr


def _labelled(folder: Path) -> Path:
    """Two red cells, one of them called green, and a blue one, in folders that name labels."""
    for name, colour, seed in (("red/a", "red", 1), ("green/b", "red", 2), ("blue/c", "blue", 3)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.png").write_bytes(cell_png(colour, seed=seed))
    return folder


def test_where_labels_are_known_each_answer_is_compared_and_figures_follow(
    packs: Path, tmp_path: Path
) -> None:
    folder = _labelled(tmp_path / "samples")
    (folder / "red" / "broken.png").write_bytes(b"no picture")
    (folder / "odd.png").write_bytes(cell_png("green"))
    result = _classify(folder, "--pack", "colour")
    odd, blue, green, red, broken = result.stdout.splitlines()[:5]
    assert "odd.png                  green" in odd
    assert "true negative   blue" in blue
    assert "false positive  red" in green
    assert "truly green" in green
    assert "true positive   red" in red
    assert "ERROR" in broken
    told = result.stdout.split("\n\n", 1)[1]
    assert "4 from the names of folders" in told
    assert "an alarm of red, whose probability reaches the pack's operating point" in told
    assert "Not counted: 1 could not be read, 1 without a known label." in told
    assert "true positives             1\nfalse positives            1" in told
    assert "specificity            0.500  (0.095-0.905)" in told
    assert "label right            0.667  (0.208-0.939) of 3" in told


def test_with_json_each_object_has_its_truth_and_the_last_one_the_figures(
    packs: Path, tmp_path: Path
) -> None:
    *answers, last = _lines(_classify(_labelled(tmp_path / "s"), "--pack", "colour", "--json"))
    assert [(each["truth"], each["outcome"]) for each in answers] == [
        ("blue", "true negative"),
        ("green", "false positive"),
        ("red", "true positive"),
    ]
    figures = last["summary"]
    assert (figures["n"], figures["true_positives"], figures["false_negatives"]) == (3, 1, 0)
    assert figures["recall"]["value"] == 1.0
    assert figures["truths"] == {"the names of folders": 3}


def test_names_of_the_leukaemia_image_database_are_understood(packs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "ALL_IDB"
    folder.mkdir()
    for name, colour in (("Im001_1", "red"), ("Im002_0", "green"), ("Im003_1", "blue")):
        (folder / f"{name}.png").write_bytes(cell_png(colour))
    *answers, _ = _lines(_classify(folder, "--pack", "colour", "--json"))
    assert [each["outcome"] for each in answers] == [
        "true positive", "true negative", "false negative",
    ]  # fmt: skip


def test_a_table_beside_the_samples_is_no_sample(packs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "samples"
    folder.mkdir()
    (folder / "a.png").write_bytes(cell_png("red"))
    (folder / "labels.csv").write_text("path,label\na.png,red\ngone.png,blue\n")
    result = _classify(folder, "--pack", "colour", "--json")
    assert result.exit_code == 0
    assert [each.get("outcome") for each in _lines(result)] == ["true positive", None]
    assert "1 of 2: the first is 'gone.png'" in result.stderr
    (folder / "a.png").unlink()
    assert "holds no files" in _classify(folder, "--pack", "colour").stdout


def test_who_wants_no_comparison_gets_the_plain_lines(packs: Path, tmp_path: Path) -> None:
    folder = _labelled(tmp_path / "s")
    result = _classify(folder, "--pack", "colour", "--json", "--labels", "none")
    assert len(_lines(result)) == 3
    assert all("truth" not in each for each in _lines(result))


@pytest.mark.data
def test_the_figures_are_those_that_evaluate_gives() -> None:
    """On Wolberg's breast cytology, whose table names the class of each row."""
    from firstread.datasets import open_dataset
    from firstread.evaluation import evaluate
    from firstread.packs import find_pack
    from firstread.runtime import open_reader

    root = Path(__file__).parents[2]
    data = Path(os.environ.get("FIRSTREAD_DATASETS") or root.parent / "shared" / "data")
    table = data / "breast-cytology" / "measurements.csv"
    if not table.is_file():
        pytest.skip(f"there is no {table.name} of breast cytology in {data}")
    pack = find_pack(str(root / "packs" / "breast-cytology"))
    found = evaluate(open_reader(pack), open_dataset(table.parent))
    figures = _lines(_classify(table, "--pack", pack, "--json"))[-1]["summary"]
    (benign, malignant) = found.confusion
    assert figures["n"] == found.n
    assert figures["labels_right"]["value"] == pytest.approx(found.accuracy.value, abs=1e-6)
    assert figures["true_positives"] + figures["false_negatives"] == sum(malignant)
    assert figures["true_negatives"] + figures["false_positives"] == sum(benign)
    by_label = {each.label: each for each in found.labels}
    assert figures["auc"] == pytest.approx(by_label["malignant"].auc, abs=1e-6)


def test_a_person_who_watches_sees_how_far_it_is(packs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "many" / "red"
    folder.mkdir(parents=True)
    for number in range(12):
        (folder / f"{number}.png").write_bytes(cell_png("red", seed=number))
    screen, end = pty.openpty()
    words = [sys.executable, "-m", "firstread", "classify", str(folder), "--pack", "colour"]
    environment = os.environ | {"COLUMNS": "120", "TERM": "xterm"}
    run = subprocess.Popen(words, stdout=end, stderr=end, env=environment)
    os.close(end)
    seen = b""
    try:
        while more := os.read(screen, 65536):
            seen += more
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(screen)
    assert run.wait() == 0
    shown = seen.decode()
    assert shown.count("true positive   red") == 12
    assert "12/12" in shown
    assert "95 % interval" in shown


def test_other_labels_may_count_as_positive(packs: Path, tmp_path: Path) -> None:
    folder = _labelled(tmp_path / "s")
    *answers, _ = _lines(_classify(folder, "--pack", "colour", "--json", "--positive", "blue"))
    assert [each["outcome"] for each in answers] == [
        "true positive", "true negative", "true negative",
    ]  # fmt: skip
    wrong = _classify(folder, "--pack", "colour", "--positive", "blast")
    assert wrong.exit_code == 2
    assert "'blast', which is no label of colour. It has: red, green, blue" in wrong.stderr


def test_labels_that_fit_no_sample_are_refused(packs: Path, tmp_path: Path) -> None:
    folder = _labelled(tmp_path / "s")
    table = tmp_path / "truth.csv"
    table.write_text("path,label\nelsewhere.png,red\n")
    result = _classify(folder, "--pack", "colour", "--labels", table)
    assert result.exit_code == 1
    assert "says of none of the 3 samples" in result.stderr
    assert result.stdout == ""


def test_a_table_of_measurements_may_say_what_its_rows_show(packs: Path, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("size,shape,nuclei,class\n9,9,9,4\n1,1,1,4\n1,1,1,odd\n")
    (tmp_path / "rows.json").write_text('[{"size": 1, "shape": 1, "label": "benign"}]')
    result = _classify(tmp_path / "rows.csv", tmp_path / "rows.json", "--pack", "sizes", "--json")
    assert result.exit_code == 0
    *answers, last = _lines(result)
    assert [each.get("outcome") for each in answers] == [
        "true positive", "false negative", None, "true negative",
    ]  # fmt: skip
    assert last["summary"]["truths"] == {"the table's own column": 3}
    assert "1 rows have a label that the pack does not know, such as 'odd'" in result.stderr


def test_the_page_that_was_read_of_several_is_said(packs: Path, tmp_path: Path) -> None:
    pages = [cell("red"), cell("blue")]
    (tmp_path / "a.tif").write_bytes(save(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    assert "(Page 1 of 2 was read.)" in _classify(tmp_path / "a.tif", "--pack", "colour").stdout
    (answer,) = _lines(_classify(tmp_path / "a.tif", "--pack", "colour", "--json"))
    assert answer["notes"] == ["Page 1 of 2 was read."]


def test_a_dicom_picture_reads_as_the_same_picture_in_png(packs: Path, tmp_path: Path) -> None:
    files = [tmp_path / "a.dcm", tmp_path / "a.png"]
    files[0].write_bytes(cell_dicom("blue"))
    files[1].write_bytes(cell_png("blue"))
    dicom, png = _lines(_classify(*files, "--pack", "colour", "--json"))
    assert dicom["findings"] == png["findings"]

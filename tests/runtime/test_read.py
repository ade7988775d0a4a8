"""A pack and a sample become a read; a pack that answers otherwise is refused."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import pytest
from msgspec.structs import replace
from onnx import numpy_helper
from PIL import Image, ImageFilter

from firstread.domain.errors import BadMeasurement, PackRefused, UnreadableSample
from firstread.packs import open_manifest, seal
from firstread.packs.write import manifest_to_toml
from firstread.runtime import PackReader, measurements_as_bytes, open_reader
from tests.images_for_tests import as_png, cell, cell_png, every_form, save
from tests.packs_for_tests import COLOURS, LABELS_WITH_UNFIT, SIDE_PX, make_pack


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_pack(tmp_path_factory.mktemp("packs"))


@pytest.fixture(scope="module")
def reader(pack: Path) -> PackReader:
    return open_reader(pack)


@pytest.fixture(scope="module")
def sizes(tmp_path_factory: pytest.TempPathFactory) -> PackReader:
    return open_reader(make_pack(tmp_path_factory.mktemp("packs"), kind="measurements"))


@pytest.mark.parametrize("colour", COLOURS)
def test_a_cell_is_read_whole(reader: PackReader, colour: str) -> None:
    data = cell_png(colour, seed=42)
    outcome = reader.read(data)
    read = outcome.read
    assert read.label == colour == read.findings[0].label
    assert read.probability == read.findings[0].probability
    assert sum(finding.probability for finding in read.findings) == pytest.approx(1)
    assert read.finding_set[0] == colour
    assert read.coverage == 0.95
    assert read.familiarity is not None
    assert read.familiarity.familiar
    assert read.alarms == (("red",) if colour == "red" else ())
    assert read.unfit is None
    assert read.sample_sha256 == hashlib.sha256(data).hexdigest()
    assert read.pack_sha256 == reader.pack_sha256
    assert read.runtime.startswith("onnxruntime ")
    assert outcome.logits.shape == (3,)
    assert outcome.embedding is not None
    assert outcome.embedding.shape == (3,)
    assert outcome.evidence is not None
    assert outcome.evidence.shape == (3, SIDE_PX // 4, SIDE_PX // 4)


def test_the_same_sample_gives_the_same_numbers_from_every_thread(reader: PackReader) -> None:
    samples = [cell_png(colour, seed=seed) for colour in COLOURS for seed in range(8)]
    alone = [reader.read(data).logits for data in samples]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda data: reader.read(data).logits, samples * 3))
    for number, logits in enumerate(together):
        assert np.array_equal(logits, alone[number % len(samples)])


@pytest.mark.parametrize("form", every_form(cell()))
def test_every_form_is_read(reader: PackReader, form: str) -> None:
    shown = cell().convert("L").convert("RGB") if form.startswith("grey") else cell()
    plain, outcome = reader.read(as_png(shown)), reader.read(every_form(cell())[form])
    assert np.allclose(outcome.logits, plain.logits, atol=0.02)
    assert outcome.embedding is not None
    assert plain.embedding is not None
    assert np.allclose(outcome.embedding, plain.embedding, atol=0.02)
    assert form.startswith("grey") or outcome.read.label == "red"


BLURRED = cell().filter(ImageFilter.GaussianBlur(12))


@pytest.mark.parametrize(
    ("picture", "sentence"),
    [
        (BLURRED, "is blurred: take it again in focus"),
        (
            BLURRED.resize((12, 12)),
            f"is too small, 12 x 12 pixels of {SIDE_PX} x {SIDE_PX}: send it",
        ),
        (Image.new("RGB", (64, 64), "black"), "is too dark"),
        (Image.new("RGB", (64, 64), "white"), "is too bright"),
        (Image.new("RGB", (64, 64), (150, 120, 120)), "shows almost nothing"),
    ],
)
def test_a_bad_picture_is_unfit_with_the_remedy(
    reader: PackReader, picture: Image.Image, sentence: str
) -> None:
    read = reader.read(as_png(picture)).read
    assert read.unfit is not None
    assert sentence in read.unfit


def test_a_label_may_itself_ask_for_a_better_picture(tmp_path: Path) -> None:
    reader = open_reader(make_pack(tmp_path, labels=LABELS_WITH_UNFIT))
    unfit = reader.read(cell_png("blue")).read.unfit
    assert unfit == "The model cannot identify this cell: take a better picture."
    assert reader.read(cell_png("red")).read.unfit is None


def test_what_the_pack_never_saw_is_unfamiliar(reader: PackReader) -> None:
    yellow = np.zeros((64, 64, 3), dtype=np.uint8)
    yellow[..., :2] = np.random.default_rng(1).integers(120, 220, (64, 64, 1))
    familiarity = reader.read(as_png(Image.fromarray(yellow))).read.familiarity
    assert familiarity is not None
    assert not familiarity.familiar
    assert 0 < familiarity.score < 0.001


def test_measurements_are_read_with_exact_contributions(sizes: PackReader) -> None:
    outcome = sizes.read_measurements({"size": 9, "shape": 8.0, "nuclei": None})
    read = outcome.read
    assert read.label == "malignant"
    assert read.alarms == ("malignant",)
    assert [each.measurement for each in read.contributions] == ["size", "shape", "nuclei"]
    assert read.contributions[2].value is None
    assert read.contributions[2].logits == (0, 0)
    bias = np.array([0.25, -0.25])
    total = bias + np.sum([each.logits for each in read.contributions], axis=0)
    assert np.allclose(total, outcome.logits, atol=1e-5)
    assert read.familiarity is not None
    assert outcome.evidence is None


def test_missing_absent_and_a_question_mark_are_the_same_sample(sizes: PackReader) -> None:
    ways = [{"nuclei": None}, {}, {"nuclei": "?"}, {"nuclei": ""}]
    outcomes = [sizes.read_measurements({"size": 2, "shape": "3.0"} | way) for way in ways]
    outcomes.append(sizes.read(measurements_as_bytes({"shape": 3, "size": 2})))
    assert len({outcome.read.sample_sha256 for outcome in outcomes}) == 1


@pytest.mark.parametrize(
    ("values", "field", "sentence"),
    [
        ({"size": 2}, "shape", r"Cell shape \(shape\) is missing. Give a number from 1 to 10"),
        ({"size": 11, "shape": 1}, "size", "must lie between 1 and 10, not 11"),
        ({"size": "many", "shape": 1}, "size", "must be a number, not 'many'"),
        ({"size": "1_0", "shape": 1}, "size", "must be a number"),
        ({"size": True, "shape": 1}, "size", "must be a number, not True"),
        ({"size": float("inf"), "shape": 1}, "size", "must be a number"),
        ({"size": 10**400, "shape": 1}, "size", "must be a number"),
        ({"size": [1], "shape": 1}, "size", "must be a number"),
        ({"size": 1, "shape": 1, "weight": 3}, "weight", "'weight' is no measurement"),
    ],
)
def test_a_bad_measurement_names_its_field(
    sizes: PackReader, values: dict[str, object], field: str, sentence: str
) -> None:
    with pytest.raises(BadMeasurement, match=sentence) as refusal:
        sizes.read_measurements(values)  # type: ignore[arg-type]
    assert refusal.value.field == field


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"3", b"[1]", b"\xff", b"[" * 100_000])
def test_what_is_no_row_is_unreadable(sizes: PackReader, data: bytes) -> None:
    with pytest.raises(UnreadableSample):
        sizes.read(data)


def test_a_measurement_given_twice_is_refused_by_name(sizes: PackReader) -> None:
    with pytest.raises(BadMeasurement, match="'size' is given twice") as refused:
        sizes.read(b'{"size": 1, "shape": 2, "nuclei": 3, "size": 9}')
    assert refused.value.field == "size"


def test_measurements_for_a_pack_of_pictures_are_refused(reader: PackReader) -> None:
    with pytest.raises(UnreadableSample, match="reads pictures"):
        reader.read_measurements({"size": 1})


def test_a_pack_that_answers_differently_here_is_refused(pack: Path) -> None:
    network = onnx.load(str(pack / "model.onnx"))
    for each in network.graph.initializer:
        if each.name == "mixes":
            weights = numpy_helper.to_array(each) * np.float32(1.01)
            each.CopyFrom(numpy_helper.from_array(weights, "mixes"))
    _with_network(pack, network, sentence="answers differently on this machine")


def test_a_network_of_another_form_is_refused(pack: Path) -> None:
    network = onnx.load(str(pack / "model.onnx"))
    network.graph.output[0].name = "answers"
    network.graph.node[-3].output[0] = "answers"
    _with_network(pack, network, sentence="no output 'logits'")


def test_a_network_that_takes_another_size_is_refused(pack: Path) -> None:
    manifest = open_manifest(pack)
    assert manifest.input is not None
    other = replace(manifest, input=replace(manifest.input, width_px=SIDE_PX * 2))
    toml = manifest_to_toml(other).encode()
    _with_bytes(pack, "pack.toml", toml, sentence=r"does not take what its pack\.toml says")


def test_damage_that_was_sealed_is_still_refused(pack: Path) -> None:
    _with_bytes(pack, "model.onnx", b"not a network", sentence="is no network")
    _with_bytes(pack, "familiarity.npy", b"not an array", sentence="is not an array")
    _with_bytes(pack, "golden/01.png", b"%PDF", sentence="golden sample golden/01.png")


def test_a_pickle_in_a_pack_is_never_opened(pack: Path) -> None:
    import io

    out = io.BytesIO()
    np.save(out, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    _with_bytes(pack, "familiarity.npy", out.getvalue(), sentence="is not an array")


def test_a_manifest_with_other_labels_than_the_network_is_refused(pack: Path) -> None:
    manifest = open_manifest(pack)
    golden = tuple(replace(each, logits=each.logits[:2]) for each in manifest.golden)
    other = replace(manifest, labels=manifest.labels[:2], golden=golden)
    toml = manifest_to_toml(other).encode()
    _with_bytes(pack, "pack.toml", toml, sentence="one of 'logits' for each label")


def _with_network(pack: Path, network: onnx.ModelProto, *, sentence: str) -> None:
    _with_bytes(pack, "model.onnx", network.SerializeToString(), sentence=sentence)


def _with_bytes(pack: Path, name: str, data: bytes, *, sentence: str) -> None:
    before = (pack / name).read_bytes()
    try:
        (pack / name).write_bytes(data)
        with pytest.raises(PackRefused, match="damaged"):
            open_reader(pack)
        seal(pack)
        with pytest.raises(PackRefused, match=sentence):
            open_reader(pack)
    finally:
        (pack / name).write_bytes(before)
        seal(pack)


def test_what_was_chosen_of_a_file_is_told_with_its_read(reader: PackReader) -> None:
    pages = [cell("red"), cell("blue")]
    read = reader.read(save(pages[0], "TIFF", save_all=True, append_images=pages[1:])).read
    assert read.notes == ("Page 1 of 2 was read.",)
    assert read.as_answer()["notes"] == ["Page 1 of 2 was read."] == list(read.as_dict()["notes"])
    whole = reader.read(cell_png()).read
    assert "notes" not in whole.as_answer() | whole.as_dict()

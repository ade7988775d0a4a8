"""pack.toml is read strictly and written in its order."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from firstread.domain.errors import PackRefused
from firstread.packs import (
    Calibration,
    Label,
    Manifest,
    MeasurementsModel,
    Result,
    open_manifest,
    parse_manifest,
    write_manifest,
)
from firstread.packs.write import manifest_to_toml
from tests.packs_for_tests import make_pack


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return open_manifest(make_pack(tmp_path_factory.mktemp("packs")))


@pytest.fixture(scope="module")
def text(manifest: Manifest) -> str:
    return manifest_to_toml(manifest)


def test_what_is_written_is_read_again(manifest: Manifest, tmp_path: Path) -> None:
    write_manifest(manifest, tmp_path)
    assert open_manifest(tmp_path) == manifest


def test_the_file_keeps_the_order_of_the_design(text: str) -> None:
    heads = re.findall(r"^\[+([a-z_]+)\]", text, flags=re.MULTILINE)
    assert list(dict.fromkeys(heads)) == [
        "pack", "input", "quality", "label", "operating_point", "calibration", "conformal",
        "familiarity", "results", "provenance", "golden",
    ]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    title=st.text(min_size=1, max_size=40).filter(str.strip),
    numbers=st.lists(st.floats(0, 1), min_size=1, max_size=40),
    n=st.integers(0, 10**9),
)
def test_any_words_and_numbers_survive_the_file(title: str, numbers: list[float], n: int) -> None:
    results = tuple(
        Result(set=title, n=n, metric="accuracy", value=each, low=-each, high=each / 3)
        for each in numbers
    )
    labels = (
        Label(code="a", title=title, positive=True, snomed="1"),
        Label(code="b", title=title, positive=False, unfit=True),
    )
    golden = replace(MADE.golden[0], logits=(numbers[0], -numbers[-1]))
    manifest = replace(MADE, labels=labels, operating_points=(), results=results, golden=(golden,))
    assert parse_manifest(manifest_to_toml(manifest)) == manifest


def _made() -> Manifest:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        return open_manifest(make_pack(Path(folder)))


MADE = _made()


def _looks(
    *,
    reference: str = "appearance.npy",
    usual: float = 9.5,
    kind: str = "dark",
    limit: float = 3,
    twice: bool = False,
) -> str:
    way = f'[[appearance.spoiling]]\nkind = "{kind}"\ntypical = 1\nlimit = {limit}\n'
    table = f'[appearance]\nreference = "{reference}"\nusual = {usual}\nusual_neighbours = 0.2\n'
    return table + way * (2 if twice else 1)


def test_the_looks_of_a_pack_are_read(text: str) -> None:
    appearance = parse_manifest(text.replace("[input]", _looks() + "[input]", 1)).appearance
    assert appearance is not None
    assert [(each.kind, each.limit) for each in appearance.spoiling] == [("dark", 3.0)]


@pytest.mark.parametrize(
    ("find", "put", "sentence"),
    [
        ("format = 1", "format = 2", "has form 2.*Upgrade"),
        ("format = 1", "format = 0", "'format' must be 1 or more"),
        ("format = 1", 'format = "1"', "'format' must be a whole number"),
        ("format = 1", "format = 1\ncolour = 1", "has 'colour', which this Firstread"),
        ('kind = "image"', 'kind = "film"', "'pack.kind' must be one of image, measurements"),
        ('kind = "image"', 'kind = "image"\nloss = 3', "has 'pack.loss'"),
        ('name = "colour"', 'name = "../colour"', "'pack.name' must be small letters"),
        ('version = "1.0.0"', 'version = "one"', "'pack.version' must be a version such as 1.0.0"),
        ('licence = "Apache-2.0"\nintended', "intended", "lacks 'pack.licence'"),
        ("many = true", "many = 1", "'pack.many' must be true or false"),
        ('one = "cell"', 'one = "Cell"', "'pack.one' must be what one sample is called"),
        ('one = "cell"', 'one = "a  core"', "'pack.one' must be what one sample is called"),
        ('one = "cell"', 'one = "<b>"', "small letters and spaces, at most 24, not '<b>'"),
        ('one = "cell"', f'one = "{"c" * 25}"', "small letters and spaces, at most 24"),
        ('one = "cell"', 'one = ""', "'pack.one' must be what one sample is called"),
        ('one = "cell"', "one = 1", "'pack.one' must be what one sample is called.* not 1"),
        ('one = "cell"', 'one = "cell"\nreaders = 3', "'pack.readers' must be one of 1, 2, not 3"),
        ('kind = "image"', 'kind = "recording"', "'pack.one' belongs to packs of kind image"),
        ("width_px = 32", "width_px = 32.5", "'input.width_px' must be a whole number"),
        ("width_px = 32", "width_px = 0", "'input.width_px' must lie between 1 and 4096"),
        ("min_sharpness = 3.0", "min_sharpness = nan", "must be a finite number"),
        ('code = "green"', 'code = "red"', "'label.code' has 'red' twice"),
        ('label = "red"', 'label = "pink"', "names 'pink', which is no label"),
        ("[input]", _looks(reference="../a.npy") + "[input]", "'appearance.reference' leaves"),
        ("[input]", _looks(usual=0) + "[input]", "'appearance.usual' must be greater than 0"),
        ("[input]", _looks(kind="torn") + "[input]", "must be one of blurred, bright"),
        ("[input]", _looks(limit=0.5) + "[input]", "'dark' has a limit that is not above"),
        ("[input]", _looks(twice=True) + "[input]", "'appearance.spoiling.kind' has 'dark' twice"),
        ("temperature = 1.5", "temperature = 0", "'calibration.temperature' must be greater"),
        ("coverage = 0.95", "coverage = 1.95", "'conformal.coverage' must lie between 0 and 1"),
        ('"familiarity.npy"', '"/etc/passwd"', "'familiarity.reference' leaves the pack"),
        ('"golden/01.png"', '"../01.png"', "'golden.sample' leaves the pack"),
        ("k = 5", "k = 0", "'familiarity.k' must be 1 or more"),
        ("[pack]", "[pack", "is not TOML"),
        (
            'priority = "stat"',
            'priority = "soon"',
            r"\[0\].priority' must be one of asap, routine",
        ),
        ('title = "Red cell"', 'title = ""', r"'label\[0\].title' must not be empty"),
    ],
)
def test_a_surprise_is_refused_by_its_name(text: str, find: str, put: str, sentence: str) -> None:
    assert find in text
    with pytest.raises(PackRefused, match=sentence):
        parse_manifest(text.replace(find, put, 1))


def test_a_pack_without_golden_samples_is_refused(text: str) -> None:
    with pytest.raises(PackRefused, match="lacks 'golden'"):
        parse_manifest(text.partition("[[golden]]")[0])


def test_a_golden_sample_has_a_logit_for_each_label(manifest: Manifest) -> None:
    golden = (replace(manifest.golden[0], logits=(1.0,)),)
    with pytest.raises(PackRefused, match="one logit for each label"):
        parse_manifest(manifest_to_toml(replace(manifest, golden=golden)))


def test_a_measurements_pack_needs_its_measurements(tmp_path: Path) -> None:
    whole = open_manifest(make_pack(tmp_path, kind="measurements"))
    for broken, sentence in [
        (replace(whole, measurements=()), "'measurement' is missing"),
        (
            replace(whole, measurements_model=MeasurementsModel(bias=(0.5,))),
            "'measurements_model.bias' must have one number for each label",
        ),
    ]:
        with pytest.raises(PackRefused, match=sentence):
            write_manifest(broken, tmp_path)
    assert not (tmp_path / "pack.toml").exists()


def test_a_pack_that_is_not_calibrated_says_so_and_changes_no_probability(
    manifest: Manifest,
) -> None:
    plain = replace(manifest, calibration=Calibration(method="none", temperature=1.0))
    assert parse_manifest(manifest_to_toml(plain)).calibration.method == "none"
    warm = replace(manifest, calibration=Calibration(method="none", temperature=2.0))
    with pytest.raises(PackRefused, match="must be 1 where the method is none"):
        parse_manifest(manifest_to_toml(warm))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_text_raises_anything_else(data: st.DataObject) -> None:
    text = manifest_to_toml(MADE)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 60)))
    put = data.draw(st.text(max_size=30))
    with suppress(PackRefused):
        assert parse_manifest(text[:start] + put + text[end:]).labels


def test_a_folder_without_a_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PackRefused, match=r"no readable pack\.toml"):
        open_manifest(tmp_path)

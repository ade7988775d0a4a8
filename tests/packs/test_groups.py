"""Groups of labels in pack.toml: written and read again, and every contradiction is named."""

from __future__ import annotations

import re

import pytest

from firstread.domain.errors import PackRefused
from firstread.packs import open_manifest, parse_manifest
from firstread.packs.write import manifest_to_toml
from tests.packs_for_tests import WARM, make_pack


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    pack = make_pack(tmp_path_factory.mktemp("packs"), groups=[WARM])
    return manifest_to_toml(open_manifest(pack))


def test_groups_are_read_again_as_they_were_written(text: str) -> None:
    manifest = parse_manifest(text)
    assert manifest.groups == (WARM,)
    assert manifest.positive == ("red", "green")
    assert [each.code for each in manifest.answers] == ["red", "green", "blue", "warm"]
    assert (manifest.title("warm"), manifest.title("nothing")) == ("Warm cell", "nothing")
    heads = re.findall(r"^\[\[([a-z_]+)\]", text, flags=re.MULTILINE)
    assert heads.index("group") == heads.index("operating_point") - 1


def test_a_pack_without_groups_opens_as_before(text: str) -> None:
    bare = re.sub(r"\[\[group\]\]\n(.+\n)+", "", text)
    assert parse_manifest(without_point(bare)).groups == ()


def without_point(text: str) -> str:
    """The same without the group's operating point."""
    return re.sub(r'\[\[operating_point\]\]\nlabel = "warm"\n(.+\n)+', "", text)


@pytest.mark.parametrize(
    ("find", "put", "sentence"),
    [
        ('code = "warm"', 'code = "red"', "'group.code' has 'red', which is a label's code"),
        ('code = "warm"', 'code = "a b"', r"'group\[0\].code' must be letters, digits"),
        ('    "green",\n]', '    "pink",\n]', "group 'warm' names 'pink', which is no label"),
        ('    "green",\n]', '    "red",\n]', "'group.warm.labels' has 'red' twice"),
        ('    "green",\n]', "]", "must name two labels or more, and not all"),
        ('    "green",\n]', '    "green",\n    "blue",\n]', "two labels or more, and not all"),
        ('label = "warm"', 'label = "cold"', "names 'cold', which is no label"),
    ],
)
def test_a_contradiction_of_a_group_is_named(text: str, find: str, put: str, sentence: str) -> None:
    assert find in text
    text = text if "label = " in find else without_point(text)
    with pytest.raises(PackRefused, match=sentence):
        parse_manifest(text.replace(find, put, 1))

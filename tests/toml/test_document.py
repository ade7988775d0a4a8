"""A document's mistakes are told by the key, in the words of the document's kind."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Meta

from firstread.domain.errors import BadConfiguration
from firstread.toml import Document, Number, Positive, Secret, Share, Table, Text, Wrong, within

LIST = Document(
    refusal=BadConfiguration,
    damaged="{name} is damaged: {why}.",
    lacks="It lacks '{key}'.",
    unknown="'{key}' is unknown beside {known}.",
    wrong="'{key}' {demand}.",
)


class Bed(Table, frozen=True, kw_only=True):
    number: Annotated[int, Meta(ge=1)]
    share: Share = 0.5


class Ward(Table, frozen=True, kw_only=True):
    title: Text
    beds: Annotated[tuple[Bed, ...], Meta(min_length=1)] = (Bed(number=1),)
    side: Literal["left", "right"] = "left"
    warmth: Number = 21
    height_m: Positive = 3
    code: Annotated[str, Meta(pattern="^[a-z]+$", description="small letters")] | None = None
    lit: bool = True
    place: Path | None = None
    key: Secret = Secret()
    words: dict[str, str] = {}  # noqa: RUF012 - it is copied

    def __post_init__(self) -> None:
        if self.title == self.code:
            raise Wrong("code", "is the title")
        with within("title"):
            if self.title == "bad":
                raise BadConfiguration("That is no title. Find another.")


def read(text: str) -> Ward:
    return LIST.value(Ward, LIST.parse(text, name="List"))


def test_a_table_becomes_a_frozen_value():
    ward = read('title = "A"\nwarmth = 20\nplace = "/a"\nkey = "hush"\n[[beds]]\nnumber = 3')
    assert (ward.beds, ward.warmth, ward.place) == ((Bed(number=3),), 20.0, Path("/a"))
    assert ward.key == "hush"
    assert "hush" not in repr(ward)
    with pytest.raises(AttributeError):
        ward.title = "B"  # type: ignore[misc]  # that is refused is what is tried


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "It lacks 'title'."),
        ("title = 3", "'title' must be a text, not 3."),
        ('title = " "', "'title' must not be empty."),
        ('title = "bad"', "'title' does not hold what it should: that is no title. Find another."),
        ('title = "a"\ncode = "a"', "'code' is the title."),
        ('title = "a"\ncode = "A"', "'code' must be small letters, not 'A'."),
        ('title = "a"\nsid = 1', "'sid' is unknown beside title, beds, side, warmth, height_m"),
        ('title = "a"\nbeds = []', "'beds' must be tables, each written [[beds]], 1 or more."),
        ('title = "a"\n[beds]', "'beds' must be tables, each written [[beds]], not a table."),
        ('title = "a"\nbeds = [1]', "'beds[0]' must be a table, written [beds[0]], not 1."),
        ('title = "a"\n[[beds]]', "It lacks 'beds[0].number'."),
        ('title = "a"\n[[beds]]\nnumber = 0', "'beds[0].number' must be 1 or more, not 0."),
        ('title = "a"\n[[beds]]\nnumber = 1.5', "'beds[0].number' must be a whole number, not 1.5"),
        (
            'title = "a"\n[[beds]]\nnumber = 1\nshare = 2',
            "'beds[0].share' must lie between 0 and 1",
        ),
        ('title = "a"\n[[beds]]\nnumber = 1\nsher = 2', "'beds[0].sher' is unknown beside number"),
        ('title = "a"\nside = "up"', "'side' must be one of left, right, not 'up'."),
        ('title = "a"\nwarmth = nan', "'warmth' must be a finite number, not nan."),
        ('title = "a"\nwarmth = true', "'warmth' must be a finite number, not true."),
        ('title = "a"\nheight_m = 0', "'height_m' must be greater than 0, not 0."),
        ('title = "a"\nlit = 1', "'lit' must be true or false, not 1."),
        ('title = "a"\nkey = 1234', "'key' must be a text."),
        (
            'title = "a"\n[words]\na = 1',
            "'words' must be a table, each key of which holds a text.",
        ),
        ("title = ", "List is damaged: Invalid value"),
        (f"title = {'9' * 5000}", "List is damaged: "),
    ],
)
def test_a_mistake_is_told_by_its_key(text: str, sentence: str):
    with pytest.raises(BadConfiguration) as told:
        read(text)
    assert str(told.value).startswith(sentence)


def test_a_table_within_a_document_is_named_whole():
    with pytest.raises(BadConfiguration, match=r"'room\.bed\.number' must be 1 or more"):
        LIST.value(Bed, {"number": 0}, where="room.bed")


def test_of_a_variable_a_text_may_stand_for_a_number():
    assert LIST.value(Bed, {"number": "7"}, strict=False).number == 7
    with pytest.raises(BadConfiguration, match=r"'number' must be 1 or more, not '-7'"):
        LIST.value(Bed, {"number": "-7"}, strict=False)


def test_a_text_may_begin_with_a_byte_order_mark():
    assert LIST.parse(b"\xef\xbb\xbfa = 1", name="List") == {"a": 1}
    with pytest.raises(BadConfiguration, match="List is damaged"):
        LIST.parse(b"a = '\xff'", name="List")


@settings(max_examples=200, deadline=None)
@given(key=st.text(max_size=20), under=st.sampled_from(["", "$.beds[0]", "` - at `$.side"]))
def test_no_name_of_a_key_raises_anything_else(key: str, under: str):
    with pytest.raises(BadConfiguration):
        LIST.value(Ward, {"title": "a", f"{key}{under}": 1, "beds": [{"number": 1, key: {}}]})

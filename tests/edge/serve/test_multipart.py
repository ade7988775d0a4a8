from __future__ import annotations

import pytest

from firstread.domain.errors import BadRequest
from firstread.edge.serve.protocols.multipart import MAX_PARTS, parts_of

FORM = "multipart/form-data; boundary=edge"


def part(data: bytes, *, name: str = "file", file_name: str | None = "a.png") -> bytes:
    named = f'; filename="{file_name}"' if file_name else ""
    head = f'--edge\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'
    return head.encode() + data + b"\r\n"


def test_parts_come_whole_and_in_their_order():
    tricky = b"\r\n--edg\r\n\x00\xff" * 50
    body = part(tricky) + part(b"", file_name="b.png") + part(b"1", name="n", file_name=None)
    found = parts_of(body + b"--edge--\r\n", content_type=FORM)
    assert [(each.name, each.file_name, each.data) for each in found] == [
        ("file", "a.png", tricky),
        ("file", "b.png", b""),
        ("n", None, b"1"),
    ]


def test_what_stands_before_and_behind_the_form_is_left_out():
    body = b"\r\n" + part(b"x") + b"--edge--\r\n\r\n--edge--"
    assert [each.data for each in parts_of(body, content_type=FORM)] == [b"x"]


def test_a_file_name_keeps_its_letters():
    body = part(b"x", file_name="Blutbild ä.png") + b"--edge--\r\n"
    assert parts_of(body, content_type=FORM)[0].file_name == "Blutbild ä.png"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no form at all",
        part(b"x"),
        part(b"x")[:20],
        b"--edge\r\n" + b"x" * 100_000,
        b"--edge\r\n" + b"a: b\r\n" * 10_000,
        b"--edge\r\nbad header\r\n\r\nx\r\n--edge--\r\n",
    ],
)
def test_a_form_that_is_cut_off_or_damaged_is_refused(body):
    with pytest.raises(BadRequest, match="Send it again"):
        parts_of(body, content_type=FORM)


@pytest.mark.parametrize(
    "content_type",
    ["multipart/form-data", "multipart/form-data; boundary=", "text/plain; boundary=edge", ""],
)
def test_a_form_without_a_boundary_is_refused(content_type):
    with pytest.raises(BadRequest, match="boundary"):
        parts_of(part(b"x") + b"--edge--\r\n", content_type=content_type)


def test_a_boundary_beyond_any_length_is_refused():
    with pytest.raises(BadRequest):
        parts_of(b"x", content_type="multipart/form-data; boundary=" + "e" * 10_000)


def test_more_parts_than_anybody_sends_are_refused():
    with pytest.raises(BadRequest) as refusal:
        parts_of(part(b"x") * (MAX_PARTS + 1) + b"--edge--\r\n", content_type=FORM)
    assert refusal.value.status == 413

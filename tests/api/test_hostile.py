"""Bytes that no honest program sends are refused in the one form, and never break the server."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firstread.clinic.models import Case
from tests.images_for_tests import cell_png
from tests.programs_for_tests import Program

FORM = (
    b'--x\r\nContent-Disposition: form-data; name="check"\r\n\r\nleukaemia\r\n'
    b'--x\r\nContent-Disposition: form-data; name="sample"; filename="1.png"\r\n'
    b"Content-Type: image/png\r\n\r\n" + cell_png(side_px=16) + b"\r\n--x--\r\n"
)
TYPES = (
    "multipart/form-data; boundary=x",
    "application/json",
    "multipart/form-data; boundary=\x00",
)


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """The good form with a piece cut out and another put in, or anything at all."""
    if draw(st.booleans()):
        return draw(st.binary(max_size=200))
    begin = draw(st.integers(0, len(FORM)))
    end = draw(st.integers(begin, min(len(FORM), begin + 60)))
    return FORM[:begin] + draw(st.binary(max_size=20)) + FORM[end:]


def test_no_body_breaks_the_server(program: Callable[..., Program]) -> None:
    lab = program()

    @given(body=bodies(), media_type=st.sampled_from(TYPES))
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    def send(body: bytes, media_type: str) -> None:
        answer = lab("POST", "/cases", data=body, content_type=media_type)
        if answer.status_code in (200, 201):
            assert Case.objects.filter(pk=answer.json()["case"]["id"]).exists()
        else:
            assert answer.status_code in (400, 413, 415, 422), answer.content
            assert answer["Content-Type"] == "application/problem+json"
            assert answer.json()["detail"].endswith(".")

    send()


def test_no_address_breaks_the_server(program: Callable[..., Program]) -> None:
    lab = program()

    @given(query=st.text(max_size=30), name=st.sampled_from(["cursor", "state", "check", "limit"]))
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    def ask(query: str, name: str) -> None:
        from urllib.parse import quote

        answer = lab("GET", f"/cases?{name}={quote(query.encode(errors='replace'))}")
        assert answer.status_code in (200, 422), answer.content

    ask()

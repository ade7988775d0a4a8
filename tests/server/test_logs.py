"""The log: what went wrong and where, and nothing about a patient."""

from __future__ import annotations

import io
import logging
import pkgutil

from firstread.server.logs import logging_of


def test_an_error_is_logged_with_its_place_and_without_its_words() -> None:
    form = logging_of(demo=False)["formatters"]["line"]
    lines = pkgutil.resolve_name(form["class"])(form["format"], style=form["style"])
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(lines)
    log = logging.getLogger("firstread.tests.logs")
    log.addHandler(handler)
    patient = "MRN-" + "865102"
    try:
        _refuses(patient)
    except ValueError:
        log.exception("Internal Server Error: /cases/7")
    assert "ValueError" in out.getvalue()
    assert "in _refuses" in out.getvalue()
    assert "/cases/7" in out.getvalue()
    assert patient not in out.getvalue()


def _refuses(value: str) -> None:
    raise ValueError(f"Key (identifier)=({value}) already exists")

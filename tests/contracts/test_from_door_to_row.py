"""From door to row in four calls: a reader follows one picture with a finger.

Counted is, at the moment in which the database is given `INSERT INTO clinic_casesample`, each
function of Firstread that stands on the stack above the door's own function, lambdas and
comprehensions too; neither that function itself, nor what Django, ninja and Python put between.
The door's own function is the view, the route, and for the folder the function that is given the
files which the inbox has claimed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from msgspec.structs import replace

import firstread
from firstread.clinic.doors.folder import door_of
from firstread.clinic.models import CaseSample
from tests.clinic_for_tests import Clinic
from tests.images_for_tests import cell_png
from tests.programs_for_tests import make_program

MOST_CALLS = 4
OURS = str(Path(firstread.__file__).parent)


@contextmanager
def stacks_of_inserts(table: str) -> Iterator[list[list[str]]]:
    """The functions of Firstread on the stack, outermost first, at each insert into the table."""
    seen: list[list[str]] = []

    def look(execute: Callable[..., Any], sql: str, *more: Any) -> Any:
        if sql.startswith(f'INSERT INTO "{table}"'):
            names, frame = [], sys._getframe()
            while frame is not None:
                if frame.f_code.co_filename.startswith(OURS):
                    names.append(frame.f_code.co_qualname)
                frame = frame.f_back  # type: ignore[assignment]  # None ends it
            seen.append(names[::-1])
        return execute(sql, *more)

    with connection.execute_wrapper(look):
        yield seen


def calls_after(door: str, stack: list[str]) -> list[str]:
    return stack[stack.index(door) + 1 :]


def through_the_page(clinic: Clinic, _: Path) -> None:
    http = Client()
    http.force_login(clinic.tech)
    sample = BytesIO(cell_png())
    sample.name = "cell.png"
    http.post("/put-in", {"check": "leukaemia", "accession": "7", "sample": sample})


def through_the_api(_: Clinic, __: Path) -> None:
    sample = BytesIO(cell_png())
    sample.name = "cell.png"
    make_program().put_in(sample, check="leukaemia", accession="7", key="once")


def through_the_form(clinic: Clinic, _: Path) -> None:
    http = Client()
    http.force_login(clinic.tech)
    row = {"m-size": "1", "m-shape": "1", "m-nuclei": "1"}
    http.post("/put-in", {"check": "breast-cytology", "way": "form", **row})


def as_json(_: Clinic, __: Path) -> None:
    row = {"size": 1, "shape": 1, "nuclei": 1}
    make_program()("POST", "/cases", {"check": "breast-cytology", "measurements": row})


def through_the_folder(_: Clinic, folder: Path) -> None:
    (folder / "leukaemia").mkdir()
    (folder / "leukaemia" / "7_a.png").write_bytes(cell_png())
    inbox = replace(settings.FIRSTREAD.inbox, folder=folder, settle_s=0)
    door = door_of(replace(settings.FIRSTREAD, inbox=inbox), lambda: None)
    assert door is not None
    door.inbox.prepare()
    door.take_all()


@pytest.mark.parametrize(
    ("put_in", "door"),
    [
        (through_the_page, "put_in"),
        (through_the_api, "create_case"),
        (through_the_folder, "IntoTheClinic.receive"),
        (through_the_form, "put_in"),
        (as_json, "create_case"),
    ],
)
def test_a_sample_passes_at_most_four_functions_from_the_door_to_its_row(
    clinic: Clinic, tmp_path: Path, put_in: Callable[[Clinic, Path], None], door: str
) -> None:
    with stacks_of_inserts("clinic_casesample") as stacks:
        put_in(clinic, tmp_path)
    assert CaseSample.objects.count() == len(stacks) == 1
    calls = calls_after(door, stacks[0])
    assert len(calls) <= MOST_CALLS, f"{door} -> {' -> '.join(calls)}"

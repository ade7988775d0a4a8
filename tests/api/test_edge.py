"""A case comes with the read that an edge made; the clinic takes it where it could be its own."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from firstread.clinic import audit
from firstread.clinic.models import AuditRow, Case, ReadRow, RefusedSample
from firstread.clinic.replay import replay
from firstread.runtime import measurements_as_bytes
from tests.edge_for_tests import told_of
from tests.images_for_tests import as_png, cell, cell_png
from tests.packs_for_tests import make_pack
from tests.programs_for_tests import Program

Make = Callable[..., Program]

RED = cell_png("red", seed=1)
GREEN = cell_png("green", seed=2)


def upload(data: bytes, name: str = "1.png") -> Any:
    from django.core.files.uploadedfile import SimpleUploadedFile

    return SimpleUploadedFile(name, data)


def put_in(program: Program, *samples: bytes, edge: Any, key: str = "", **fields: str) -> Any:
    given = {"check": "leukaemia", "accession": "A1", **fields}
    files = [upload(data, f"{n}.png") for n, data in enumerate(samples)]
    told = edge if isinstance(edge, str) else json.dumps(edge)
    return program.put_in(*files, key=key, edge=told, **given)


def history(program: Program, case: Case) -> list[str]:
    return [line["sentence"] for line in program("GET", f"/cases/{case.pk}").json()["history"]]


def test_what_the_edge_read_is_the_first_read_and_the_history_says_who_when_and_where(
    program: Make, read_all: Callable[[], None]
) -> None:
    tech = program()
    came = timezone.now() - timedelta(hours=5)
    edge = told_of(RED, GREEN, received_at=came)
    answer = put_in(tech, RED, GREEN, edge=edge)
    assert answer.status_code == 201, answer.content
    kept = {row.case_sample.sample_id: row for row in ReadRow.objects.all()}
    assert len(kept) == 2
    read_all()
    case = Case.objects.get()
    assert (case.state, case.finding, case.door) == ("read", "red", "edge")
    assert abs(case.received_at - came) < timedelta(seconds=1)
    assert {row.pk for row in ReadRow.objects.all()} == {row.pk for row in kept.values()}
    assert all(row.evidence for row in kept.values())
    told = "\n".join(history(tech, case))
    assert f"brought it from the edge ward-3, which received it on {came:%Y-%m-%d at %H:%M}" in told
    assert "read it with colour 1.0.0" in told
    assert all(each.same for each in replay(case.pk))
    audit.verify()


def test_sent_again_it_counts_once_with_and_without_the_key(
    program: Make, read_all: Callable[[], None]
) -> None:
    tech = program()
    edge = told_of(RED, received_at=timezone.now() - timedelta(hours=1))
    answers = [put_in(tech, RED, edge=edge, key=key) for key in ("k1", "k1", "k2", "")]
    assert [answer.status_code for answer in answers] == [201, 201, 200, 200]
    read_all()
    put_in(tech, RED, edge=edge)
    assert (Case.objects.count(), ReadRow.objects.count()) == (1, 1)
    assert AuditRow.objects.filter(action="from_edge").count() == 1


def test_a_sample_that_joins_a_case_later_brings_its_read(
    program: Make, read_all: Callable[[], None]
) -> None:
    tech = program()
    put_in(tech, RED, edge=told_of(RED))
    read_all()
    put_in(tech, GREEN, edge=told_of(GREEN))
    read_all()
    case = Case.objects.get()
    assert (case.state, case.samples.count(), ReadRow.objects.count()) == ("read", 2, 2)


def test_measurements_come_with_their_read(program: Make, read_all: Callable[[], None]) -> None:
    tech = program()
    row = {"size": 9.0, "shape": 8.0, "nuclei": None}
    edge = told_of(measurements_as_bytes(row), pack="sizes")
    body = {"check": "breast-cytology", "accession": "B1", "measurements": row, "edge": edge}
    answer = tech("POST", "/cases", body)
    assert answer.status_code == 201, answer.content
    assert ReadRow.objects.count() == 1
    read_all()
    assert Case.objects.get().finding == "malignant"


def test_a_read_of_another_pack_is_made_anew_and_the_history_says_so(
    program: Make, read_all: Callable[[], None], tmp_path: Any
) -> None:
    tech = program()
    other = make_pack(tmp_path, gain=3.0)
    put_in(tech, RED, edge=told_of(RED, pack=str(other)))
    assert not ReadRow.objects.exists()
    read_all()
    row = ReadRow.objects.get()
    case = Case.objects.get()
    assert row.pack_sha256 != told_of(RED, pack=str(other))["reads"][0]["read"]["pack_sha256"]
    assert (case.state, case.finding) == ("read", "red")
    assert any("the edge read with another pack" in line for line in history(tech, case))


def _more_red(edge: dict[str, Any]) -> None:
    edge["reads"][0]["logits"][1] += 5


def _surer(edge: dict[str, Any]) -> None:
    edge["reads"][0]["read"]["findings"][0]["probability"] -= 0.01


def _no_alarm(edge: dict[str, Any]) -> None:
    edge["reads"][0]["read"]["alarms"] = []


def _other_label(edge: dict[str, Any]) -> None:
    edge["reads"][0]["read"]["label"] = "green"


def _smaller_set(edge: dict[str, Any]) -> None:
    edge["reads"][0]["read"]["finding_set"] = []


def _unheard_of_label(edge: dict[str, Any]) -> None:
    edge["reads"][0]["read"]["findings"][0]["label"] = "purple"


def _wrong_map(edge: dict[str, Any]) -> None:
    edge["reads"][0]["evidence"] = {"shape": [1, 1, 1], "float16": "AAA="}


def _made_up_parts(edge: dict[str, Any]) -> None:
    part = {"measurement": "size", "value": 1.0, "logits": [0.0, 0.0, 0.0]}
    edge["reads"][0]["read"]["contributions"] = [part]


@pytest.mark.parametrize(
    "forge",
    [
        _more_red, _surer, _no_alarm, _other_label, _smaller_set, _unheard_of_label, _wrong_map,
        _made_up_parts,
    ],
)  # fmt: skip
def test_a_read_whose_numbers_do_not_add_up_is_made_anew(
    program: Make, read_all: Callable[[], None], forge: Callable[[dict[str, Any]], None]
) -> None:
    tech = program()
    edge = told_of(RED)
    forge(edge)
    assert put_in(tech, RED, edge=edge).status_code == 201
    assert not ReadRow.objects.exists()
    read_all()
    case = Case.objects.get()
    assert (case.finding, ReadRow.objects.count()) == ("red", 1)
    assert any("do not add up" in line for line in history(tech, case))


def test_a_read_of_another_sample_is_not_taken_for_this_one(program: Make) -> None:
    edge = told_of(GREEN)
    put_in(program(), RED, edge=edge)
    assert not ReadRow.objects.exists()


def test_an_unreadable_sample_of_an_edge_is_kept_with_its_reason(program: Make) -> None:
    came = timezone.now() - timedelta(days=2)
    edge = {"host": "ward-3", "received_at": came.isoformat()}
    answer = put_in(program(), b"%PDF-1.7", edge=edge)
    assert answer.status_code == 422
    kept = RefusedSample.objects.get()
    assert (kept.door, abs(kept.received_at - came) < timedelta(seconds=1)) == ("edge", True)


@pytest.mark.parametrize(
    ("days", "good"), [(-89, True), (-91, False), (0, True), (1, False)], ids=str
)
def test_when_it_came_lies_in_the_last_ninety_days(program: Make, days: int, good: bool) -> None:
    at = timezone.now() + timedelta(days=days)
    answer = put_in(program(), RED, edge={"host": "ward-3", "received_at": at.isoformat()})
    assert answer.status_code == (201 if good else 422)
    if not good:
        assert "last 90 days" in answer.json()["detail"]


def test_a_clock_that_runs_a_little_fast_makes_nothing_arrive_in_the_future(program: Make) -> None:
    at = timezone.now() + timedelta(minutes=3)
    put_in(program(), RED, edge={"host": "ward-3", "received_at": at.isoformat()})
    assert Case.objects.get().received_at <= timezone.now()


HOSTILE: dict[str, Any] = {
    "not JSON": "{",
    "NaN": '{"host": "w", "reads": [], "x": NaN}',
    "a list": "[]",
    "no host": {"reads": []},
    "a long host": {"host": "w" * 65},
    "a host of two lines": {"host": "w\nard"},
    "a field too many": {"host": "w", "label": "red"},
    "no time zone": {"host": "w", "received_at": datetime(2026, 1, 1).isoformat()},  # noqa: DTZ001
    "many reads": {"host": "w", "reads": [{}] * 65},
    "no logits": {"host": "w", "reads": [{"read": {}, "logits": []}]},
    "deep": '{"host":' * 5000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_an_edge_may_not_say_is_one_sentence(program: Make, name: str) -> None:
    answer = put_in(program(), RED, edge=HOSTILE[name])
    assert answer.status_code in (400, 422), answer.content
    assert answer.json()["detail"].endswith(".")
    assert not Case.objects.exists()


@pytest.mark.parametrize(
    "given",
    [
        {"shape": [3, 4096, 4096], "float16": "AAAA"},
        {"shape": [3, 8, 8], "float16": "AAAA"},
        {"shape": [3, 8, 8], "float16": "not base64"},
        {"shape": [3, 8], "float16": ""},
        {"shape": [0, 1, 1], "float16": ""},
    ],
)
def test_a_map_that_is_none_is_refused(program: Make, given: dict[str, Any]) -> None:
    edge = told_of(RED)
    edge["reads"][0]["evidence"] = given
    assert put_in(program(), RED, edge=edge).status_code == 422


def test_an_edges_token_signs_nothing(program: Make, read_all: Callable[[], None]) -> None:
    tech = program(scopes=("cases:write",))
    put_in(tech, RED, edge=told_of(RED))
    read_all()
    case = Case.objects.get()
    answer = tech("POST", f"/cases/{case.pk}/reviews", {"label": "green"})
    assert answer.status_code == 403
    assert Case.objects.get().state == "read"


def test_a_read_found_unfit_at_the_edge_stays_unfit(
    program: Make, read_all: Callable[[], None]
) -> None:
    from PIL import ImageFilter

    blurred = as_png(cell("red", seed=9).filter(ImageFilter.GaussianBlur(12)))
    put_in(program(), blurred, edge=told_of(blurred))
    assert ReadRow.objects.count() == 1
    read_all()
    case = Case.objects.get()
    assert (case.state, "blurred" in case.unfit_reason) == ("unfit", True)


def _kept(edge: dict[str, Any]) -> bytes:
    return base64.b64decode(edge["reads"][0]["embedding"])


def test_what_the_edges_network_saw_is_kept_with_its_read(program: Make) -> None:
    edge = told_of(RED)
    assert put_in(program(), RED, edge=edge).status_code == 201
    assert ReadRow.objects.get().embedding == _kept(edge)
    assert len(_kept(edge)) == 6  # the tests' pack sees three numbers


def test_an_older_edge_that_sends_none_is_taken_as_before(program: Make) -> None:
    tech = program()
    edge = told_of(RED)
    del edge["reads"][0]["embedding"]
    assert put_in(tech, RED, edge=edge).status_code == 201
    assert ReadRow.objects.get().embedding is None
    assert not any("embedding" in line for line in history(tech, Case.objects.get()))


@pytest.mark.parametrize(
    ("halves", "said"),
    [
        ([1.0, 2.0], "it has 2 numbers, and the pack gives 3"),
        ([1.0, 2.0, np.nan], "it holds what is no number"),
        ([1.0, 2.0, np.inf], "it holds what is no number"),
    ],
)
def test_an_embedding_that_cannot_be_the_packs_is_left_out_and_its_read_stays(
    program: Make, halves: list[float], said: str
) -> None:
    tech = program()
    edge = told_of(RED)
    edge["reads"][0]["embedding"] = base64.b64encode(np.array(halves, "<f2").tobytes()).decode()
    assert put_in(tech, RED, edge=edge).status_code == 201
    assert ReadRow.objects.get().embedding is None
    assert any(
        line.endswith(f"brought an embedding from there that is not kept: {said}")
        for line in history(tech, Case.objects.get())
    )


@pytest.mark.parametrize("given", ["", "AAAA", "not base64", "AA", "A" * 20_000])
def test_an_embedding_that_is_none_is_refused(program: Make, given: str) -> None:
    edge = told_of(RED)
    edge["reads"][0]["embedding"] = given
    answer = put_in(program(), RED, edge=edge)
    assert answer.status_code == 422
    assert answer.json()["detail"].endswith(".")

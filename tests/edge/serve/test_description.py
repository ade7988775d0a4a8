"""What the reader says of itself: OpenAPI, pages and metrics, and that it does what they say."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from msgspec import convert

from firstread.edge.serve.protocols import native_description as native
from tests.images_for_tests import cell_png
from tests.serving_for_tests import Serving, serving


@pytest.fixture(scope="module")
def reader(shelf: Path) -> Iterator[Serving]:
    with serving("colour", "sizes", shelf=shelf) as running:
        yield running


@pytest.mark.filterwarnings("default")  # those of schemathesis are not ours
def test_every_address_does_what_its_description_says(reader: Serving) -> None:
    import schemathesis
    from schemathesis.specs.openapi.checks import (
        negative_data_rejection,
        positive_data_acceptance,
    )

    with warnings.catch_warnings(action="ignore"):
        schema = schemathesis.openapi.from_url(f"{reader.url}/openapi.json")
    # A name, a picture or a tensor may have the right form and still be unknown or unreadable;
    # and what has another form may still be a row that can be read.
    excluded = [positive_data_acceptance, negative_data_rejection]
    walked = []
    for found in schema.get_all_operations():
        operation = found.ok()
        walked.append(operation.path)

        @given(case=operation.as_strategy())
        @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
        def every_request(case: Any) -> None:
            response = case.call(base_url=reader.url)
            assert response.status_code != 500, response.text
            case.validate_response(response, excluded_checks=excluded)

        every_request()
    assert {"/read/{pack}", "/v2/models/{name}/infer", "/Inference", "/metrics"} <= set(walked)
    assert not any('"failure"' in line for line in reader.lines)


def test_the_description_names_every_refusal_in_its_form(reader: Serving) -> None:
    described = httpx.get(f"{reader.url}/openapi.json").json()
    assert described["openapi"] == "3.1.0"
    read = described["paths"]["/read/{pack}"]["post"]
    assert {"200", "404", "413", "415", "422", "503"} <= set(read["responses"])
    assert "application/problem+json" in read["responses"]["422"]["content"]
    assert "security" not in read
    ids = [each["operationId"] for path in described["paths"].values() for each in path.values()]
    assert len(ids) == len(set(ids))


def test_every_answer_is_of_the_type_that_the_description_is_made_of(reader: Serving) -> None:
    row = {"size": 9, "shape": 1}
    picture = httpx.post(f"{reader.url}/read/colour?evidence=png", content=cell_png()).json()
    one = httpx.post(f"{reader.url}/read/sizes", json=row).json()
    good, bad = httpx.post(f"{reader.url}/read/sizes", json=[row, {"size": "big"}]).json()
    for said, form in (
        (picture, native.Answer), (one, native.Answer), (good, native.Placed), (bad, native.Unread),
    ):  # fmt: skip
        convert(said, form)
        assert set(said) <= set(form.__struct_fields__)
    assert {"evidence"} <= set(picture)
    assert {"contributions"} <= set(one)
    for pack in httpx.get(f"{reader.url}/packs").json():
        convert(pack, native.PackInShort)
        assert set(pack) == set(native.PackInShort.__struct_fields__)


def test_with_a_token_the_description_says_so(shelf: Path) -> None:
    with serving("colour", shelf=shelf, options=["--token", "t"]) as reader:
        described = httpx.get(f"{reader.url}/openapi.json").json()
    assert described["paths"]["/read/{pack}"]["post"]["security"] == [{"token": []}]
    assert described["paths"]["/healthz"]["get"]["security"] == []
    assert described["components"]["securitySchemes"]["token"]["scheme"] == "bearer"


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_the_pages_need_nothing_from_elsewhere(reader: Serving, path: str) -> None:
    page = httpx.get(f"{reader.url}{path}")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "<script" not in page.text
    assert not re.search(r'(src|href)="(https?:)?//', page.text)
    assert "a qualified person decides" in page.text


def test_the_front_page_shows_the_packs_and_a_line_to_try(reader: Serving) -> None:
    page = httpx.get(f"{reader.url}/", headers={"Host": 'evil"><script>.example'}).text
    assert "Test pack colour" in page
    assert "Malignant" in page
    assert "/read/colour" in page
    assert "<script" not in page


def test_the_docs_page_lists_every_address(reader: Serving) -> None:
    page = httpx.get(f"{reader.url}/docs").text
    for path in httpx.get(f"{reader.url}/openapi.json").json()["paths"]:
        assert f"<code>{path}</code>" in page


def test_prometheus_is_told_what_happened(shelf: Path) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    with serving("colour", shelf=shelf) as reader:
        for _ in range(3):
            httpx.post(f"{reader.url}/read/colour", content=cell_png())
        httpx.post(f"{reader.url}/read/colour", content=b"nothing")
        httpx.get(f"{reader.url}/nowhere")
        told = httpx.get(f"{reader.url}/metrics")
    assert told.headers["Content-Type"].startswith("text/plain")
    found = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(told.text)
        for sample in family.samples
    }
    route = ("route", "/read/{pack}")
    post = ("method", "POST")
    assert found["firstread_requests_total", post, route, ("status", "200")] == 3
    assert found["firstread_requests_total", post, route, ("status", "422")] == 1
    assert (
        found["firstread_requests_total", ("method", "GET"), ("route", ""), ("status", "404")] == 1
    )
    assert found["firstread_reads_total", ("pack", "colour")] == 3
    assert found["firstread_read_seconds_count",] == 4
    assert found["firstread_wait_seconds_bucket", ("le", "+Inf")] == 4
    assert found["firstread_packs_opened_total",] == 1
    assert found["firstread_queue",] == 0
    assert found["firstread_held_bytes",] == 0
    assert found["firstread_resident_bytes",] > 10e6

"""Each cloud's container contract: its environment, its routes, and what it sends."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from firstread.domain.errors import BadConfiguration
from firstread.edge.serve.cloud import cloud_of, settled
from firstread.edge.serve.cloud_models import packs_of
from firstread.edge.serve.settings import ServeSettings
from firstread.runtime import open_reader
from tests.images_for_tests import cell, cell_png, save
from tests.serving_for_tests import Serving, serving

HERE = ("--host", "127.0.0.1")
"""The clouds listen on every address; a test does not."""


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def plain(answer: object) -> object:
    """The same without the time that it took."""
    if isinstance(answer, list):
        return [plain(each) for each in answer]
    return {key: value for key, value in answer.items() if key != "ms"}


@pytest.fixture(scope="module")
def running(shelf: Path) -> Iterator[Serving]:
    with serving("colour", "sizes", shelf=shelf) as reader:
        yield reader


# SageMaker


def invoke(running: Serving, body: bytes, content_type: str, **headers: str) -> httpx.Response:
    """As SageMaker passes a call of InvokeEndpoint on."""
    sent = {"Content-Type": content_type, "Accept": "*/*"}
    sent |= {f"X-Amzn-SageMaker-{name.replace('_', '-')}": value for name, value in headers.items()}
    return httpx.post(f"{running.url}/invocations", content=body, headers=sent)


def test_sagemaker_starts_the_container_and_finds_it_well(shelf, tmp_path):
    shutil.copytree(shelf / "colour", tmp_path / "model" / "colour")
    env = {"FIRSTREAD_PACKS": str(tmp_path / "model"), "FIRSTREAD_SERVE_DEFAULT_PACK": "colour"}
    with serving(env=env) as running:
        running.wait_until_ready()
        assert httpx.get(f"{running.url}/ping").status_code == 200
        answer = invoke(running, cell_png("red"), "image/png")
        assert answer.json()["label"] == "red"
        assert running.stop() == 0


@pytest.mark.parametrize(
    "content_type", ["image/png", "application/x-image", "application/octet-stream"]
)
def test_sagemaker_sends_a_picture(running, shelf, content_type):
    data = cell_png("green")
    answer = invoke(running, data, content_type, Target_Model="colour")
    assert answer.status_code == 200
    here = open_reader(shelf / "colour").read(data).read.as_answer()
    assert plain(answer.json()) == plain(json.loads(json.dumps(here)))
    attributes = answer.headers["X-Amzn-SageMaker-Custom-Attributes"]
    assert attributes == "pack=colour,version=1.0.0"


def test_sagemaker_names_the_pack_as_target_or_attribute(running):
    for headers in (
        {"Target_Model": "sizes"},
        {"Target_Model": "/sizes.tar.gz"},
        {"Custom_Attributes": "trace=7, pack=sizes"},
    ):
        answer = invoke(running, b'{"size": 9, "shape": 9}', "application/json", **headers)
        assert answer.json()["label"] == "malignant", headers


def test_sagemaker_is_told_the_packs_where_it_names_none(running):
    answer = invoke(running, cell_png(), "image/png")
    assert answer.status_code == 400
    assert "colour, sizes" in answer.json()["detail"]
    answer = invoke(running, cell_png(), "image/png", Target_Model="nobody")
    assert answer.status_code == 404


def test_sagemaker_sends_rows_of_measurements(running):
    rows = [{"size": 1, "shape": 1}, {"size": 9, "shape": 99}, {"size": 9, "shape": 9}]
    body = json.dumps(rows).encode()
    first, second, third = invoke(running, body, "application/json", Target_Model="sizes").json()
    assert (first["label"], third["label"]) == ("benign", "malignant")
    assert "Cell shape" in second["error"]


def test_sagemaker_sends_a_table(running):
    body = b"size,shape,nuclei\n1,1,\n9,x,2\n9,9,10\n"
    answers = invoke(running, body, "text/csv; charset=utf-8", Target_Model="sizes").json()
    assert [each["line"] for each in answers] == [2, 3, 4]
    assert [each.get("label") for each in answers] == ["benign", None, "malignant"]
    headless = invoke(running, b"1,1,1\n9,9,9\n", "text/csv", Target_Model="sizes")
    assert headless.status_code == 422
    assert "columns named size" in headless.json()["detail"]


def test_sagemakers_batches_get_a_line_for_each(running):
    body = json.dumps([{"size": 1, "shape": 1}, {"size": 9, "shape": 9}])
    answer = httpx.post(
        f"{running.url}/invocations",
        content=body,
        headers={
            "Content-Type": "application/json",
            "Accept": "application/jsonlines",
            "X-Amzn-SageMaker-Target-Model": "sizes",
        },
    )
    assert answer.headers["content-type"] == "application/jsonlines"
    assert [json.loads(line)["label"] for line in answer.text.splitlines()] == [
        "benign",
        "malignant",
    ]


def test_sagemaker_sends_several_pictures_as_a_form(running):
    files = [("file", ("a.png", cell_png("red"))), ("file", ("b.png", b"%PDF"))]
    answer = httpx.post(
        f"{running.url}/invocations",
        files=files,
        headers={"X-Amzn-SageMaker-Target-Model": "colour"},
    )
    first, second = answer.json()
    assert (first["path"], first["label"]) == ("a.png", "red")
    assert "a PDF" in second["error"]


# Vertex AI

VERTEX = {
    "AIP_HEALTH_ROUTE": "/v1/endpoints/7/deployedModels/9",
    "AIP_PREDICT_ROUTE": "/v1/endpoints/7/deployedModels/9:predict",
    "AIP_HTTP_PORT": "8080",
    "AIP_MODE": "PREDICTION",
    "AIP_FRAMEWORK": "CUSTOM_CONTAINER",
}


@pytest.fixture(scope="module")
def vertex(shelf: Path) -> Iterator[Serving]:
    env = VERTEX | {"AIP_STORAGE_URI": str(shelf / "colour")}
    with serving(shelf=shelf, env=env, options=HERE) as running:
        yield running


def predict(running: Serving, body: object) -> httpx.Response:
    return httpx.post(f"{running.url}{VERTEX['AIP_PREDICT_ROUTE']}", json=body)


def test_vertex_finds_health_on_the_route_that_it_chose(vertex):
    vertex.wait_until_ready()
    assert httpx.get(f"{vertex.url}{VERTEX['AIP_HEALTH_ROUTE']}").status_code == 200


def test_vertex_gets_a_prediction_for_each_instance(vertex, shelf):
    red, jpeg = cell_png("red"), save(cell("blue"), "JPEG", quality=95)
    instances = [{"b64": b64(red)}, {"image": {"b64": b64(jpeg)}}, {"b64": b64(b"%PDF")}]
    answer = predict(vertex, {"instances": instances, "parameters": {"pack": "colour"}})
    assert answer.status_code == 200
    assert list(answer.json()) == ["predictions"]
    first, second, third = answer.json()["predictions"]
    here = open_reader(shelf / "colour").read(red).read.as_answer()
    assert plain(first) == plain(json.loads(json.dumps(here)))
    assert second["label"] == "blue"
    assert "a PDF" in third["error"]


def test_vertexs_raw_predictions_are_read_as_they_are(vertex):
    url = f"{vertex.url}{VERTEX['AIP_PREDICT_ROUTE']}"
    answer = httpx.post(url, content=cell_png("green"), headers={"Content-Type": "image/png"})
    assert answer.json()["label"] == "green"


def test_vertex_sends_measurements_as_objects_and_as_rows(shelf):
    env = VERTEX | {"AIP_STORAGE_URI": str(shelf / "sizes")}
    with serving(env=env, options=HERE) as running:
        instances = [{"size": 9, "shape": 9, "nuclei": None}, [1, 1, 1], [9, 9], 7]
        found = predict(running, {"instances": instances}).json()["predictions"]
    assert [each.get("label") for each in found] == ["malignant", "benign", None, None]
    assert all("one number for each measurement" in each["error"] for each in found[2:])


@pytest.mark.parametrize(
    "body",
    [
        {"instances": []},
        {"instances": {}},
        {"instances": None},
        {"instances": [{"b64": b64(b"x")}], "parameters": {"threshold": 0.5}},
        {"instances": [{"b64": b64(b"x")}], "parameters": []},
        {"instances": [{"b64": b64(b"x")}], "parameters": {"pack": 7}},
    ],
)
def test_vertex_is_told_what_is_wrong_with_the_whole_request(vertex, body):
    answer = predict(vertex, body)
    assert answer.status_code == 400
    assert answer.json()["detail"].endswith(".")


@pytest.mark.parametrize(
    "instance",
    [{}, [], None, 7, True, {"b64": 7}, {"b64": "%%"}, {"image": {"b64": [1]}}, {"size": 1}, ""],
)
def test_an_instance_that_is_no_sample_says_so_in_its_place(vertex, instance):
    answer = predict(vertex, {"instances": [{"b64": b64(cell_png())}, instance]})
    first, second = answer.json()["predictions"]
    assert first["label"] == "red"
    assert set(second) == {"error"}


@pytest.mark.parametrize(
    ("body", "status"), [(b"{", 400), (b"[" * 100_000, 400), (b"", 400), (b"{}", 415)]
)
def test_json_that_is_none_is_refused(vertex, body, status):
    url = f"{vertex.url}{VERTEX['AIP_PREDICT_ROUTE']}"
    answer = httpx.post(url, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    assert answer.json()["detail"]


def test_a_route_that_is_ours_already_is_answered_once(shelf):
    for route in ("/", "/ping", "/healthz", "/v2/health/ready", "/health"):
        with serving(
            "colour",
            shelf=shelf,
            env={"AIP_PREDICT_ROUTE": "/predict", "AIP_HEALTH_ROUTE": route},
            options=HERE,
        ) as running:
            running.wait_until_ready()
            assert httpx.get(f"{running.url}{route}").status_code == 200


# Azure ML


def test_azure_finds_its_model_below_name_and_version(shelf, tmp_path):
    shutil.copytree(shelf / "colour", tmp_path / "blood" / "3" / "colour")
    env = {"AZUREML_MODEL_DIR": str(tmp_path)}
    with serving(shelf=shelf, env=env, options=HERE) as running:
        running.wait_until_ready()
        assert httpx.get(f"{running.url}/").status_code == 200
        assert httpx.get(f"{running.url}/healthz/ready").status_code == 200
        url = f"{running.url}/score"
        for body in (
            {"input_data": [{"b64": b64(cell_png("blue"))}]},
            {"data": [b64(cell_png("blue"))]},
        ):
            answer = httpx.post(url, json=body)
            assert [each["label"] for each in answer.json()] == ["blue"]
        answer = httpx.post(url, content=cell_png("red"), headers={"Content-Type": "image/png"})
        assert answer.json()["label"] == "red"


def test_azure_sends_rows_in_the_order_of_the_pack(running):
    answer = httpx.post(
        f"{running.url}/score",
        json={"data": [[9, 9, 9], [1, 1, 1]], "parameters": {"pack": "sizes"}},
    )
    assert [each["label"] for each in answer.json()] == ["malignant", "benign"]


# The environment


def test_no_cloud_is_seen_where_there_is_none():
    assert cloud_of({"HOME": "/", "PORT": "80"}) is None


def test_a_person_has_the_last_word():
    cloud = cloud_of({"SAGEMAKER_BIND_TO_PORT": "8081"})
    assert cloud is not None
    whole = settled(ServeSettings(), cloud=cloud, said=())
    assert (whole.host, whole.port) == ("0.0.0.0", 8081)
    part = settled(ServeSettings(host="10.0.0.1", port=9), cloud=cloud, said=("host", "port"))
    assert (part.host, part.port) == ("10.0.0.1", 9)


def test_no_cloud_opens_a_reader_to_all_unless_somebody_says_so(shelf):
    with (
        pytest.raises(AssertionError, match="--open-to-all"),
        serving("colour", shelf=shelf, env=VERTEX),
    ):
        pass


@pytest.mark.parametrize(
    "env",
    [
        {"AIP_HTTP_PORT": "http"},
        {"AIP_HTTP_PORT": "99999"},
        {"AIP_HTTP_PORT": "8080", "AIP_HEALTH_ROUTE": "health"},
        {"AIP_PREDICT_ROUTE": "/predict/{x}"},
        {"SAGEMAKER_BIND_TO_PORT": "-1"},
    ],
)
def test_an_environment_that_makes_no_sense_keeps_the_reader_from_starting(env):
    with pytest.raises(BadConfiguration, match=next(iter(env)) if len(env) == 1 else "AIP_HEALTH"):
        cloud_of(env)


def test_a_model_folder_without_a_pack_is_not_answered_by_another(tmp_path):
    assert packs_of(str(tmp_path / "nowhere"), into=tmp_path) == ()
    (tmp_path / "model").mkdir()
    assert packs_of(str(tmp_path / "model"), into=tmp_path) == ()
    (tmp_path / "model" / "model.pkl").write_bytes(b"x")
    with pytest.raises(BadConfiguration, match="holds no pack"):
        packs_of(str(tmp_path / "model"), into=tmp_path)

"""Triton's own client, which nobody here wrote, against a running reader."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException

from firstread.runtime import PackReader, open_reader
from tests.images_for_tests import cell_png
from tests.serving_for_tests import Serving, serving


@pytest.fixture(scope="module")
def running(shelf: Path) -> Iterator[Serving]:
    with serving("colour", "sizes", shelf=shelf) as reader:
        yield reader


@pytest.fixture
def client(running: Serving) -> Iterator[InferenceServerClient]:
    with InferenceServerClient(running.url.removeprefix("http://"), concurrency=4) as client:
        yield client


@pytest.fixture(scope="module")
def colour(shelf: Path) -> PackReader:
    return open_reader(shelf / "colour")


def picture_input(values: np.ndarray, *, binary: bool) -> InferInput:
    return InferInput("image", values.shape, "UINT8").set_data_from_numpy(
        values, binary_data=binary
    )


def sample_input(*samples: bytes) -> InferInput:
    values = np.array(samples, dtype=np.object_)
    return InferInput("sample", [len(samples)], "BYTES").set_data_from_numpy(values)


def pixels(count: int) -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)


def test_the_client_finds_the_server_and_its_packs(client, running):
    running.wait_until_ready()
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("colour")
    assert client.is_model_ready("colour", "1.0.0")
    assert not client.is_model_ready("colour", "9")
    assert not client.is_model_ready("nobody")
    assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
    assert [each["name"] for each in client.get_model_repository_index()] == ["colour", "sizes"]


def test_the_client_reads_what_a_pack_takes_and_gives(client):
    metadata = client.get_model_metadata("colour")
    assert metadata["inputs"][0]["shape"] == [-1, 32, 32, 3]
    config = client.get_model_config("colour")
    assert {each["name"] for each in config["output"]} == {
        each["name"] for each in metadata["outputs"]
    }


@pytest.mark.parametrize("binary_in", [True, False])
@pytest.mark.parametrize("binary_out", [True, False, None])
def test_tensors_give_exactly_the_numbers_of_the_network(client, colour, binary_in, binary_out):
    values = pixels(3)
    names = ("logits", "embedding", "evidence")
    wanted = (
        None
        if binary_out is None
        else [InferRequestedOutput(name, binary_data=binary_out) for name in names]
    )
    result = client.infer(
        "colour", [picture_input(values, binary=binary_in)], outputs=wanted, request_id="a/1"
    )
    assert result.get_response()["id"] == "a/1"
    for name in names:
        alone = np.concatenate([colour.run(row[np.newaxis])[name] for row in values])
        assert np.array_equal(result.as_numpy(name), alone), name
        assert result.as_numpy(name).dtype == np.float32


def test_encoded_pictures_are_read_whole(client, colour):
    samples = [cell_png("green"), cell_png("red", seed=8)]
    result = client.infer("colour", [sample_input(*samples)])
    for n, data in enumerate(samples):
        here = colour.read(data)
        read = json.loads(result.as_numpy("read")[n])
        assert read | {"ms": 0} == json.loads(json.dumps(here.read.as_told())) | {"ms": 0}
        assert np.array_equal(result.as_numpy("logits")[n], here.logits)
        assert np.array_equal(result.as_numpy("evidence")[n], here.evidence)
        assert np.array_equal(result.as_numpy("embedding")[n], here.embedding)
    assert result.as_numpy("probabilities").argmax(axis=1).tolist() == [1, 0]


def test_measurements_are_read_as_numbers_and_as_json(client, shelf):
    rows = np.array([[1, 2, 3], [9, 8, np.nan]], dtype=np.float32)
    given = InferInput("measurements", rows.shape, "FP32").set_data_from_numpy(rows)
    result = client.infer("sizes", [given])
    reader = open_reader(shelf / "sizes")
    for n, row in enumerate(rows):
        assert np.array_equal(
            result.as_numpy("logits")[n], reader.run(row[np.newaxis])["logits"][0]
        )
    as_json = client.infer("sizes", [sample_input(b'{"size": 9, "shape": 8}')])
    assert np.array_equal(as_json.as_numpy("logits")[0], result.as_numpy("logits")[1])
    assert np.array_equal(as_json.as_numpy("contributions")[0], result.as_numpy("contributions")[1])


@pytest.mark.parametrize("there", [None, "gzip", "deflate"])
@pytest.mark.parametrize("back", [None, "gzip", "deflate"])
def test_the_client_may_compress_both_ways(client, colour, there, back):
    result = client.infer(
        "colour",
        [sample_input(cell_png("blue"))],
        request_compression_algorithm=there,
        response_compression_algorithm=back,
    )
    assert np.array_equal(result.as_numpy("logits")[0], colour.read(cell_png("blue")).logits)


def test_many_requests_at_once_are_each_answered_with_their_own(client, colour):
    samples = [cell_png(name, seed=n) for n in range(8) for name in ("red", "green", "blue")]
    waiting = [client.async_infer("colour", [sample_input(data)]) for data in samples]
    for data, each in zip(samples, waiting, strict=True):
        logits = each.get_result().as_numpy("logits")[0]
        assert np.array_equal(logits, colour.read(data).logits)


def test_the_first_labels_come_as_tritons_examples_print_them(client):
    wanted = [InferRequestedOutput("probabilities", class_count=1)]
    result = client.infer("colour", [sample_input(cell_png("red"))], outputs=wanted)
    value, place, label = result.as_numpy("probabilities")[0, 0].decode().split(":")
    assert (place, label) == ("0", "red")
    assert 0.5 < float(value) <= 1.0


@pytest.mark.parametrize(
    ("name", "inputs", "status", "words"),
    [
        ("nobody", [sample_input(b"x")], "404", "Packs here: colour, sizes"),
        ("colour", [sample_input(b"%PDF-1.7")], "422", "a PDF"),
        ("colour", [picture_input(pixels(1)[:, :16], binary=True)], "400", "[N, 32, 32, 3]"),
        ("sizes", [picture_input(pixels(1), binary=True)], "400", "measurements"),
    ],
)
def test_the_client_is_told_in_a_sentence_what_was_wrong(client, name, inputs, status, words):
    with pytest.raises(InferenceServerException) as refusal:
        client.infer(name, inputs)
    assert refusal.value.status() == status
    assert words in refusal.value.message()


def test_a_reader_with_a_token_tells_the_client_to_send_it(shelf):
    with (
        serving("colour", shelf=shelf, options=("--token", "letmein")) as running,
        InferenceServerClient(running.url.removeprefix("http://")) as client,
    ):
        assert client.is_server_live()
        with pytest.raises(InferenceServerException, match="Authorization"):
            client.get_model_metadata("colour")
        headers = {"Authorization": "Bearer letmein"}
        assert client.get_model_metadata("colour", headers=headers)["name"] == "colour"

from __future__ import annotations

import base64
import gzip
import json
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from firstread.edge.serve.protocols import open_inference
from firstread.edge.serve.protocols.tensors import MAX_SAMPLES
from firstread.edge.serve.routing import Table
from firstread.edge.serve.warm import WarmPacks
from firstread.edge.serve.wire import Answer, Asked
from firstread.imaging import decode
from firstread.runtime import PackReader, open_reader
from firstread.runtime.prepare import prepare
from tests.images_for_tests import bomb_png, cell_png
from tests.packs_for_tests import SIDE_PX, make_pack

LIMIT_BYTES = 4 << 20


class Protocol:
    """The protocol without HTTP, over the packs `colour` and `sizes`."""

    def __init__(self, folder: Path) -> None:
        self.folders = {
            "colour": make_pack(folder),
            "sizes": make_pack(folder, kind="measurements"),
        }
        self.packs = WarmPacks(self.folders)
        self.table = Table(open_inference.routes(max_body_bytes=LIMIT_BYTES))

    def __call__(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        found = self.table.find(method, path)
        assert not isinstance(found, Answer), path
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        asked = Asked(method=method, path=path, parts=found.parts, headers=named, body=body)
        return found.route.handler(asked, self.packs)

    def infer(self, pack: str, call: object, rest: bytes = b"", **headers: str) -> Answer:
        text = call if isinstance(call, bytes) else json.dumps(call).encode()
        if rest:
            headers.setdefault("inference_header_content_length", str(len(text)))
        return self("POST", f"/v2/models/{pack}/infer", text + rest, **headers)

    def reader(self, pack: str) -> PackReader:
        return open_reader(self.folders[pack])


@pytest.fixture(scope="module")
def protocol(tmp_path_factory) -> Protocol:
    return Protocol(tmp_path_factory.mktemp("packs"))


def pixels(*colours: str) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (len(colours), 32, 32, 3), dtype=np.uint8)


def prepared(reader: PackReader, data: bytes) -> np.ndarray:
    given = reader.manifest.input
    assert given is not None
    return prepare(decode(data), given)


def image_input(values: np.ndarray, **more: object) -> dict[str, object]:
    return {"name": "image", "datatype": "UINT8", "shape": list(values.shape), **more}


def sample_input(*samples: bytes) -> dict[str, object]:
    text = [base64.b64encode(each).decode() for each in samples]
    return {"name": "sample", "datatype": "BYTES", "shape": [len(text)], "data": text}


def outputs_of(answer: Answer) -> dict[str, dict]:
    assert answer.status == 200, answer.body
    return {each["name"]: each for each in json.loads(answer.body)["outputs"]}


def sentence_of(answer: Answer) -> str:
    said = json.loads(answer.body)
    assert set(said) == {"error"}
    return said["error"]


def test_the_server_says_which_extensions_it_speaks(protocol):
    said = json.loads(protocol("GET", "/v2").body)
    assert said["name"] == "firstread"
    assert "binary_tensor_data" in said["extensions"]


def test_the_server_is_live_and_ready(protocol):
    assert protocol("GET", "/v2/health/live").status == 200
    assert protocol("GET", "/v2/health/ready").status == 200


def test_a_pack_says_its_two_inputs_and_what_each_output_is(protocol):
    said = json.loads(protocol("GET", "/v2/models/colour").body)
    assert said["versions"] == ["1.0.0"]
    inputs = {each["name"]: each for each in said["inputs"]}
    assert inputs["image"]["shape"] == [-1, SIDE_PX, SIDE_PX, 3]
    assert inputs["image"]["parameters"] == {"instead_of": "sample"}
    assert inputs["sample"]["datatype"] == "BYTES"
    outputs = {each["name"]: (each["datatype"], each["shape"]) for each in said["outputs"]}
    assert outputs == {
        "logits": ("FP32", [-1, 3]),
        "embedding": ("FP32", [-1, 3]),
        "evidence": ("FP32", [-1, 3, 8, 8]),
        "probabilities": ("FP32", [-1, 3]),
        "read": ("BYTES", [-1]),
    }


def test_what_the_metadata_names_is_what_an_inference_gives(protocol):
    for pack, sample in (("colour", cell_png()), ("sizes", b'{"size": 1, "shape": 2}')):
        said = json.loads(protocol("GET", f"/v2/models/{pack}").body)
        found = outputs_of(protocol.infer(pack, {"inputs": [sample_input(sample)]}))
        named = {each["name"]: each["shape"][1:] for each in said["outputs"]}
        assert named == {name: each["shape"][1:] for name, each in found.items()}


def test_a_version_is_taken_where_it_is_the_one_that_is_here(protocol):
    assert protocol("GET", "/v2/models/colour/versions/1.0.0").status == 200
    assert protocol("GET", "/v2/models/colour/versions/1.0.0/ready").status == 200
    other = protocol("GET", "/v2/models/colour/versions/2.0.0/ready")
    assert other.status == 404
    assert "version 1.0.0" in sentence_of(other)


def test_an_unknown_pack_is_answered_with_those_there_are(protocol):
    for path in ("/v2/models/nobody", "/v2/models/nobody/ready", "/v2/models/nobody/config"):
        answer = protocol("GET", path)
        assert answer.status == 404
        assert "colour" in sentence_of(answer)
    assert protocol.infer("nobody", {"inputs": []}).status == 404


def test_the_index_names_every_pack(protocol):
    said = json.loads(protocol("POST", "/v2/repository/index", b"").body)
    assert [each["name"] for each in said] == ["colour", "sizes"]
    assert {each["state"] for each in said} == {"READY"}


def test_the_configuration_is_of_tritons_form(protocol):
    said = json.loads(protocol("GET", "/v2/models/sizes/config").body)
    assert said["input"][0] == {
        "name": "measurements",
        "data_type": "TYPE_FP32",
        "dims": [-1, 3],
        "optional": True,
    }
    assert {"name": "read", "data_type": "TYPE_STRING", "dims": [-1]} in said["output"]


def test_pixels_in_json_give_exactly_what_the_network_gives(protocol):
    values = pixels("red", "green")
    call = {"id": "7", "inputs": [image_input(values, data=values.ravel().tolist())]}
    answer = protocol.infer("colour", call)
    assert json.loads(answer.body)["id"] == "7"
    outputs = outputs_of(answer)
    assert set(outputs) == {"logits", "embedding", "evidence"}
    reader = protocol.reader("colour")
    for name, output in outputs.items():
        alone = np.concatenate([reader.run(row[np.newaxis])[name] for row in values])
        given = np.array(output["data"], dtype=np.float32).reshape(output["shape"])
        assert np.array_equal(given, alone), name


def test_nested_data_are_the_same_as_flat_ones(protocol):
    values = pixels("red")
    flat = {"inputs": [image_input(values, data=values.ravel().tolist())]}
    nested = {"inputs": [image_input(values, data=values.tolist())]}
    assert protocol.infer("colour", flat).body == protocol.infer("colour", nested).body


def test_pixels_as_binary_data_give_the_same_in_binary(protocol):
    values = pixels("red", "blue")
    call = {
        "inputs": [image_input(values, parameters={"binary_data_size": values.nbytes})],
        "outputs": [
            {"name": "evidence", "parameters": {"binary_data": True}},
            {"name": "logits"},
        ],
    }
    answer = protocol.infer("colour", call, values.tobytes())
    assert answer.media_type == "application/octet-stream"
    size = int(answer.headers["inference-header-content-length"])
    evidence, logits = json.loads(answer.body[:size])["outputs"]
    found = np.frombuffer(answer.body[size:], dtype="<f4").reshape(evidence["shape"])
    reader = protocol.reader("colour")
    runs = [reader.run(row[np.newaxis]) for row in values]
    assert np.array_equal(found, np.concatenate([run["evidence"] for run in runs]))
    assert logits["data"] == np.concatenate([run["logits"] for run in runs]).ravel().tolist()


def test_a_picture_goes_the_whole_path_of_a_read(protocol):
    data = [cell_png("red"), cell_png("blue", seed=4)]
    outputs = outputs_of(protocol.infer("colour", {"inputs": [sample_input(*data)]}))
    reader = protocol.reader("colour")
    for n, sample in enumerate(data):
        outcome = reader.read(sample)
        read = json.loads(outputs["read"]["data"][n])
        assert read["sample_sha256"] == outcome.read.sample_sha256
        assert {**read, "ms": 0} == {**json.loads(json.dumps(outcome.read.as_told())), "ms": 0}
        logits = np.array(outputs["logits"]["data"], dtype=np.float32).reshape(2, 3)[n]
        assert np.array_equal(logits, outcome.logits)
    probabilities = np.array(outputs["probabilities"]["data"]).reshape(2, 3)
    assert probabilities.sum(axis=1) == pytest.approx([1, 1])
    assert probabilities.argmax(axis=1).tolist() == [0, 2]


def test_a_sample_reads_the_same_whatever_lies_beside_it(protocol):
    alone = outputs_of(protocol.infer("colour", {"inputs": [sample_input(cell_png("red"))]}))
    data = [cell_png("green", seed=n) for n in range(5)] + [cell_png("red")]
    beside = outputs_of(protocol.infer("colour", {"inputs": [sample_input(*data)]}))
    assert alone["logits"]["data"] == beside["logits"]["data"][-3:]


def test_of_several_samples_the_unreadable_ones_are_named(protocol):
    call = {"inputs": [sample_input(cell_png(), b"%PDF-1.7", cell_png())]}
    answer = protocol.infer("colour", call)
    assert answer.status == 422
    assert sentence_of(answer).startswith("Sample 1 of 3 (from 0):")
    assert "PDF" in sentence_of(answer)


def test_where_reads_alone_are_asked_for_each_says_itself_what_happened(protocol):
    call = {
        "inputs": [sample_input(cell_png(), b"%PDF-1.7")],
        "outputs": [{"name": "read"}],
    }
    first, second = map(json.loads, outputs_of(protocol.infer("colour", call))["read"]["data"])
    assert first["label"] == "red"
    assert "PDF" in second["error"]


def test_measurements_come_as_numbers_with_nan_for_a_missing_one(protocol):
    rows = np.array([[1, 2, 3], [9, 8, np.nan]], dtype=np.float32)
    given = {"name": "measurements", "datatype": "FP32", "shape": [2, 3]}
    as_json = {**given, "data": [1, 2, 3, 9, 8, None]}
    as_bytes = {**given, "parameters": {"binary_data_size": rows.nbytes}}
    first = outputs_of(protocol.infer("sizes", {"inputs": [as_json]}))
    second = outputs_of(protocol.infer("sizes", {"inputs": [as_bytes]}, rows.tobytes()))
    assert first == second
    reader = protocol.reader("sizes")
    logits = np.concatenate([reader.run(row[np.newaxis])["logits"] for row in rows])
    assert first["logits"]["data"] == logits.ravel().tolist()
    assert first["contributions"]["shape"] == [2, 2, 3]


def test_a_row_of_measurements_is_read_as_json_or_as_its_base64(protocol):
    row = b'{"size": 9, "shape": 8, "nuclei": 10}'
    plain = {"name": "sample", "datatype": "BYTES", "shape": [1, 1], "data": [[row.decode()]]}
    first = outputs_of(protocol.infer("sizes", {"inputs": [plain]}))
    second = outputs_of(protocol.infer("sizes", {"inputs": [sample_input(row)]}))
    assert first["logits"] == second["logits"]
    outcome = protocol.reader("sizes").read(row)
    assert first["logits"]["data"] == outcome.logits.tolist()
    found = np.array(first["contributions"]["data"]).reshape(2, 3)
    assert found[:, 0].tolist() == list(outcome.read.contributions[0].logits)


def test_the_first_labels_are_given_as_triton_gives_a_classification(protocol):
    call = {
        "inputs": [sample_input(cell_png("blue"))],
        "outputs": [{"name": "probabilities", "parameters": {"classification": 2}}],
    }
    output = outputs_of(protocol.infer("colour", call))["probabilities"]
    assert (output["datatype"], output["shape"]) == ("BYTES", [1, 2])
    value, place, label = output["data"][0].split(":")
    assert (place, label) == ("2", "blue")
    assert float(value) == pytest.approx(
        protocol.reader("colour").read(cell_png("blue")).read.probability, abs=1e-5
    )


@pytest.mark.parametrize("name", ["gzip", "deflate"])
def test_bodies_may_be_compressed_both_ways(protocol, name):
    squeeze = gzip.compress if name == "gzip" else zlib.compress
    unsqueeze = gzip.decompress if name == "gzip" else zlib.decompress
    body = json.dumps({"inputs": [sample_input(cell_png())], "outputs": [{"name": "logits"}]})
    plain = protocol.infer("colour", body.encode())
    headers = {"content_encoding": name, "accept_encoding": name}
    answer = protocol.infer("colour", squeeze(body.encode()), **headers)
    assert answer.headers["content-encoding"] == name
    assert unsqueeze(answer.body) == plain.body


def test_who_lists_every_compression_gets_a_plain_answer(protocol):
    call = {"inputs": [sample_input(cell_png())]}
    answer = protocol.infer("colour", call, accept_encoding="gzip, deflate, br")
    assert "content-encoding" not in answer.headers


def test_a_bomb_is_refused_before_it_is_unpacked(protocol):
    bomb = gzip.compress(bytes(300 << 20))
    answer = protocol.infer("colour", bomb, content_encoding="gzip")
    assert answer.status == 413
    assert "4 MB" in sentence_of(answer)


@pytest.mark.parametrize(
    ("body", "named", "status"),
    [
        (b"not gzip", "gzip", 400),
        (gzip.compress(b'{"inputs": []}', mtime=0)[:-6], "gzip", 400),
        (gzip.compress(b"{}", mtime=0) + b"more", "gzip", 400),
        (b"\x28\xb5\x2f\xfd", "zstd", 415),
        (b"{}", "gzip, gzip", 415),
    ],
)
def test_a_body_that_cannot_be_unpacked_is_refused(protocol, body, named, status):
    answer = protocol.infer("colour", body, content_encoding=named)
    assert answer.status == status
    assert sentence_of(answer)


def given(**more: object) -> dict[str, object]:
    values = pixels("red")
    return image_input(values, data=values.ravel().tolist()) | more


SIZE = SIDE_PX * SIDE_PX * 3
WRONG_CALLS = {
    "no JSON": b"\xff\xd8\xff\xe0",
    "empty": b"",
    "half JSON": b'{"inputs": [',
    "deep JSON": b"[" * 100_000,
    "a number of many digits": b'{"id": ' + b"9" * 100_000 + b"}",
    "a list": [],
    "no inputs": {},
    "inputs of another type": {"inputs": {"name": "image"}},
    "no input at all": {"inputs": []},
    "an input that is no object": {"inputs": ["image"]},
    "an input without a name": {"inputs": [{"datatype": "UINT8"}]},
    "an unknown input": {"inputs": [given(name="pixels")]},
    "an input of the other kind": {"inputs": [given(name="measurements")]},
    "an input twice": {"inputs": [given(), given()]},
    "both inputs": {"inputs": [given(), sample_input(b"x")]},
    "an id that is no string": {"id": 7, "inputs": [given()]},
    "parameters that are no object": {"parameters": [], "inputs": [given()]},
    "another datatype": {"inputs": [given(datatype="FP32")]},
    "a datatype of another type": {"inputs": [given(datatype=["UINT8"])]},
    "no shape": {"inputs": [given(shape=None)]},
    "a shape that is no list": {"inputs": [given(shape="1,32,32,3")]},
    "a shape of true": {"inputs": [given(shape=[True, 32, 32, 3])]},
    "a shape of fractions": {"inputs": [given(shape=[1.0, 32, 32, 3])]},
    "another size": {"inputs": [given(shape=[1, 16, 64, 3])]},
    "fewer axes": {"inputs": [given(shape=[32, 32, 3])]},
    "no sample": {"inputs": [given(shape=[0, 32, 32, 3], data=[])]},
    "a negative count": {"inputs": [given(shape=[-1, 32, 32, 3])]},
    "a count beyond any machine": {"inputs": [given(shape=[2**62, 32, 32, 3])]},
    "a count beyond 64 bits": {"inputs": [given(shape=[2**80, 32, 32, 3])]},
    "more than one request holds": {"inputs": [given(shape=[MAX_SAMPLES + 1, 32, 32, 3])]},
    "no data": {"inputs": [given(data=None)]},
    "data of another type": {"inputs": [given(data="AAAA")]},
    "too few data": {"inputs": [given(data=[1, 2, 3])]},
    "too many data": {"inputs": [given(data=[0] * (SIZE + 1))]},
    "ragged data": {"inputs": [given(data=[[1], [1, 2]])]},
    "data nested another way": {"inputs": [given(data=[[0] * 32] * 96)]},
    "strings for numbers": {"inputs": [given(data=["0"] * SIZE)]},
    "truth for numbers": {"inputs": [given(data=[True] * SIZE)]},
    "fractions for bytes": {"inputs": [given(data=[0.5] * SIZE)]},
    "null for bytes": {"inputs": [given(data=[None] * SIZE)]},
    "256 in a byte": {"inputs": [given(data=[256] * SIZE)]},
    "-1 in a byte": {"inputs": [given(data=[-1] * SIZE)]},
    "a number beyond 64 bits": {"inputs": [given(data=[2**80] * SIZE)]},
    "one very long string": {"inputs": [given(data=["x" * 1_000_000] + ["y"] * (SIZE - 1))]},
    "binary data that are not there": {
        "inputs": [image_input(pixels("red"), parameters={"binary_data_size": SIZE})]
    },
    "binary data of no size": {
        "inputs": [image_input(pixels("red"), parameters={"binary_data_size": 0})]
    },
    "a negative size of binary data": {
        "inputs": [image_input(pixels("red"), parameters={"binary_data_size": -1})]
    },
    "binary data and JSON": {"inputs": [given(parameters={"binary_data_size": 0})]},
    "shared memory": {
        "inputs": [image_input(pixels("red"), parameters={"shared_memory_region": "r"})]
    },
    "an unknown output": {"inputs": [given()], "outputs": [{"name": "diagnosis"}]},
    "an output of the other input": {"inputs": [given()], "outputs": [{"name": "read"}]},
    "an output twice": {"inputs": [given()], "outputs": [{"name": "logits"}] * 2},
    "outputs of another type": {"inputs": [given()], "outputs": {"name": "logits"}},
    "an output that is no object": {"inputs": [given()], "outputs": ["logits"]},
    "an output into shared memory": {
        "inputs": [given()],
        "outputs": [{"name": "logits", "parameters": {"shared_memory_region": "r"}}],
    },
    "a classification of a map": {
        "inputs": [given()],
        "outputs": [{"name": "evidence", "parameters": {"classification": 1}}],
    },
    "a classification that is no number": {
        "inputs": [given()],
        "outputs": [{"name": "logits", "parameters": {"classification": "1"}}],
    },
    "a sample that is not base64": {
        "inputs": [{"name": "sample", "datatype": "BYTES", "shape": [1], "data": ["%%%"]}]
    },
    "a sample that is no string": {
        "inputs": [{"name": "sample", "datatype": "BYTES", "shape": [1], "data": [7]}]
    },
    "fewer samples than said": {
        "inputs": [{"name": "sample", "datatype": "BYTES", "shape": [2], "data": ["AAAA"]}]
    },
}


@pytest.mark.parametrize("what", WRONG_CALLS)
def test_a_wrong_call_is_refused_with_a_sentence(protocol, what):
    answer = protocol.infer("colour", WRONG_CALLS[what])
    assert answer.status == 400, answer.body[:200]
    assert sentence_of(answer).endswith(".")
    assert len(sentence_of(answer)) < 300


def test_more_numbers_than_json_should_carry_are_refused_before_they_are_parsed(protocol):
    answer = protocol.infer("colour", b'{"inputs": [' + b"0," * 2_000_001 + b"0]}")
    assert answer.status == 413
    assert "binary data" in sentence_of(answer)


@pytest.mark.parametrize("length", ["", "-1", "x", "1e3", "99999999", "0", "12.0", "²"])
def test_a_wrong_length_of_the_json_is_refused(protocol, length):
    answer = protocol.infer("colour", {"inputs": [given()]}, inference_header_content_length=length)
    assert answer.status == 400
    assert sentence_of(answer)


def test_bytes_left_over_are_refused(protocol):
    answer = protocol.infer("colour", {"inputs": [given()]}, b"left over")
    assert answer.status == 400
    assert "9 bytes" in sentence_of(answer)


def element(data: bytes) -> bytes:
    return struct.pack("<I", len(data)) + data


@pytest.mark.parametrize(
    "data",
    [
        element(b"a"),
        element(b"a") * 3,
        element(b"a") + b"\x05\0\0\0abc",
        b"\xff\xff\xff\xff",
        element(b"a") + b"\0\0",
    ],
)
def test_wrong_lengths_of_samples_are_refused(protocol, data):
    call = {
        "inputs": [
            {
                "name": "sample",
                "datatype": "BYTES",
                "shape": [2],
                "parameters": {"binary_data_size": len(data)},
            }
        ]
    }
    answer = protocol.infer("colour", call, data)
    assert answer.status == 400
    assert "2 elements" in sentence_of(answer)


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        ([[0.5, 1, 1]], "Cell size"),
        ([[1, 1, 1], [1, None, 1]], "Row 1"),
        ([[1, 1, 1e39]], "Cell nuclei"),
        ([[1, 1, float("inf")]], "Cell nuclei"),
    ],
)
def test_a_measurement_out_of_range_is_named(protocol, rows, named):
    call = {
        "inputs": [
            {"name": "measurements", "datatype": "FP32", "shape": [len(rows), 3], "data": rows}
        ]
    }
    answer = protocol.infer("sizes", call)
    assert answer.status == 400
    assert named in sentence_of(answer)


def test_pictures_that_cannot_be_read_are_refused_each_with_its_reason(protocol):
    for data in (b"", bomb_png(), cell_png()[:900], b"PK\x03\x04"):
        answer = protocol.infer("colour", {"inputs": [sample_input(data)]})
        assert answer.status == 422
        assert sentence_of(answer).startswith("Sample 0 of 1")


def test_a_damaged_pack_is_not_ready_and_says_so(tmp_path):
    protocol = Protocol(tmp_path)
    network = protocol.folders["colour"] / "model.onnx"
    network.write_bytes(network.read_bytes()[:-1] + b"\0")
    for answer in (
        protocol("GET", "/v2/models/colour/ready"),
        protocol.infer("colour", {"inputs": [given()]}),
    ):
        assert answer.status == 503
        assert sentence_of(answer)
    assert protocol("GET", "/v2/models/sizes/ready").status == 200

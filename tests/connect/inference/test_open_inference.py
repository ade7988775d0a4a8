"""A pack's network on another server: the same numbers, and every wrong answer is refused."""

from __future__ import annotations

import json
import shutil
import ssl
import subprocess
from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import numpy as np
import pytest

from firstread.connect.inference.addresses import address_of
from firstread.connect.inference.open_inference import OpenInference
from firstread.domain.errors import BadConfiguration, PackRefused, Unreachable
from firstread.packs import find_pack
from firstread.phantom import make
from firstread.runtime import PackReader, measurements_as_bytes, open_reader
from tests.images_for_tests import cell_png
from tests.inference_server_for_tests import (
    InferenceServer,
    Tensors,
    breaks_off,
    drips,
    drips_body,
    hangs,
    says,
    says_raw,
    serving,
)
from tests.packs_for_tests import make_pack


@pytest.fixture(scope="module")
def colour(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_pack(tmp_path_factory.mktemp("packs"))


def open_over(pack: Path, url: str, *, timeout_s: float = 5.0, token: str = "") -> PackReader:
    return open_reader(
        pack,
        network=lambda manifest: OpenInference(
            address_of(url), manifest=manifest, timeout_s=timeout_s, token=token
        ),
    )


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
@pytest.mark.parametrize("name", ["blood-cell", "marrow-cell"])
def test_a_picture_read_elsewhere_gives_the_very_numbers_of_here(name: str, binary: bool) -> None:
    pack = find_pack(name)
    here = open_reader(pack)
    sample = make(here.manifest.check, label=here.manifest.codes[0], seed=4).data
    with serving(InferenceServer(pack=pack, binary=binary)) as server:
        there = open_over(pack, server.url).read(sample)
    read = here.read(sample)
    assert there.logits.tolist() == read.logits.tolist()
    assert there.read.findings == read.read.findings
    assert there.read.familiarity == read.read.familiarity
    assert np.array_equal(there.evidence, read.evidence)  # type: ignore[arg-type]
    assert there.read.runtime == f"for-tests 1 at {server.host}"


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
def test_a_row_with_a_missing_measurement_is_read_the_same(tmp_path: Path, binary: bool) -> None:
    pack = make_pack(tmp_path, kind="measurements")
    row = measurements_as_bytes({"size": 9.0, "shape": 3.0, "nuclei": None})
    with serving(InferenceServer(pack=pack, binary=binary)) as server:
        there = open_over(pack, server.url).read(row)
    assert there.read.contributions == open_reader(pack).read(row).read.contributions


def test_a_model_of_another_name_stands_in_the_address(colour: Path) -> None:
    with serving(InferenceServer(pack=colour, model="cells.v7")) as server:
        assert open_over(colour, f"{server.url}/v2/models/cells.v7").read(cell_png()).read
        with pytest.raises(Unreachable, match="has no /v2/models/colour: name the model"):
            open_over(colour, server.url)


def test_a_server_that_wants_a_token_gets_it_and_says_so_without(colour: Path) -> None:
    with serving(InferenceServer(pack=colour, token="s3cret")) as server:
        assert open_over(colour, server.url, token="s3cret").read(cell_png()).read
        with pytest.raises(Unreachable, match="FIRSTREAD_READING_TOKEN"):
            open_over(colour, server.url)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate and its key in one file, which no authority has signed."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed, which makes the certificate")
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=x"
    names = ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(
        ["openssl", *words.split(), *names, "-keyout", file, "-out", f"{file}.crt"],
        check=True,
        capture_output=True,
    )
    file.write_text(file.read_text() + Path(f"{file}.crt").read_text())
    return file


def test_a_certificate_is_verified_and_an_own_authority_is_taken(
    colour: Path, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    with serving(InferenceServer(pack=colour), tls=tls) as server:
        with pytest.raises(Unreachable, match="certificate that is not trusted here"):
            open_over(colour, server.url)
        monkeypatch.setenv("SSL_CERT_FILE", f"{certificate}.crt")
        assert open_over(colour, server.url).read(cell_png()).read.label == "red"
        with pytest.raises(Unreachable, match=r"broke the connection off|cannot be reached"):
            open_over(colour, server.url.replace("https", "http"))


def test_https_to_a_server_that_speaks_http_is_refused(colour: Path) -> None:
    with (
        serving(InferenceServer(pack=colour)) as server,
        pytest.raises(Unreachable, match="does not speak TLS as it should"),
    ):
        open_over(colour, server.url.replace("http", "https"))


def test_a_new_version_of_the_model_is_not_believed_unasked(colour: Path) -> None:
    with serving(InferenceServer(pack=colour)) as server:
        reader = open_over(colour, server.url)
        server.version = "2"
        with pytest.raises(Unreachable, match="answers with version 2 of the model, which is new"):
            reader.read(cell_png())
        assert open_over(colour, server.url).read(cell_png()).read.label == "red"


def test_nothing_of_a_sample_but_its_pixels_leaves(colour: Path) -> None:
    with serving(InferenceServer(pack=colour)) as server:
        open_over(colour, server.url).read(cell_png())
    assert {line.split()[0] for line in server.seen} == {"/v2", "/v2/models/colour/infer"}
    assert "sha" not in "".join(server.seen).lower()


def test_a_server_with_another_model_is_refused_by_the_golden_samples(
    colour: Path, tmp_path: Path
) -> None:
    other = make_pack(tmp_path, gain=2.0)
    with (
        serving(InferenceServer(pack=other)) as server,
        pytest.raises(PackRefused, match="answers differently"),
    ):
        open_over(colour, server.url)


def _with(**changed: object) -> Callable[[Tensors], Tensors]:
    return lambda outputs: {**outputs, **changed}  # type: ignore[dict-item]


def _without(name: str) -> Callable[[Tensors], Tensors]:
    return lambda outputs: {key: each for key, each in outputs.items() if key != name}


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
@pytest.mark.parametrize(
    ("alters", "sentence"),
    [
        (_without("logits"), "answers with no 'logits'"),
        (_without("embedding"), "answers with no 'embedding'"),
        (_with(logits=np.zeros((1, 4))), "'logits' in another shape"),
        (_with(logits=np.zeros((2, 3))), "'logits' in another shape"),
        (_with(logits=np.zeros(3)), "'logits' in another shape"),
        (_with(evidence=np.zeros((1, 3, 0, 4))), "'evidence' in another shape"),
        (_with(embedding=np.zeros((1, 2, 2))), "'embedding' in another shape"),
        (_with(logits=np.full((1, 3), np.nan)), "'logits' that is no number"),
        (_with(evidence=np.full((1, 3, 4, 4), np.inf)), "'evidence' that is no number"),
    ],
)
def test_outputs_that_are_not_the_packs_are_refused(
    colour: Path, alters: Callable[[Tensors], Tensors], sentence: str, binary: bool
) -> None:
    with serving(InferenceServer(pack=colour, binary=binary)) as server:
        reader = open_over(colour, server.url)
        server.alters = alters
        with pytest.raises(Unreachable, match=sentence):
            reader.read(cell_png())


def test_outputs_that_no_read_holds_are_left_alone(colour: Path) -> None:
    with serving(InferenceServer(pack=colour, alters=_with(more=np.zeros(2)))) as server:
        assert open_over(colour, server.url).read(cell_png()).read.label == "red"


def _json(logits: object = None, **more: object) -> bytes:
    tensor = {"name": "logits", "datatype": "FP32", "shape": [1, 3], "data": logits} | more
    return json.dumps({"outputs": [tensor]}).encode()


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        (says(500, b'{"error": "no"}'), "answers with 500"),
        (says(302, b"", Location="http://127.0.0.1:9/"), "answers with 302"),
        (says(429, b"{}"), "answers with 429"),
        (says(200, b"<html>Welcome"), "no answer of the Open Inference Protocol"),
        (says(200, b""), "no answer of the Open Inference Protocol"),
        (says(200, b"[" * 100_000), "no answer of the Open Inference Protocol"),
        (says(200, b'{"outputs": "many"}'), "no answer of the Open Inference Protocol"),
        (says(200, b'{"model_version": "1", "outputs": []}'), "no 'embedding'"),
        (says(200, _json([1, 2])), "does not fill its shape"),
        (says(200, _json(["1", "2", "3"])), "does not fill its shape with numbers"),
        (says(200, _json([True, False, True])), "does not fill its shape with numbers"),
        (says(200, _json([None, 1, 2])), "does not fill its shape with numbers"),
        (says(200, _json([[1], [2, 3]])), "no row of numbers"),
        (says(200, _json([10**400, 1, 1])), "does not fill its shape with numbers"),
        (says(200, _json([1, 2, 3], datatype="INT64")), "a tensor of INT64 in place of FP32"),
        (says(200, _json([1, 2, 3], datatype="<b>")), "a tensor of b in place of FP32"),
        (says(200, _json([1, 2, 3], shape=[1, -3])), "a tensor without a shape"),
        (says(200, _json([1, 2, 3], shape=[2**40, 2**40])), "does not fill its shape"),
        (says(200, _json(parameters={"binary_data_size": 12})), "less than it announces"),
        (says(200, _json(parameters={"binary_data_size": -1})), "a tensor of no size"),
        (says(200, _json(parameters={"binary_data_size": 0})), "does not fill its shape"),
        (says(200, b" " * (33 * 2**20)), "answers with more than it should"),
        (says_raw(b"220 smtp.example.org ESMTP\r\n"), "broke the connection off"),
        (says_raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"), "broke the connection off"),
        (breaks_off, "broke the connection off"),
    ],
)
def test_what_is_no_answer_is_said_in_one_sentence(
    colour: Path, answers: Callable[[BaseHTTPRequestHandler], bool], sentence: str
) -> None:
    with serving(InferenceServer(pack=colour, binary=False)) as server:
        reader = open_over(colour, server.url)
        server.answers = answers
        with pytest.raises(Unreachable, match=sentence) as caught:
            reader.read(cell_png())
    assert str(caught.value).startswith(server.host)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize("answers", [hangs, drips, drips_body])
def test_a_server_that_never_ends_its_answer_is_left_at_the_deadline(
    colour: Path, answers: Callable[[BaseHTTPRequestHandler], bool]
) -> None:
    with serving(InferenceServer(pack=colour)) as server:
        reader = open_over(colour, server.url, timeout_s=0.4)
        server.answers = answers
        with pytest.raises(Unreachable, match=r"did not answer within 0\.4 s"):
            reader.read(cell_png())


def test_a_server_that_came_back_is_asked_over_a_new_connection(colour: Path) -> None:
    with serving(InferenceServer(pack=colour)) as server:
        reader = open_over(colour, server.url)
        port = int(server.url.rpartition(":")[2])
    with pytest.raises(Unreachable, match="cannot be reached"):
        reader.read(cell_png())
    with serving(server, port=port):
        assert reader.read(cell_png()).read.label == "red"


def test_what_is_no_inference_server_is_said_at_once(colour: Path) -> None:
    with serving(InferenceServer(pack=colour)) as server:
        wrong = replace(address_of(server.url), base=f"{server.url}/v2")
        manifest = server.manifest
        network = OpenInference(wrong, manifest=manifest, timeout_s=5)  # a gateway may hide /v2
        with pytest.raises(Unreachable, match="has no /v2/models/colour"):
            network.run(np.zeros((1, 32, 32, 3), dtype=np.uint8))


@pytest.mark.parametrize(
    ("text", "base", "model", "version"),
    [
        ("http://one:8080", "http://one:8080", "", ""),
        ("https://one/", "https://one", "", ""),
        ("https://one/reader/v2", "https://one/reader", "", ""),
        ("http://[::1]:8/v2/models/cells", "http://[::1]:8", "cells", ""),
        ("https://gw/a/b/v2/models/c.d/versions/3/", "https://gw/a/b", "c.d", "3"),
    ],
)
def test_an_address_names_the_server_and_perhaps_the_model(
    text: str, base: str, model: str, version: str
) -> None:
    found = address_of(text)
    assert (found.base, found.model, found.version) == (base, model, version)


@pytest.mark.parametrize(
    "text",
    [
        "one:8080",
        "ftp://one",
        "http://",
        "http://one:port",
        "http://one:99999",
        "http://user:pw@one",
        "http://one/?token=x",
        "http://one/#x",
        "http://one/v2/models/..%2f",
        "http://o ne",
        "http://one\n",
        "http://[::1",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(BadConfiguration) as caught:
        address_of(text)
    assert "pw" not in str(caught.value)

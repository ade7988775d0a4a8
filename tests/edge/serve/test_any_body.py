"""Whatever a client sends, each protocol answers in its own form, and never fails."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firstread.domain.errors import FirstreadError
from firstread.edge.serve.problems import problem_of
from firstread.edge.serve.protocols.gathered import routes
from firstread.edge.serve.routing import Table
from firstread.edge.serve.settings import ServeSettings
from firstread.edge.serve.warm import WarmPacks
from firstread.edge.serve.wire import Answer, Asked
from tests.packs_for_tests import make_pack

REFUSALS = {400, 404, 413, 415, 422}


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    """Calls a protocol's function as the server does, without HTTP."""
    folder: Path = tmp_path_factory.mktemp("packs")
    packs = WarmPacks(
        {"colour": make_pack(folder), "sizes": make_pack(folder, kind="measurements")}
    )
    table = Table(routes(ServeSettings(default_pack="sizes", max_body_mb=1), names=packs.names))

    def ask(path: str, body: bytes, headers: dict[str, str]) -> Answer:
        found = table.find("POST", path)
        assert not isinstance(found, Answer)
        asked = Asked(method="POST", path=path, parts=found.parts, headers=headers, body=body)
        try:
            return found.route.handler(asked, packs)
        except FirstreadError as error:
            return problem_of(error)

    return ask


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


def mostly(*known):
    return st.sampled_from(known) | ANYTHING


TENSOR = st.fixed_dictionaries(
    {},
    optional={
        "name": mostly("image", "sample", "measurements"),
        "datatype": mostly("UINT8", "BYTES", "FP32"),
        "shape": mostly([1], [1, 3], [1, 1], [1, 32, 32, 3], [2, 3]),
        "data": mostly([1, 2, 3], ["AAAA"], ['{"size": 1}'], [None] * 3, [[1.5, 2, 3]]),
        "parameters": mostly({"binary_data_size": 12}, {"binary_data_size": 7}),
    },
)
CALL = st.fixed_dictionaries(
    {"inputs": st.lists(TENSOR | ANYTHING, max_size=2) | ANYTHING},
    optional={
        "id": ANYTHING,
        "parameters": mostly({"binary_data_output": True}),
        "outputs": st.lists(
            st.fixed_dictionaries(
                {"name": mostly("logits", "read")},
                optional={"parameters": mostly({"binary_data": True}, {"classification": 1})},
            ),
            max_size=2,
        )
        | ANYTHING,
    },
)
LISTS = st.dictionaries(
    st.sampled_from(["instances", "input_data", "data", "parameters", "size", "shape"]),
    st.lists(ANYTHING | mostly({"b64": "AAAA"}, {"size": 1, "shape": 2}, [1, 2, 3]), max_size=3)
    | mostly({"pack": "colour"}),
    max_size=3,
)
MANY = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def is_said(answer: Answer) -> bool:
    """Whether the answer is one, or a refusal with its sentence."""
    if answer.status == 200:
        return True
    said = json.loads(answer.body)
    sentence = said.get("error") or said.get("Message") or said.get("detail")
    return answer.status in REFUSALS and sentence.endswith(".")


@MANY
@given(call=CALL, rest=st.binary(max_size=24), pack=st.sampled_from(["colour", "sizes"]))
def test_any_call_of_the_open_inference_protocol_is_answered(ask, call, rest, pack):
    text = json.dumps(call).encode()
    headers = {"inference-header-content-length": str(len(text))} if rest else {}
    assert is_said(ask(f"/v2/models/{pack}/infer", text + rest, headers))


@MANY
@given(
    body=st.binary(max_size=200),
    length=st.none() | st.text(max_size=6),
    encoding=st.sampled_from(["", "gzip", "deflate", "br"]),
)
def test_any_bytes_are_answered_by_the_open_inference_protocol(ask, body, length, encoding):
    headers = {"content-encoding": encoding, "accept-encoding": encoding}
    if length is not None:
        headers["inference-header-content-length"] = length
    assert is_said(ask("/v2/models/colour/infer", body, headers))


@MANY
@given(body=LISTS | ANYTHING, path=st.sampled_from(["/invocations", "/score"]))
def test_any_json_is_answered_by_the_clouds(ask, body, path):
    headers = {"content-type": "application/json"}
    assert is_said(ask(path, json.dumps(body).encode(), headers))


@MANY
@given(
    body=st.binary(max_size=200),
    path=st.sampled_from(["/invocations", "/score", "/Inference", "/VRInference/1"]),
    kind=st.sampled_from(
        ["", "image/png", "text/csv", "application/json", "multipart/form-data; boundary=x"]
    )
    | st.text(max_size=20),
    target=st.text(max_size=20),
    accept=st.sampled_from(["", "application/jsonlines"]),
)
def test_any_bytes_are_answered_by_the_clouds_and_by_allds2020(
    ask, body, path, kind, target, accept
):
    headers = {
        "content-type": kind,
        "accept": accept,
        "x-amzn-sagemaker-custom-attributes": target,
        "x-amzn-sagemaker-target-model": target if target.isalnum() else "",
    }
    assert is_said(ask(path, body, headers))

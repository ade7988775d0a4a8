"""Packs in Google's bucket, as Vertex AI names it; moto speaks what Google shares with S3."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import obstore
import pytest
from obstore.store import from_url

from firstread.domain.errors import BadConfiguration
from firstread.edge.serve.cloud_models import packs_of
from tests.images_for_tests import cell_png
from tests.packs_for_tests import make_pack
from tests.serving_for_tests import serving

MOTO = Path(__file__).resolve().parents[2] / ".servers" / "bin" / "moto_server"

pytestmark = [pytest.mark.services, pytest.mark.xdist_group("cloud models")]


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    if not MOTO.exists():
        pytest.skip("there is no moto: run 'make servers'")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [str(MOTO), "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        for _ in range(300):
            try:
                httpx.put(f"{url}/models").raise_for_status()
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def bucket(s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A pack in the bucket's folder `blood`, and the environment in which it is found."""
    account = {
        "AWS_ENDPOINT_URL": s3,
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_REGION": "us-east-1",
        "GOOGLE_BASE_URL": s3,
        "GOOGLE_BEARER_TOKEN": "t",
    }
    for name, value in account.items():
        monkeypatch.setenv(name, value)
    store = from_url("s3://models/blood")
    pack = make_pack(tmp_path / "made")
    for path in pack.rglob("*"):
        if path.is_file():
            obstore.put(store, f"colour/{path.relative_to(pack)}", path.read_bytes())
    return account


def test_a_container_on_vertex_reads_with_the_pack_of_its_bucket(bucket):
    env = {
        "AIP_HTTP_PORT": "8080",
        "AIP_PREDICT_ROUTE": "/predict",
        "AIP_STORAGE_URI": "gs://models/blood",
    }
    with serving(env=bucket | env, options=("--host", "127.0.0.1")) as running:
        headers = {"Content-Type": "image/png"}
        answer = httpx.post(f"{running.url}/predict", content=cell_png("red"), headers=headers)
        assert answer.json()["pack"] == "colour"
        assert answer.json()["label"] == "red"


def test_a_bucket_without_a_pack_keeps_the_reader_from_starting(bucket, tmp_path):
    obstore.put(from_url("s3://models/other"), "model.pkl", b"x")
    into = tmp_path / "into"
    into.mkdir()
    with pytest.raises(BadConfiguration, match="gs://models/other"):
        packs_of("gs://models/other", into=into)
    assert packs_of("gs://models/nothing", into=tmp_path / "empty") == ()

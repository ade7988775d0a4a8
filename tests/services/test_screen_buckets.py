"""Archives in buckets are screened: S3 (moto), Azure (Azurite), and Google's address form.

Google's own emulators speak its JSON interface; the library that is used speaks the XML interface,
which Google keeps compatible with S3's. So it is held against moto, which speaks that one.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import socket
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import obstore
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from obstore.store import from_url

from firstread.cli.main import main
from tests.images_for_tests import cell_png
from tests.packs_for_tests import make_pack

SERVERS = Path(__file__).resolve().parents[2] / ".servers"
ACCOUNT = "devstoreaccount1"
# The key that Microsoft publishes for every Azurite.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

pytestmark = [pytest.mark.services, pytest.mark.xdist_group("buckets")]


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with _running("bin/moto_server", tmp_path_factory, "-H", "127.0.0.1", "-p", "{0}") as ports:
        url = f"http://127.0.0.1:{ports[0]}"
        httpx.put(f"{url}/scans").raise_for_status()
        yield url


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    where = tmp_path_factory.mktemp("azurite")
    words = ["--silent", "--skipApiVersionCheck", "--disableTelemetry", "--location", str(where)]
    for number, kind in enumerate(("blob", "queue", "table")):
        words += [f"--{kind}Host", "127.0.0.1", f"--{kind}Port", f"{{{number}}}"]
    with _running("node_modules/.bin/azurite", tmp_path_factory, *words) as ports:
        url = f"http://127.0.0.1:{ports[0]}"
        _make_container(url, "scans")
        yield url


@pytest.fixture
def s3_account(s3: str, monkeypatch: pytest.MonkeyPatch) -> str:
    _set(
        monkeypatch,
        AWS_ENDPOINT_URL=s3,
        AWS_ALLOW_HTTP="true",
        AWS_ACCESS_KEY_ID="a",
        AWS_SECRET_ACCESS_KEY="b",
        AWS_REGION="us-east-1",
    )
    return s3


@pytest.fixture
def azure_account(azure: str, monkeypatch: pytest.MonkeyPatch) -> str:
    _set(
        monkeypatch,
        AZURE_STORAGE_USE_EMULATOR="true",
        AZURE_STORAGE_ACCOUNT_NAME=ACCOUNT,
        AZURITE_BLOB_STORAGE_URL=azure,
    )
    return azure


@pytest.fixture
def packs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_pack(tmp_path / "packs")
    monkeypatch.setenv("FIRSTREAD_PACKS", str(tmp_path / "packs"))


def test_a_bucket_of_s3_is_screened(packs: None, s3_account: str, tmp_path: Path) -> None:
    _fill("s3://scans/s3")
    _screened_whole("s3://scans/s3/", tmp_path / "results.parquet")


def test_a_container_of_azure_is_screened(packs: None, azure_account: str, tmp_path: Path) -> None:
    _fill("az://scans/az")
    _screened_whole("az://scans/az", tmp_path / "results.parquet")


def test_a_bucket_of_google_is_screened(
    packs: None, s3_account: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fill("s3://scans/gs")
    _set(monkeypatch, GOOGLE_BASE_URL=s3_account, GOOGLE_BEARER_TOKEN="t")
    _screened_whole("gs://scans/gs", tmp_path / "results.parquet")


def test_a_list_may_mix_clouds(
    packs: None, s3_account: str, azure_account: str, tmp_path: Path
) -> None:
    _fill("s3://scans/mixed")
    _fill("az://scans/mixed")
    addresses = [
        "s3://scans/mixed/deep/red cell 0.png",
        "az://scans/mixed/deep/red cell 1.png",
        "s3://scans/mixed/absent.png",
        "s3://",
    ]
    (tmp_path / "list.csv").write_text("path\n" + "\n".join(addresses) + "\n")
    assert _screen(str(tmp_path / "list.csv"), tmp_path / "results.parquet").exit_code == 1
    rows = {row["path"]: row for row in pq.read_table(tmp_path / "results.parquet").to_pylist()}
    assert [rows[address]["label"] for address in addresses[:2]] == ["red", "red"]
    assert "no such object" in rows[addresses[2]]["error"]
    assert "no bucket that can be opened" in rows[addresses[3]]["error"]


def test_a_bucket_that_is_not_there_or_does_not_answer_says_so(
    packs: None, s3_account: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "results.parquet"
    absent = _screen("s3://absent", out)
    assert absent.exit_code == 1
    assert "s3://absent cannot be listed" in absent.stderr
    assert "404" in absent.stderr
    monkeypatch.setattr("firstread.connect.buckets.bucket.TRIES", 1)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{_free_port()}")
    away = _screen("s3://scans", out)
    assert away.exit_code == 1
    assert "s3://scans cannot be listed" in away.stderr
    assert "Traceback" not in away.stderr
    assert list(tmp_path.glob("results*")) == []


def _screened_whole(url: str, out: Path) -> None:
    result = _screen(url, out)
    assert (result.exit_code, result.stderr) == (1, "")
    rows = pq.read_table(out).to_pylist()
    whole = [f"deep/red cell {seed}.png" for seed in range(30)]
    assert [row["path"] for row in rows] == sorted([*whole, "notes.txt", "zellen/blau-ä#1.png"])
    assert {row["label"] for row in rows} == {"red", "blue", None}
    assert [row["path"] for row in rows if row["error"]] == ["notes.txt"]
    assert "32 samples: 31 read" in result.stdout
    again = _screen(url, out)
    assert again.exit_code == 0
    assert "was finished at" in again.stdout


def _screen(source: str, out: Path) -> Result:
    words = ["screen", source, "--pack", "colour", "--out", str(out)]
    return CliRunner().invoke(main, words, catch_exceptions=False)


def _fill(url: str) -> None:
    store = from_url(url, client_options={"allow_http": True})
    for seed in range(30):
        obstore.put(store, f"deep/red cell {seed}.png", cell_png("red", seed=seed))
    obstore.put(store, "zellen/blau-ä#1.png", cell_png("blue"))
    obstore.put(store, "notes.txt", b"no sample")
    obstore.put(store, "deep/.hidden", b"hidden")


def _set(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


@contextlib.contextmanager
def _running(
    program: str, folders: pytest.TempPathFactory, *words: str
) -> Iterator[tuple[int, int, int]]:
    """The emulator with three free ports in its words; it is stopped at the end."""
    if not (SERVERS / program).exists():
        pytest.skip(f"{program} is not installed: make servers")
    ports = (_free_port(), _free_port(), _free_port())
    log = folders.mktemp("log") / "log"
    with log.open("wb") as written:
        process = subprocess.Popen(
            [str(SERVERS / program), *(word.format(*ports) for word in words)],
            stdout=written,
            stderr=written,
        )
    try:
        _wait_until_it_answers(ports[0], process=process, log=log)
        yield ports
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_until_it_answers(port: int, *, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        assert process.poll() is None, log.read_text()[-2000:]
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise AssertionError(f"no answer in a minute: {log.read_text()[-2000:]}")


def _free_port() -> int:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        return int(chosen.getsockname()[1])


def _make_container(url: str, name: str) -> None:
    """Ask Azurite for it, signed with the account's key: obstore makes no containers."""
    now = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    version = "2021-08-06"
    told = (
        f"PUT{chr(10) * 12}x-ms-date:{now}\nx-ms-version:{version}\n"
        f"/{ACCOUNT}/{ACCOUNT}/{name}\nrestype:container"
    )
    signed = hmac.new(base64.b64decode(KEY), told.encode(), hashlib.sha256).digest()
    httpx.put(
        f"{url}/{ACCOUNT}/{name}?restype=container",
        headers={
            "x-ms-date": now,
            "x-ms-version": version,
            "Authorization": f"SharedKey {ACCOUNT}:{base64.b64encode(signed).decode()}",
        },
    ).raise_for_status()

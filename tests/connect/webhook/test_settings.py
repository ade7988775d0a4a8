"""`[webhook]`: what is taken, and what is refused in a sentence that shows no secret."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from firstread.connect.webhook.settings import WebhookSettings
from firstread.domain.errors import BadConfiguration
from firstread.server.config import load_config
from tests.webhooks_for_tests import SECRET


def _load(home: Path, *addresses: str, **env: str) -> WebhookSettings:
    (home / "firstread.toml").write_text(f"[webhook]\naddresses = {json.dumps(addresses)}\n")
    given = {"FIRSTREAD_HOME": str(home), "FIRSTREAD_SECRET_KEY": "k" * 40}
    return load_config(given | env).service(WebhookSettings)


@pytest.mark.parametrize(
    "address",
    [
        "https://his.example.org/firstread",
        "https://his.example.org:8443",
        "http://127.0.0.1:8080/in",
        "http://localhost/in",
        "http://[::1]:8080/in",
    ],
)
def test_an_address_is_taken(address: str, tmp_path: Path) -> None:
    webhook = _load(tmp_path, address, FIRSTREAD_WEBHOOK_SECRET=SECRET)
    assert webhook.addresses == (address,)
    assert SECRET not in repr(webhook)


def test_addresses_and_secret_come_from_the_environment_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    webhook = _load(
        tmp_path,
        FIRSTREAD_WEBHOOK_ADDRESSES="https://one.example/a, https://two.example/b",
        FIRSTREAD_WEBHOOK_SECRET_FILE=str(tmp_path / "secret"),
    )
    assert webhook.addresses == ("https://one.example/a", "https://two.example/b")
    assert webhook.secret == SECRET


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("http://his.example.org/in", "must begin with https://"),
        ("http://127.0.0.1.example.org/in", "must begin with https://"),
        ("ftp://his.example.org/in", "must begin with https://"),
        ("his.example.org", "must be addresses such as https://host/path"),
        ("https://", "must be addresses such as https://host/path"),
        ("https://one:two/x", "must be addresses such as https://host/path"),
        ("https://his.example.org/a b", "must be addresses such as https://host/path"),
        ("https://his.example.org/#x", "must be addresses such as https://host/path"),
        ("https://ana:pw@his.example.org/in", "must hold no name, password or query"),
        ("https://his.example.org/in?key=1", "must hold no name, password or query"),
        ("https://his.example.org/" + 500 * "a", "holds an address of more than 500 letters"),
    ],
)
def test_an_address_is_refused(address: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match=r"webhook\.addresses") as refused:
        _load(tmp_path, address, FIRSTREAD_WEBHOOK_SECRET=SECRET)
    assert says in str(refused.value)
    assert "pw" not in str(refused.value)


def test_an_address_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match="names an address twice"):
        _load(tmp_path, "https://a.example", "https://a.example", FIRSTREAD_WEBHOOK_SECRET=SECRET)


def test_addresses_without_a_secret_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match="FIRSTREAD_WEBHOOK_SECRET_FILE"):
        _load(tmp_path, "https://his.example.org/in")


@pytest.mark.parametrize("secret", ["hunter2", "whsec_hunter2", "whsec_" + 4 * "AAAA", "-"])
def test_a_secret_of_another_form_is_refused_and_not_repeated(secret: str, tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match="24 to 64 random bytes in base64") as refused:
        _load(tmp_path, "https://his.example.org/in", FIRSTREAD_WEBHOOK_SECRET=secret)
    assert "hunter2" not in str(refused.value)


def test_a_secret_in_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "firstread.toml").write_text(f'[webhook]\nsecret = "{SECRET}"\n')
    with pytest.raises(BadConfiguration, match="does not belong in the file") as refused:
        load_config({"FIRSTREAD_HOME": str(tmp_path), "FIRSTREAD_SECRET_KEY": "k" * 40})
    assert SECRET not in str(refused.value)

"""A database and its keys, as an operator meets them: real processes, on both databases."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.site_for_tests import Site, site_on

SIGNED_IN = """
from firstread.server.start import open_django, open_as_it_is
open_django(); open_as_it_is()
from django.test import Client
from firstread.clinic.models import Person
client = Client(SERVER_NAME="localhost")
{}
"""
SIGN_IN = SIGNED_IN.format(
    "client.force_login(Person.objects.get(username='ana'), "
    "backend='django.contrib.auth.backends.ModelBackend');"
    "print(client.cookies['sessionid'].value)"
)
STILL_IN = SIGNED_IN.format(
    "client.cookies['sessionid'] = '{}'; print(client.get('/').status_code)"
)


@pytest.fixture(params=["sqlite", "postgresql"])
def site(request: pytest.FixtureRequest, tmp_path: Path, shelf: Path) -> Iterator[Site]:
    home = tmp_path / "home"
    home.mkdir()
    with site_on(request.param, home=home, shelf=shelf) as site:
        done = site.firstread("audit", "verify")
        assert "There is no database" in done.stderr
        assert not (home / "secret-key").exists()
        site.python(
            "from firstread.server.start import open_django, open_database\n"
            "open_django(); open_database()\n"
            "from firstread.clinic.models import Person\n"
            "from firstread.clinic.accounts.tokens import issue\n"
            "issue(Person.objects.create_user('ana', role='specialist'))\n"
        )
        yield site


def test_a_lost_key_stops_every_start_until_it_is_back_and_none_is_made(site: Site) -> None:
    key = site.home / "secret-key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert site.firstread("audit", "verify").returncode == 0
    key.rename(site.home / "elsewhere")
    for command in (["up"], ["worker"], ["token", "list"], ["audit", "verify"]):
        done = site.firstread(*command)
        assert done.returncode == 2, command
        assert "its key is not here" in done.stderr
        assert "Bring secret-key" in done.stderr
        assert not key.exists()
    assert "There is no secret key" in site.firstread("doctor").stdout
    key.write_text(40 * "x")
    for command in (["up"], ["keys", "rotate", "audit"]):
        done = site.firstread(*command)
        assert done.returncode == 2, command
        assert "not the one that seals this database's audit trail" in done.stderr
    assert "not the one that seals" in site.firstread("doctor").stdout
    (site.home / "elsewhere").rename(key)
    assert site.firstread("audit", "verify").returncode == 0
    key.unlink()
    done = site.firstread("keys", "lost", "--yes")
    assert done.returncode == 0, done.stderr
    done = site.firstread("audit", "verify")
    assert (done.returncode, "were sealed with a key that was lost" in done.stderr) == (1, True)


def test_keys_are_rotated_apart_and_nobody_is_signed_out(site: Site) -> None:
    session = site.python(SIGN_IN).strip()
    for command in (["sessions"], ["audit"], ["audit"]):
        done = site.firstread("keys", "rotate", *command)
        assert done.returncode == 0, done.stderr
    assert site.python(STILL_IN.format(session)).strip() == "200"
    assert "adds up" in site.firstread("audit", "verify").stdout
    shown = json.loads(site.firstread("keys", "show", "--json").stdout)
    assert shown["sessions"]["earlier"] == 1
    assert len(shown["audit"]["earlier"]) == 2
    keys = [(site.home / name).read_text().split() for name in ("secret-key", "audit-key")]
    assert not {*keys[0][:1]} & {*keys[1]}
    for name in ("secret-key", "audit-key"):
        assert stat.S_IMODE((site.home / name).stat().st_mode) == 0o600
    assert site.firstread("keys", "rotate", "sessions", "--at-once").returncode == 0
    assert site.python(STILL_IN.format(session)).strip() == "302"
    (site.home / "secret-key").unlink()
    assert "its key is not here" in site.firstread("audit", "verify").stderr
    assert "The trail has its own" in site.firstread("keys", "lost", "--yes").stdout
    assert "adds up" in site.firstread("audit", "verify").stdout


def test_keys_of_the_environment_are_rotated_there(site: Site) -> None:
    old = (site.home / "secret-key").read_text().strip()
    (site.home / "secret-key").unlink()
    site.env |= {"FIRSTREAD_SECRET_KEY": "n" * 40, "FIRSTREAD_SECRET_KEY_FALLBACKS": old}
    done = site.firstread("keys", "rotate", "sessions")
    assert (done.returncode, "FIRSTREAD_SECRET_KEY_FALLBACKS" in done.stderr) == (2, True)
    assert "adds up" in site.firstread("audit", "verify").stdout
    assert site.firstread("token", "revoke", "1").returncode == 0  # writes the next row
    assert "adds up" in site.firstread("audit", "verify").stdout
    assert site.query("SELECT count(*) FROM clinic_auditrow WHERE action = 'new_audit_key'") == [
        (1,)
    ]

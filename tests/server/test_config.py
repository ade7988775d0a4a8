"""Settings: from the file and the environment, and refused with a sentence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import pytest
from msgspec import Meta

from firstread.connect.channels import CHANNELS
from firstread.connect.mail.channel import MAIL
from firstread.connect.mail.settings import MailSettings
from firstread.domain.errors import BadConfiguration
from firstread.server.config import Config, load_config
from firstread.server.database import database_of
from firstread.server.secret import DEMO_KEY
from firstread.toml import Secret, Table

KEY = "k" * 40


def _load(home: Path, text: str = "", **env: str) -> Config:
    (home / "firstread.toml").write_text(text, encoding="utf-8")
    return load_config({"FIRSTREAD_HOME": str(home), "FIRSTREAD_SECRET_KEY": KEY, **env})


def test_without_any_setting_it_serves_this_machine_from_sqlite(tmp_path: Path) -> None:
    config = _load(tmp_path)
    assert config.base_url == "http://127.0.0.1:8000"
    assert config.database_url == f"sqlite://{tmp_path}/firstread.sqlite3"
    assert (config.service(MailSettings).backend, config.inbox.folder, config.demo) == (
        "outbox",
        None,
        False,
    )


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    text = "[server]\nport = 9000\n[inbox]\nsettle_s = 3\n[checks.leukaemia]\nreaders = 2\n"
    config = _load(tmp_path, text, FIRSTREAD_PORT="9001", FIRSTREAD_INBOX_FOLDER="/in")
    assert config.server.port == 9001
    assert (config.inbox.settle_s, config.inbox.folder) == (3, Path("/in"))
    assert config.checks["leukaemia"].readers == 2


def test_a_list_comes_from_a_variable_by_commas(tmp_path: Path) -> None:
    config = _load(tmp_path, FIRSTREAD_ALLOWED_HOSTS="a.example, b.example")
    assert config.server.allowed_hosts == ("a.example", "b.example")


@pytest.mark.parametrize(
    "given",
    [
        '"http://one:1 http://two:2"',
        '"http://one:1,http://two:2"',
        '["http://one:1", "http://two:2"]',
    ],
)
def test_a_check_is_read_by_the_servers_that_one_setting_names(tmp_path: Path, given: str) -> None:
    config = _load(tmp_path, f"[checks.leukaemia]\nreader = {given}\n")
    assert config.checks["leukaemia"].reader == ("http://one:1", "http://two:2")


def test_a_check_is_set_by_variables_too(tmp_path: Path) -> None:
    config = _load(
        tmp_path,
        "[checks.blood-smear]\nreaders = 1\ntells_requester = true\n",
        FIRSTREAD_CHECKS_BLOOD_SMEAR_READER="http://one:1",
        FIRSTREAD_CHECKS_BLOOD_SMEAR_READERS="2",
    )
    check = config.checks["blood-smear"]
    assert (check.reader, check.readers, check.tells_requester) == (("http://one:1",), 2, True)


@pytest.mark.parametrize("port", [" 9001 ", "+9001", "9001\r"])
def test_a_number_in_a_variable_may_have_blanks_and_a_sign(tmp_path: Path, port: str) -> None:
    assert _load(tmp_path, FIRSTREAD_PORT=port).server.port == 9001
    assert _load(tmp_path, FIRSTREAD_INBOX_SETTLE_S=" .5").inbox.settle_s == 0.5


@pytest.mark.parametrize(
    ("written", "means"),
    [("true", True), ("Yes", True), ("on", True), ("1", True), ("No", False), ("off ", False)],
)
def test_yes_and_no_may_be_said_in_a_variable(tmp_path: Path, written: str, means: bool) -> None:
    config = _load(tmp_path, FIRSTREAD_CHECKS_LEUKAEMIA_TELLS_REQUESTER=written)
    assert config.checks["leukaemia"].tells_requester is means
    text = f'[checks.leukaemia]\ntells_requester = "{written}"'
    assert _load(tmp_path, text).checks["leukaemia"].tells_requester is means


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FIRSTREAD_DATABASE_URL", "postgresql://ana:hush[@db.example/clinic"),
        ("FIRSTREAD_DATABASE_URL", "postgresql://ana:hush/@db.example/clinic"),
        ("FIRSTREAD_DATABASE_URL", "mysql://ana:hush@db.example/clinic"),
        ("FIRSTREAD_CHECKS_LEUKAEMIA_READER", "ttps://ana:hush@db.example"),
        ("FIRSTREAD_CHECKS_LEUKAEMIA_READER", "https://ana:hush@db.example"),
    ],
)
def test_a_password_in_an_address_that_is_refused_is_not_shown(
    tmp_path: Path, name: str, value: str
) -> None:
    with pytest.raises(BadConfiguration) as caught:
        _load(tmp_path, **{name: value})
    assert "hush" not in str(caught.value)
    assert "ana" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[server]\nprot = 1", "There is no setting 'server.prot'"),
        ("[sever]\nport = 1", "There is no setting 'sever'"),
        ("[server]\nport = 70000", "'server.port'"),
        ('[server]\nport = "x"', "'server.port'"),
        ('[server]\nbase_url = "clinic.example"', "must be written as https"),
        ('[server]\nbase_url = "https://[::1"', "'server.base_url' must be written as https"),
        ('[server]\nhost = "0.0.0.0"', "'server.base_url' is missing"),
        ('[database]\nurl = "mysql://x/y"', "'database.url'"),
        ('[mail]\nbackend = "pigeon"', "'mail.backend'"),
        ('[mail]\nbackend = "anymail"', "name a provider"),
        ('[mail]\npassword = "p"', "FIRSTREAD_MAIL_PASSWORD"),
        ('[inbox]\npattern = "("', "no regular expression"),
        ('[inbox]\npattern = "([0-9]+)"', r"\(\?P<accession>"),
        ("[reading]\ntries = 0", "'reading.tries'"),
        ("[checks.leukaemia]\nreaders = 3", "'checks.leukaemia.readers'"),
        ('secret_key = "x"', "FIRSTREAD_SECRET_KEY"),
        ("server = 1", "'server'"),
        ("= broken", "cannot be read as TOML"),
        ('[mail]\nbackend = "anymail"\nprovider = "pigeon"', "django-anymail does not know"),
        ('[mail]\nsender = "a@b.example\\nBcc: c@d.example"', "'mail.sender'"),
        ('[mail]\nsender = "Firstread"', "'mail.sender'"),
        ('[reading]\ntoken = "t"', "FIRSTREAD_READING_TOKEN_FILE"),
        ('[reading]\nfallback = "there"', "'reading.fallback'"),
        ('[checks.leukaemia]\nreader = "one:8080"', "is no address of a reader"),
        ('[checks.leukaemia]\nreader = ["http://a:b@one"]', "a name or password"),
        ('[checks.leukaemia]\nreader = "http://one http://one"', "names a server twice"),
        ("[checks]\nleukaemia = 1", "'checks.leukaemia'"),
    ],
)
def test_what_a_setting_should_hold_is_said_with_its_name(
    tmp_path: Path, text: str, sentence: str
) -> None:
    with pytest.raises(BadConfiguration, match=sentence) as caught:
        _load(tmp_path, text)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("FIRSTREAD_MAIL_HSOT", "x", "no setting behind FIRSTREAD_MAIL_HSOT"),
        ("FIRSTREAD_PORT", "many", "'server.port'"),
        ("FIRSTREAD_CONFIG", "/nowhere.toml", "is not a file"),
        ("FIRSTREAD_SECRET_KEY", "short", "32 characters"),
        ("FIRSTREAD_SECRET_KEY", DEMO_KEY, "nobody else knows"),
        ("FIRSTREAD_MAIL_PASSWORD_FILE", "/nowhere", "cannot be read"),
        ("FIRSTREAD_READING_TOKEN", "two words", "copy it whole"),
        ("FIRSTREAD_CHECKS_LEUKAEMIA_REDER", "x", "no setting behind"),
        ("FIRSTREAD_CHECKS_READER", "http://one", "no setting behind"),
    ],
)
def test_a_variable_that_is_wrong_is_named(
    tmp_path: Path, name: str, value: str, sentence: str
) -> None:
    with pytest.raises(BadConfiguration, match=sentence):
        _load(tmp_path, **{name: value})


def test_a_secret_may_lie_in_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret\n")
    config = _load(tmp_path, FIRSTREAD_MAIL_PASSWORD_FILE=str(tmp_path / "secret"))
    assert config.service(MailSettings).password == "s3cret"
    assert "s3cret" not in repr(config)


def test_without_a_key_one_is_made_that_lies_nowhere_before_the_database_was_looked_at(
    tmp_path: Path,
) -> None:
    keys = load_config({"FIRSTREAD_HOME": str(tmp_path)}).keys
    assert keys.new
    assert len(keys.sessions[0]) >= 32
    assert not list(tmp_path.iterdir())


def test_keys_are_taken_from_the_environment_with_those_before_them(tmp_path: Path) -> None:
    new, audit = "n" * 40, "a" * 40
    keys = _load(
        tmp_path,
        FIRSTREAD_SECRET_KEY=new,
        FIRSTREAD_SECRET_KEY_FALLBACKS=f"{KEY}\n",
        FIRSTREAD_AUDIT_KEY=audit,
    ).keys
    assert (keys.sessions, keys.audit) == ((new, KEY), (audit,))
    assert (keys.sessions_file, keys.audit_file) == (None, None)
    assert new not in repr(keys)


def test_a_key_file_that_is_damaged_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret-key").write_text("")
    with pytest.raises(BadConfiguration, match="is damaged"):
        load_config({"FIRSTREAD_HOME": str(tmp_path)})


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.4", "::", "clinic.example"])
def test_the_demo_runs_on_loopback_only(tmp_path: Path, host: str) -> None:
    with pytest.raises(BadConfiguration, match=r"127\.0\.0\.1 only"):
        _load(tmp_path, FIRSTREAD_DEMO="1", FIRSTREAD_HOST=host)


def test_the_demo_has_a_key_of_its_own(tmp_path: Path) -> None:
    assert _load(tmp_path, FIRSTREAD_DEMO="1").keys.sessions == (DEMO_KEY,)
    assert not (tmp_path / "secret-key").exists()


def test_a_postgresql_address_is_taken_apart() -> None:
    found = database_of("postgresql://ana:p%40ss@db.example:5433/clinic?sslmode=require")
    assert (found["USER"], found["PASSWORD"], found["HOST"]) == ("ana", "p@ss", "db.example")
    assert (found["PORT"], found["NAME"]) == ("5433", "clinic")
    assert found["OPTIONS"]["sslmode"] == "require"


@pytest.mark.parametrize("url", ["sqlite:///srv/a%20b.db", "sqlite:////srv/a%20b.db"])
def test_an_sqlite_address_is_a_path(url: str) -> None:
    assert database_of(url)["NAME"] == "/srv/a b.db"


class Pager(Table, frozen=True, kw_only=True):
    """What a service of the world outside could be set to."""

    number: Annotated[int, Meta(ge=1)] = 1
    token: Secret = Secret()


def test_a_service_declares_its_own_section_in_one_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CHANNELS, "pager", replace(MAIL, name="pager", settings=Pager))
    (tmp_path / "secret").write_text("s3cret\n")
    token = {"FIRSTREAD_PAGER_TOKEN_FILE": str(tmp_path / "secret")}
    config = _load(tmp_path, "[pager]\nnumber = 3", **token)
    assert config.service(Pager) == Pager(number=3, token=Secret("s3cret"))
    assert _load(tmp_path, FIRSTREAD_PAGER_NUMBER="4").service(Pager).number == 4
    for text, sentence in [
        ("[pager]\nnumber = 0", "'pager.number' must be 1 or more, not 0"),
        ('[pager]\ntoken = "x"', "set FIRSTREAD_PAGER_TOKEN, or FIRSTREAD_PAGER_TOKEN_FILE"),
    ]:
        with pytest.raises(BadConfiguration, match=sentence):
            _load(tmp_path, text)

"""The configuration: one TOML file and the environment, each value refused with a sentence."""

from __future__ import annotations

import ipaddress
import os
import tomllib
from collections.abc import Mapping
from email.utils import parseaddr
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from firstread.connect.inference.addresses import address_of
from firstread.domain.errors import BadConfiguration
from firstread.inbox.names import ACCESSION_PATTERN, accession_pattern
from firstread.packs.home import home_folder
from firstread.server.environment import from_environment, of_checks
from firstread.server.secret import DEMO_KEY, secret_key

TIMEOUTS_IN_A_LEASE = 6


class Section(BaseModel):
    """One table of the file; a key that it does not have is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Server(Section):
    """`[server]`: where the pages are served."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    base_url: str = ""
    workers: Annotated[int, Field(ge=0, le=64)] = 2
    upload_mb: Annotated[int, Field(ge=1, le=2048)] = 64
    allowed_hosts: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ("127.0.0.1",)

    @field_validator("base_url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if value and (
            urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).netloc
        ):
            raise ValueError("write it as https://host or http://host:port")
        return value.rstrip("/")

    @property
    def loopback(self) -> bool:
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


class Database(Section):
    """`[database]`: SQLite in the home folder unless another is named."""

    url: str = ""


class Mail(Section):
    """`[mail]`: how mails leave. `outbox` keeps them to be looked at on the outbox page."""

    backend: Literal["outbox", "smtp", "anymail"] = "outbox"
    sender: str = "Firstread <firstread@localhost>"
    host: str = "localhost"
    port: Annotated[int, Field(ge=1, le=65535)] = 25
    tls: Literal["none", "starttls", "tls"] = "none"
    user: str = ""
    password: str = Field(default="", repr=False)
    timeout_s: Annotated[float, Field(gt=0, le=300)] = 20
    provider: str = ""
    provider_settings: dict[str, str | int | float | bool] = Field(default={}, repr=False)

    @field_validator("sender")
    @classmethod
    def _is_a_sender(cls, value: str) -> str:
        name, at, host = parseaddr(value)[1].partition("@")
        if not (name and at and host and value.isprintable()):
            raise ValueError("write it as Name <name@host>")
        return value

    @model_validator(mode="after")
    def _provider_is_known(self) -> Mail:
        if self.backend != "anymail":
            return self
        if not self.provider:
            raise ValueError(
                "mail.provider is missing: name a provider of django-anymail, such as mailjet"
            )
        if not self.provider.isidentifier() or not find_spec(f"anymail.backends.{self.provider}"):
            raise ValueError(
                f"mail.provider is '{self.provider}', which django-anymail does not know: write "
                "it as there in small letters, such as mailjet"
            )
        return self


class Inbox(Section):
    """`[inbox]`: the watched folder; without `folder` there is none."""

    folder: Path | None = None
    pattern: str = ACCESSION_PATTERN
    default_check: str = ""
    settle_s: Annotated[float, Field(ge=0, le=3600)] = 0.2
    patience_s: Annotated[float, Field(ge=0, le=86400)] = 10
    poll_s: Annotated[float, Field(gt=0, le=3600)] = 2
    afterwards: Literal["keep", "delete"] = "keep"

    @field_validator("pattern")
    @classmethod
    def _names_the_accession(cls, value: str) -> str:
        try:
            return accession_pattern(value).pattern
        except BadConfiguration as error:
            raise ValueError(str(error)) from None


class Reading(Section):
    """`[reading]`: how the first read is made."""

    threads: Annotated[int, Field(ge=1, le=64)] = 1
    lease_s: Annotated[float, Field(gt=0, le=86400)] = 60
    tries: Annotated[int, Field(ge=1, le=20)] = 3
    timeout_s: Annotated[float, Field(gt=0, le=600)] = 5
    patience_s: Annotated[float, Field(ge=0, le=86400)] = 30
    fallback: Literal["here", "none"] = "here"
    token: str = Field(default="", repr=False)

    @field_validator("token")
    @classmethod
    def _is_a_token(cls, value: str) -> str:
        if any(not "!" <= sign <= "~" for sign in value):
            raise ValueError("a token has no space, line end or letter beyond ASCII: copy it whole")
        return value


class CheckSettings(Section):
    """`[checks.NAME]`: where it is read, and what is set up when the check is first seen."""

    reader: tuple[str, ...] = ()
    pack: str = ""
    readers: Literal[1, 2] | None = None
    tells_requester: bool | None = None

    @field_validator("readers", mode="before")
    @classmethod
    def _is_a_number(cls, value: Any) -> Any:
        return int(value) if isinstance(value, str) and value.isdecimal() else value

    @field_validator("reader", mode="before")
    @classmethod
    def _are_apart(cls, value: Any) -> Any:
        return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value

    @field_validator("reader")
    @classmethod
    def _are_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for address in value:
            try:
                address_of(address)
            except BadConfiguration as error:
                raise ValueError(str(error).rstrip(".")) from None
        if len(set(value)) < len(value):
            raise ValueError("it names a server twice")
        return value


class Config(Section):
    """Everything that the operator sets."""

    home: Path
    demo: bool = False
    secret_key: str = Field(default="", repr=False)
    server: Server = Server()
    database: Database = Database()
    mail: Mail = Mail()
    inbox: Inbox = Inbox()
    reading: Reading = Reading()
    checks: dict[str, CheckSettings] = {}

    @model_validator(mode="after")
    def _lease_outlasts_the_servers(self) -> Config:
        # A sample spends up to four time-outs on servers, and its lease is renewed when a quarter
        # of it is over: else a second worker would take the case from the first.
        reading = self.reading
        elsewhere = any(check.reader for check in self.checks.values())
        if elsewhere and reading.timeout_s * TIMEOUTS_IN_A_LEASE > reading.lease_s:
            raise ValueError(
                f"reading.timeout_s is {reading.timeout_s:g} and reading.lease_s "
                f"{reading.lease_s:g}: where a check has a reader the lease must be "
                f"{TIMEOUTS_IN_A_LEASE} times as long as the time-out, or longer"
            )
        return self

    @property
    def base_url(self) -> str:
        """How people reach the pages; links in mails begin with it."""
        host = f"[{self.server.host}]" if ":" in self.server.host else self.server.host
        return self.server.base_url or f"http://{host}:{self.server.port}"

    @property
    def samples(self) -> Path:
        return self.home / "samples"

    @property
    def database_url(self) -> str:
        return self.database.url or f"sqlite://{quote(str(self.home / 'firstread.sqlite3'))}"


def load_config(environment: Mapping[str, str] | None = None) -> Config:
    """The configuration of this process; raises BadConfiguration, naming the key."""
    env = os.environ if environment is None else environment
    home = home_folder(env)
    values = _from_file(_file(env, home=home))
    for section, keys in from_environment(env, sections=_sections()).items():
        _table(values, section).update(keys)
    for check, keys in of_checks(env, kind=CheckSettings).items():
        _table(_table(values, "checks"), check, within="checks.").update(keys)
    demo = env.get("FIRSTREAD_DEMO", "") not in ("", "0")
    try:
        config = Config.model_validate({**values, "home": home, "demo": demo})
    except ValidationError as error:
        raise BadConfiguration(_sentence(error)) from None
    _refuse_unsafe(config)
    key = DEMO_KEY if demo else secret_key(env, home=home)
    return config.model_copy(update={"secret_key": key})


def _table(values: dict[str, Any], name: str, *, within: str = "") -> dict[str, Any]:
    table = values.setdefault(name, {})
    if not isinstance(table, dict):
        raise BadConfiguration(f"'{within}{name}' is a table of settings: write [{within}{name}].")
    return table


def _sections() -> dict[str, type[Section]]:
    kinds: dict[str, type[Section]] = {}
    for name, field in Config.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            kinds[name] = field.annotation
    return kinds


def _file(env: Mapping[str, str], *, home: Path) -> Path | None:
    if named := env.get("FIRSTREAD_CONFIG"):
        if not Path(named).is_file():
            raise BadConfiguration(
                f"FIRSTREAD_CONFIG names '{named}', which is not a file. Correct it or unset it."
            )
        return Path(named)
    # The demo stands by itself: it must not take up a real clinic's mail or inbox.
    places = [home / "firstread.toml"]
    if not env.get("FIRSTREAD_DEMO"):
        places.append(Path("firstread.toml"))
    return next((place for place in places if place.is_file()), None)


def _from_file(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadConfiguration(f"'{path}' cannot be read as TOML: {error}. Correct it.") from None
    for key in ("home", "demo", "secret_key"):
        if key in values:
            raise BadConfiguration(
                f"'{key}' does not belong in the file; set FIRSTREAD_{key.upper()} instead."
            )
    for section, key in (("mail", "password"), ("reading", "token")):
        if isinstance(values.get(section), dict) and key in values[section]:
            variable = f"FIRSTREAD_{section.upper()}_{key.upper()}"
            raise BadConfiguration(
                f"{section}.{key} does not belong in the file: set {variable}, or {variable}_FILE "
                "to a file that holds it."
            )
    return values


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"There is no setting '{key}'. Look it up in docs/configuration.md, or remove it."
    said = first["msg"].removeprefix("Value error, ")
    if not key or said.startswith(f"{key}."):
        return f"{said}."
    return f"The setting '{key}' does not hold what it should: {said[:1].lower()}{said[1:]}."


def _refuse_unsafe(config: Config) -> None:
    server = config.server
    if config.demo and not server.loopback:
        raise BadConfiguration(
            f"The demo has passwords that everybody knows, so it runs on 127.0.0.1 only, not on "
            f"{server.host}. Use 'firstread up' to serve other machines."
        )
    if server.host in ("0.0.0.0", "::") and not server.base_url:  # noqa: S104 - it is refused
        raise BadConfiguration(
            "The setting 'server.base_url' is missing: with server.host = "
            f'"{server.host}" Firstread cannot tell under which address people reach it.'
        )
    if urlsplit(config.database_url).scheme not in ("sqlite", "postgresql", "postgres"):
        raise BadConfiguration(
            "The setting 'database.url' is neither sqlite:///PATH nor postgresql://USER@HOST/NAME."
        )

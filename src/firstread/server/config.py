"""The configuration: one TOML file and the environment, each value refused with a sentence."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import quote, urlsplit

from msgspec import Meta, Struct
from msgspec.structs import replace

from firstread.connect.channels import CHANNELS
from firstread.connect.inference.addresses import address_of
from firstread.connect.loopback import is_loopback
from firstread.domain.errors import BadConfiguration
from firstread.domain.retention import Terms
from firstread.inbox.names import ACCESSION_PATTERN, accession_pattern
from firstread.packs.home import home_folder
from firstread.server.database import is_database
from firstread.server.environment import from_environment, of_checks, secrets_of
from firstread.server.secret import Keys, demo_keys, keys_of
from firstread.toml import Document, Secret, Table, Wrong, within

T = TypeVar("T", bound=Table)

FILE = Document(
    refusal=BadConfiguration,
    damaged="'{path}' cannot be read as TOML: {why}. Correct it.",
    lacks="The setting '{key}' is missing. Look it up in docs/configuration.md.",
    unknown="There is no setting '{key}'. Look it up in docs/configuration.md, or remove it.",
    wrong="The setting '{key}' {demand}.",
)
Port = Annotated[int, Meta(ge=0, le=65535)]
Address = Annotated[
    str,
    Meta(
        pattern="^((?i:https?)://[^/].*)?$",
        description="written as https://host or http://host:port",
    ),
]


class Server(Table, frozen=True, kw_only=True):
    """`[server]`: where the pages are served."""

    host: str = "127.0.0.1"
    port: Port = 8000
    base_url: Address = ""
    workers: Annotated[int, Meta(ge=0, le=64)] = 2
    upload_mb: Annotated[int, Meta(ge=1, le=2048)] = 64
    allowed_hosts: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ("127.0.0.1",)

    def __post_init__(self) -> None:
        try:
            urlsplit(self.base_url)
        except ValueError:
            raise Wrong("base_url", "must be written as https://host or http://host:port") from None


class Database(Table, frozen=True, kw_only=True):
    """`[database]`: SQLite in the home folder unless another is named."""

    url: str = ""


class Inbox(Table, frozen=True, kw_only=True):
    """`[inbox]`: the watched folder; without `folder` there is none."""

    folder: Path | None = None
    pattern: str = ACCESSION_PATTERN
    default_check: str = ""
    settle_s: Annotated[float, Meta(ge=0, le=3600)] = 0.2
    patience_s: Annotated[float, Meta(ge=0, le=86400)] = 10
    poll_s: Annotated[float, Meta(gt=0, le=3600)] = 2
    afterwards: Literal["keep", "delete"] = "keep"

    def __post_init__(self) -> None:
        with within("pattern"):
            accession_pattern(self.pattern)


class Reading(Table, frozen=True, kw_only=True):
    """`[reading]`: how the first read is made."""

    threads: Annotated[int, Meta(ge=1, le=64)] = 1
    lease_s: Annotated[float, Meta(gt=0, le=86400)] = 30
    tries: Annotated[int, Meta(ge=1, le=20)] = 3
    timeout_s: Annotated[float, Meta(gt=0, le=600)] = 5
    patience_s: Annotated[float, Meta(ge=0, le=86400)] = 30
    fallback: Literal["here", "none"] = "here"
    token: Secret = Secret()

    def __post_init__(self) -> None:
        if any(not "!" <= sign <= "~" for sign in self.token):
            raise Wrong(
                "token",
                "has a space, line end or letter beyond ASCII, as no token has: copy it whole",
            )


class Store(Table, frozen=True, kw_only=True):
    """`[store]`: the round in which every file is held against its hash."""

    verify_every_h: Annotated[float, Meta(ge=0, le=8760)] = 24
    verify_mb_a_second: Annotated[float, Meta(gt=0, le=100_000)] = 5


class Outages(Table, frozen=True, kw_only=True):
    """`[outages]`: when the operators are told that something has stopped, and whom of them."""

    reading_after_s: Annotated[float, Meta(ge=0, le=86400)] = 300
    sending_after_s: Annotated[float, Meta(ge=0, le=86400)] = 900
    disk_free_mb: Annotated[int, Meta(ge=0)] = 2000
    mail_to: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for address in self.mail_to:
            name, at, host = address.partition("@")
            if not (name and at and host and address.isprintable() and " " not in address):
                raise Wrong("mail_to", "must be addresses such as name@host")


Days = Annotated[int, Meta(ge=0, le=36_500)]


class Retention(Table, frozen=True, kw_only=True):
    """`[retention]`: how long what is decided is kept; a check may say otherwise."""

    cases_days: Days = 0
    bytes_days: Days = 0
    names_days: Days = 0
    refused_days: Days = 0
    nightly: bool = False


class CheckSettings(Table, frozen=True, kw_only=True):
    """`[checks.NAME]`: where it is read, and what is set up when the check is first seen."""

    reader: tuple[str, ...] = ()
    pack: str = ""
    readers: Literal[1, 2] | None = None
    tells_requester: bool | None = None
    cases_days: Days | None = None
    bytes_days: Days | None = None
    names_days: Days | None = None

    def __post_init__(self) -> None:
        with within("reader"):
            for address in self.reader:
                address_of(address)
        if len(set(self.reader)) < len(self.reader):
            raise Wrong("reader", "names a server twice")


class Config(Struct, frozen=True, kw_only=True):
    """Everything that the operator sets."""

    home: Path
    demo: bool = False
    keys: Keys = Keys(sessions=(), audit=())
    server: Server = Server()
    database: Database = Database()
    inbox: Inbox = Inbox()
    reading: Reading = Reading()
    store: Store = Store()
    outages: Outages = Outages()
    retention: Retention = Retention()
    checks: Mapping[str, CheckSettings] = {}
    services: Mapping[type[Table], Table] = {}
    """What the channels are set to, by the kind of their section."""

    def service(self, kind: type[T]) -> T:
        """The section of that kind, one of `connect/channels.py`; its defaults where unset."""
        found = self.services.get(kind)
        return found if isinstance(found, kind) else kind()

    def terms(self, check: str) -> Terms:
        """How long what is decided of the check is kept."""
        own, every = self.checks.get(check, CheckSettings()), self.retention
        return Terms(
            cases_days=every.cases_days if own.cases_days is None else own.cases_days,
            bytes_days=every.bytes_days if own.bytes_days is None else own.bytes_days,
            names_days=every.names_days if own.names_days is None else own.names_days,
        )

    @property
    def refused_days(self) -> int:
        return self.retention.refused_days

    @property
    def base_url(self) -> str:
        """How people reach the pages; links in mails begin with it."""
        host = f"[{self.server.host}]" if ":" in self.server.host else self.server.host
        return self.server.base_url.rstrip("/") or f"http://{host}:{self.server.port}"

    @property
    def samples(self) -> Path:
        return self.home / "samples"

    @property
    def database_url(self) -> str:
        return self.database.url or f"sqlite://{quote(str(self.home / 'firstread.sqlite3'))}"


OWN: dict[str, type[Table]] = {
    "server": Server, "database": Database, "inbox": Inbox, "reading": Reading,
    "store": Store, "outages": Outages, "retention": Retention,
}  # fmt: skip


def sections() -> dict[str, type[Table]]:
    """Every section but `[checks.NAME]`, by its name."""
    return OWN | {each.name: each.settings for each in CHANNELS.values()}


def load_config(environment: Mapping[str, str] | None = None) -> Config:
    """The configuration of this process; raises BadConfiguration, naming the key."""
    env = os.environ if environment is None else environment
    home = home_folder(env)
    values = _from_file(settings_file(env, home=home))
    for name, keys in from_environment(env, sections=sections()).items():
        _table(values, name).update(keys)
    for check, keys in of_checks(env, kind=CheckSettings).items():
        _table(_table(values, "checks"), check, within="checks.").update(keys)
    demo = env.get("FIRSTREAD_DEMO", "") not in ("", "0")
    config = _decoded(values, home=home, demo=demo)
    _refuse_unsafe(config)
    return replace(config, keys=demo_keys() if demo else keys_of(env, home=home))


def _decoded(values: dict[str, Any], *, home: Path, demo: bool) -> Config:
    found = {
        name: FILE.value(kind, values.get(name, {}), where=name, strict=False)
        for name, kind in sections().items()
    }
    for name in values:
        if name not in found and name != "checks":
            raise BadConfiguration(FILE.unknown.format(key=name))
    checks = {
        name: FILE.value(CheckSettings, _apart(check), where=f"checks.{name}", strict=False)
        for name, check in _table(values, "checks").items()
    }
    own: dict[str, Any] = {name: found.pop(name) for name in OWN}
    kept = {type(section): section for section in found.values()}
    return Config(home=home, demo=demo, checks=checks, services=kept, **own)


def _apart(check: Any) -> Any:
    """A check's servers may stand in one text, by spaces or commas."""
    if isinstance(check, dict) and isinstance(check.get("reader"), str):
        return check | {"reader": check["reader"].replace(",", " ").split()}
    return check


def _table(values: dict[str, Any], name: str, *, within: str = "") -> dict[str, Any]:
    table = values.setdefault(name, {})
    if not isinstance(table, dict):
        raise BadConfiguration(f"'{within}{name}' is a table of settings: write [{within}{name}].")
    return table


def settings_file(env: Mapping[str, str], *, home: Path) -> Path | None:
    """The file that the settings come from, where there is one; raises BadConfiguration."""
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
        values = FILE.parse(path.read_bytes(), path=str(path))
    except OSError as error:
        raise BadConfiguration(FILE.damaged.format(path=path, why=error)) from None
    for key in ("home", "demo", "secret_key", "audit_key"):
        if key in values:
            raise BadConfiguration(
                f"'{key}' does not belong in the file; set FIRSTREAD_{key.upper()} instead."
            )
    for variable, (section, key) in secrets_of(sections()).items():
        if isinstance(values.get(section), dict) and key in values[section]:
            raise BadConfiguration(
                f"{section}.{key} does not belong in the file: set {variable}, or {variable}_FILE "
                "to a file that holds it."
            )
    return values


def _refuse_unsafe(config: Config) -> None:
    server = config.server
    if config.demo and not is_loopback(server.host):
        raise BadConfiguration(
            f"The demo has passwords that everybody knows, so it runs on 127.0.0.1 only, not on "
            f"{server.host}. Use 'firstread up' to serve other machines."
        )
    if server.host in ("0.0.0.0", "::") and not server.base_url:  # noqa: S104 - it is refused
        raise BadConfiguration(
            "The setting 'server.base_url' is missing: with server.host = "
            f'"{server.host}" Firstread cannot tell under which address people reach it.'
        )
    if not is_database(config.database_url):
        raise BadConfiguration(
            "The setting 'database.url' is neither sqlite:///PATH nor postgresql://USER@HOST/NAME. "
            "In a name or password write such signs as / @ [ with a percent sign, as in a link."
        )

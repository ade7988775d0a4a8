"""`[mail]`: how mails leave."""

from __future__ import annotations

from email.utils import parseaddr
from importlib.util import find_spec
from typing import Annotated, Literal

from msgspec import Meta, field

from firstread.toml import Secret, Table, Wrong


class MailSettings(Table, frozen=True, kw_only=True):
    """The backend `outbox` keeps mails to be looked at on the outbox page."""

    backend: Literal["outbox", "smtp", "anymail"] = "outbox"
    sender: str = "Firstread <firstread@localhost>"
    host: str = "localhost"
    port: Annotated[int, Meta(ge=1, le=65535)] = 25
    tls: Literal["none", "starttls", "tls"] = "none"
    user: str = ""
    password: Secret = Secret()
    timeout_s: Annotated[float, Meta(gt=0, le=300)] = 20
    provider: str = ""
    provider_settings: dict[str, str | int | float | bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        name, at, host = parseaddr(self.sender)[1].partition("@")
        if not (name and at and host and self.sender.isprintable()):
            raise Wrong("sender", "must be written as Name <name@host>")
        if self.backend != "anymail":
            return
        if not self.provider:
            raise Wrong(
                "provider", "is missing: name a provider of django-anymail, such as mailjet"
            )
        if not self.provider.isidentifier() or not find_spec(f"anymail.backends.{self.provider}"):
            raise Wrong(
                "provider",
                f"is '{self.provider}', which django-anymail does not know: write it as there in "
                "small letters, such as mailjet",
            )

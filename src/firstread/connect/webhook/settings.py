"""`[webhook]`: where events are posted, and what they are signed with."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta

from firstread.connect.loopback import is_loopback
from firstread.toml import Secret, Table, Wrong

SECRET_PREFIX = "whsec_"  # noqa: S105 - what every secret begins with
LONGEST_ADDRESS = 500


class WebhookSettings(Table, frozen=True, kw_only=True):
    """Without `addresses` nothing is posted."""

    addresses: tuple[str, ...] = ()
    secret: Secret = Secret()
    timeout_s: Annotated[float, Meta(gt=0, le=60)] = 10

    def __post_init__(self) -> None:
        for address in self.addresses:
            if why_not := _why_no_address(address):
                raise Wrong("addresses", why_not)
        if len(set(self.addresses)) < len(self.addresses):
            raise Wrong("addresses", "names an address twice")
        if self.addresses and not self.secret:
            raise Wrong(
                "secret",
                "is missing: set FIRSTREAD_WEBHOOK_SECRET, or FIRSTREAD_WEBHOOK_SECRET_FILE to a "
                "file that holds it",
            )
        for secret in self.secret.split():
            if not 24 <= len(key_of(secret)) <= 64:
                raise Wrong(
                    "secret",
                    "must be whsec_ and 24 to 64 random bytes in base64. Make one: "
                    'echo "whsec_$(openssl rand -base64 32)"',
                )


def key_of(secret: str) -> bytes:
    """The bytes that a secret stands for; none where it is not written as it should be."""
    if not secret.startswith(SECRET_PREFIX):
        return b""
    try:
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return b""


def host_of(address: str) -> str:
    """How people are told of an address: its host with its port."""
    return urlsplit(address).netloc


def _why_no_address(address: str) -> str:
    try:
        parts = urlsplit(address)
        port_is_a_number = parts.port is None or parts.port > 0
    except ValueError:
        port_is_a_number = False
    written = address.isascii() and address.isprintable() and " " not in address
    if not port_is_a_number or not written or not parts.hostname or parts.fragment:
        return "must be addresses such as https://host/path"
    if len(address) > LONGEST_ADDRESS:
        return f"holds an address of more than {LONGEST_ADDRESS} letters"
    if "@" in parts.netloc or parts.query:
        # An address is shown on pages; what is posted is known by its signature.
        return "must hold no name, password or query: the address is shown to people"
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname)):
        return f"must begin with https://, other than {host_of(address)} does"
    return ""

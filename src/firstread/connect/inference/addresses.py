"""Addresses of servers that run a pack's network, as an operator writes them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from firstread.domain.errors import BadConfiguration

_MODEL = re.compile(r"(?P<base>.*)/v2/models/(?P<model>[^/]+)(?:/versions/(?P<version>[^/]+))?")
_NAME = re.compile(r"[\w.-]+", flags=re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Address:
    """One server, and what it calls the model."""

    base: str
    """Such as `https://one:8080/prefix`; the protocol's paths follow it."""
    host: str
    """What people are told: the host with its port."""
    model: str = ""
    """Empty: it is called as the pack is."""
    version: str = ""
    """Empty: the server chooses."""


def address_of(text: str) -> Address:
    """The address that `text` writes; raises BadConfiguration.

    >>> address_of("http://one:8080").host
    'one:8080'
    >>> address_of("https://gpu.example.org/v2/models/cells/versions/3").model
    'cells'
    """
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port  # the port is a number, or this raises
    except ValueError:
        raise _refusal(text) from None
    if parts.scheme not in ("http", "https") or not host or not text.isprintable() or " " in text:
        raise _refusal(text)
    if "@" in parts.netloc:
        raise BadConfiguration(
            "The address of a reader holds a name or password. Give the token by "
            "FIRSTREAD_READING_TOKEN, and the address without it."
        )
    if parts.query or parts.fragment:
        raise _refusal(text)
    path, model, version = parts.path.rstrip("/").removesuffix("/v2"), "", ""
    if found := _MODEL.fullmatch(parts.path.rstrip("/")):
        path, model = found["base"], unquote(found["model"])
        version = unquote(found["version"] or "")
        if not _NAME.fullmatch(model) or not _NAME.fullmatch(version or "1"):
            raise _refusal(text)
    base = f"{parts.scheme}://{parts.netloc}{path}"
    return Address(base=base, host=parts.netloc, model=model, version=version)


def _refusal(text: str) -> BadConfiguration:
    shown = f"'{(text if text.isprintable() else ascii(text))[:100]}'"
    if "@" in text:
        shown = "What is given"  # before the sign may stand a password
    return BadConfiguration(
        f"{shown} is no address of a reader. Write it as http://host:8080, or with the "
        "model's name there as http://host:8080/v2/models/NAME."
    )

"""The settings that environment variables give: FIRSTREAD_<SECTION>_<KEY>."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from firstread.domain.errors import BadConfiguration

WITHOUT_SECTION = "server"
"""FIRSTREAD_PORT is server.port."""
SECRETS = {"FIRSTREAD_MAIL_PASSWORD_FILE": "FIRSTREAD_MAIL_PASSWORD"}


def from_environment(
    env: Mapping[str, str], *, sections: Mapping[str, type[BaseModel]]
) -> dict[str, dict[str, Any]]:
    """The values by section and key; raises BadConfiguration for a misspelt variable."""
    known = variables(sections)
    found: dict[str, dict[str, Any]] = {}
    for variable, value in _with_secret_files(env).items():
        if variable in known:
            section, key = known[variable]
            found.setdefault(section, {})[key] = _split(value, kind=sections[section], key=key)
        elif any(variable.startswith(f"FIRSTREAD_{section.upper()}_") for section in sections):
            raise BadConfiguration(
                f"There is no setting behind {variable}. Look it up in docs/configuration.md, "
                "or unset it."
            )
    return found


def variables(sections: Mapping[str, type[BaseModel]]) -> dict[str, tuple[str, str]]:
    """Each variable with the section and key that it sets."""
    known = {}
    for section, kind in sections.items():
        for key, field in kind.model_fields.items():
            if "dict" in str(field.annotation):
                continue
            prefix = "" if section == WITHOUT_SECTION else f"{section.upper()}_"
            known[f"FIRSTREAD_{prefix}{key.upper()}"] = (section, key)
    return known


def _with_secret_files(env: Mapping[str, str]) -> dict[str, str]:
    given = {name: value for name, value in env.items() if name.startswith("FIRSTREAD_")}
    for named_by, variable in SECRETS.items():
        if path := given.pop(named_by, None):
            given[variable] = read_secret(path, variable=named_by)
    return given


def read_secret(path: str, *, variable: str) -> str:
    """What the file of a secret holds, without the line's end."""
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise BadConfiguration(
            f"{variable} names a file that cannot be read. Correct the path or its rights."
        ) from None


def _split(value: str, *, kind: type[BaseModel], key: str) -> Any:
    if "tuple" in str(kind.model_fields[key].annotation):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value

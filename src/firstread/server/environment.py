"""The settings that environment variables give: FIRSTREAD_<SECTION>_<KEY>."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from firstread.domain.errors import BadConfiguration

WITHOUT_SECTION = "server"
"""FIRSTREAD_PORT is server.port."""
SECRETS = {
    f"{variable}_FILE": variable
    for variable in ("FIRSTREAD_MAIL_PASSWORD", "FIRSTREAD_READING_TOKEN")
}
_OF_CHECKS = "FIRSTREAD_CHECKS_"


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
            raise _misspelt(variable)
    return found


def _misspelt(variable: str) -> BadConfiguration:
    return BadConfiguration(
        f"There is no setting behind {variable}. Look it up in docs/configuration.md, or unset it."
    )


def of_checks(env: Mapping[str, str], *, kind: type[BaseModel]) -> dict[str, dict[str, str]]:
    """The values of FIRSTREAD_CHECKS_<NAME>_<KEY> by check and key; a check's `-` is written `_`.

    Raises BadConfiguration for a misspelt variable.
    """
    found: dict[str, dict[str, str]] = {}
    for variable, value in env.items():
        if not variable.startswith(_OF_CHECKS):
            continue
        rest = variable.removeprefix(_OF_CHECKS)
        key = next((key for key in kind.model_fields if rest.endswith(f"_{key.upper()}")), "")
        name = rest[: -len(key) - 1].lower().replace("_", "-")
        if not key or not name:
            raise _misspelt(variable)
        found.setdefault(name, {})[key] = value
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

"""The settings that environment variables give: FIRSTREAD_<SECTION>_<KEY>."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_origin

from msgspec.structs import FieldInfo, fields

from firstread.domain.errors import BadConfiguration
from firstread.toml import Secret, Table

WITHOUT_SECTION = "server"
"""FIRSTREAD_PORT is server.port."""
_OF_CHECKS = "FIRSTREAD_CHECKS_"


def from_environment(
    env: Mapping[str, str], *, sections: Mapping[str, type[Table]]
) -> dict[str, dict[str, Any]]:
    """The values by section and key; raises BadConfiguration for a misspelt variable."""
    known = variables(sections)
    found: dict[str, dict[str, Any]] = {}
    for variable, value in _with_secret_files(env, known).items():
        if variable in known:
            section, field = known[variable]
            found.setdefault(section, {})[field.name] = _split(value, field=field)
        elif any(variable.startswith(f"FIRSTREAD_{section.upper()}_") for section in sections):
            raise _misspelt(variable)
    return found


def _misspelt(variable: str) -> BadConfiguration:
    return BadConfiguration(
        f"There is no setting behind {variable}. Look it up in docs/configuration.md, or unset it."
    )


def of_checks(env: Mapping[str, str], *, kind: type[Table]) -> dict[str, dict[str, str]]:
    """The values of FIRSTREAD_CHECKS_<NAME>_<KEY> by check and key; a check's `-` is written `_`.

    Raises BadConfiguration for a misspelt variable.
    """
    found: dict[str, dict[str, str]] = {}
    for variable, value in env.items():
        if not variable.startswith(_OF_CHECKS):
            continue
        rest = variable.removeprefix(_OF_CHECKS)
        keys = (field.name for field in fields(kind))
        key = next((key for key in keys if rest.endswith(f"_{key.upper()}")), "")
        name = rest[: -len(key) - 1].lower().replace("_", "-")
        if not key or not name:
            raise _misspelt(variable)
        found.setdefault(name, {})[key] = value
    return found


def variables(sections: Mapping[str, type[Table]]) -> dict[str, tuple[str, FieldInfo]]:
    """Each variable with the section and key that it sets."""
    known = {}
    for section, kind in sections.items():
        prefix = "" if section == WITHOUT_SECTION else f"{section.upper()}_"
        for field in fields(kind):
            if get_origin(field.type) is not dict:
                known[f"FIRSTREAD_{prefix}{field.name.upper()}"] = (section, field)
    return known


def secrets_of(sections: Mapping[str, type[Table]]) -> dict[str, tuple[str, str]]:
    """The variables of secrets, each with its section and key."""
    known = variables(sections).items()
    return {name: (section, key.name) for name, (section, key) in known if key.type is Secret}


def _with_secret_files(
    env: Mapping[str, str], known: Mapping[str, tuple[str, FieldInfo]]
) -> dict[str, str]:
    given = {name: value for name, value in env.items() if name.startswith("FIRSTREAD_")}
    for variable, (_, field) in known.items():
        named_by = f"{variable}_FILE"
        if field.type is Secret and (path := given.pop(named_by, None)):
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


def _split(value: str, *, field: FieldInfo) -> Any:
    if get_origin(field.type) is tuple:
        return [part.strip() for part in value.split(",") if part.strip()]
    return value

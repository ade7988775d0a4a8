"""The keys: those that sign sessions, and those that seal the audit trail.

Of each the first is in use, and those after it were before: what they signed still holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from firstread.domain.errors import BadConfiguration
from firstread.files.key_file import keys_in, new_key
from firstread.server.environment import read_secret
from firstread.toml import Secret

DEMO_KEY = "firstread-demo-only-everybody-knows-this-key-so-it-guards-nothing"
MIN_LENGTH = 32
SESSIONS_FILE = "secret-key"
AUDIT_FILE = "audit-key"


@dataclass(frozen=True, kw_only=True)
class Keys:
    """What the environment or the home folder gives."""

    sessions: tuple[Secret, ...]
    audit: tuple[Secret, ...]
    new: bool = False
    """Whether there was none: this one was made just now, and lies in no file yet."""
    sessions_file: Path | None = None
    """Where those of sessions are kept; None where the environment gives them."""
    audit_file: Path | None = None
    """Where those of the audit trail are, or would be once they are others than the sessions'."""


def demo_keys() -> Keys:
    """Everybody's."""
    return Keys(sessions=(Secret(DEMO_KEY),), audit=(Secret(DEMO_KEY),))


def keys_of(env: Mapping[str, str], *, home: Path) -> Keys:
    """The keys of the environment, or those kept in the home folder; a new one where none is.

    Until the audit trail has a key of its own, those of sessions seal it. Raises BadConfiguration
    where a key is too short or everybody's.
    """
    sessions = _given(env, "FIRSTREAD_SECRET_KEY")
    sessions_file = None if sessions else home / SESSIONS_FILE
    if sessions_file:
        sessions = _kept(sessions_file)
    new = not sessions
    if new:
        sessions = (new_key(),)
    audit = _given(env, "FIRSTREAD_AUDIT_KEY")
    audit_file = None if audit else home / AUDIT_FILE
    if audit_file:
        audit = _kept(audit_file) or sessions
    return Keys(
        sessions=tuple(Secret(each) for each in sessions),
        audit=tuple(Secret(each) for each in audit),
        new=new,
        sessions_file=sessions_file,
        audit_file=audit_file,
    )


def _given(env: Mapping[str, str], variable: str) -> tuple[str, ...]:
    """The key of the variable, and those of VARIABLE_FALLBACKS, one a line; none where unset."""
    key = _value(env, variable)
    earlier = _value(env, f"{variable}_FALLBACKS").split("\n")
    if not key:
        return ()
    keys = (key, *(each.strip() for each in earlier if each.strip()))
    for each in keys:
        if len(each) < MIN_LENGTH or each == DEMO_KEY:
            raise BadConfiguration(
                f"{variable} needs {MIN_LENGTH} characters or more that nobody else knows. "
                'Make one: python -c "import secrets; print(secrets.token_urlsafe(48))"'
            )
    return keys


def _value(env: Mapping[str, str], variable: str) -> str:
    named = env.get(f"{variable}_FILE", "")
    value = env.get(variable, "")
    return value or (read_secret(named, variable=f"{variable}_FILE") if named else "")


def _kept(path: Path) -> tuple[str, ...]:
    try:
        keys = keys_in(path)
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "it holds no key"
        raise BadConfiguration(
            f"The key in {path} cannot be read ({said}). Give Firstread the right to read it, or "
            "bring it back from the backup."
        ) from None
    if any(len(each) < MIN_LENGTH for each in keys) or (path.exists() and not keys):
        raise BadConfiguration(
            f"The key in {path} is damaged: each line needs {MIN_LENGTH} characters or more. Bring "
            "the file back from the backup."
        )
    return keys

"""Where the edge's token stands: the environment, a file, or what systemd hands to the service."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from firstread.domain.errors import BadConfiguration

CREDENTIAL = "firstread-token"


def token_from(environment: Mapping[str, str]) -> str:
    """The token as it is now; raises BadConfiguration, which says where to put it."""
    if token := environment.get("FIRSTREAD_TOKEN", "").strip():
        return token
    places = []
    if named := environment.get("FIRSTREAD_TOKEN_FILE", ""):
        places.append(Path(named))
    if folder := environment.get("CREDENTIALS_DIRECTORY", ""):
        places.append(Path(folder) / CREDENTIAL)
    for place in places:
        try:
            token = place.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError):
            raise BadConfiguration(
                f"The token in '{place}' cannot be read. Check the file and its rights."
            ) from None
        if token:
            return token
    raise BadConfiguration(
        "There is no token. Have one made at the clinic with 'firstread token PERSON --scope "
        "cases:write', and put it into the file that FIRSTREAD_TOKEN_FILE names."
    )

"""The home folder: what a clinic, or whoever reads on this machine, keeps."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def home_folder(environment: Mapping[str, str] | None = None) -> Path:
    """The folder that FIRSTREAD_HOME names, else `firstread` in the user's data folder.

    It need not be there, and a user without a home has a path that is nowhere.

    >>> home_folder({"XDG_DATA_HOME": "/data"}).as_posix()
    '/data/firstread'
    """
    env = os.environ if environment is None else environment
    if named := env.get("FIRSTREAD_HOME"):
        return Path(os.path.expanduser(named)).absolute()  # noqa: PTH111  Path.expanduser raises
    data = env.get("XDG_DATA_HOME") or f"{env.get('HOME') or '~'}/.local/share"
    return Path(os.path.expanduser(data)).absolute() / "firstread"  # noqa: PTH111  as above

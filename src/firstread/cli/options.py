"""Options that several commands have, and what they take."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import click

from firstread.domain.errors import BadConfiguration

precision = click.option(
    "--precision",
    type=click.Choice(["float", "int8"]),
    default="float",
    show_default=True,
    help="int8 reads with the twin that a pack may carry; its version then ends in +int8.",
)


class Amount(click.FloatRange):
    """A finite number within the range: click's ranges let NaN and infinity pass."""

    name = "number"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return number


def token_in(file: Path) -> str:
    """The token in the file that --token-file names, which shows it to nobody who lists processes.

    Raises BadConfiguration where it holds none.
    """
    try:
        token = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        token = ""
    if not token:
        raise BadConfiguration(
            f"The file '{file}' holds no token that can be read. Write one line of letters and "
            "digits into it."
        )
    return token

"""The option by which a command reads with a pack's int8 twin."""

from __future__ import annotations

import click

precision = click.option(
    "--precision",
    type=click.Choice(["float", "int8"]),
    default="float",
    show_default=True,
    help="int8 reads with the twin that a pack may carry; its version then ends in +int8.",
)

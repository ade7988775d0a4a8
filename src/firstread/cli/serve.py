"""`firstread serve`: packs behind HTTP, without a clinic."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from firstread.cli.options import Amount, precision, token_in
from firstread.edge.serve.cloud import Cloud, cloud_of, settled
from firstread.edge.serve.settings import (
    ServeSettings,
    cores,
    refuse_bad_token,
)

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command(context_settings={"auto_envvar_prefix": "FIRSTREAD_SERVE", "show_default": True})
@click.option(
    "--pack",
    "packs",
    multiple=True,
    envvar="FIRSTREAD_SERVE_PACK",
    help="A pack's name or folder; all if none.",
)
@precision
@click.option("--default-pack", help="The pack where a request names none; the only one.")
@click.option(
    "--vr-pictures",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder whose pictures /VRInference/1 and so on classify.",
)
@click.option("--host", default="127.0.0.1", help="Where to listen.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, help="0 takes a free one.")
@click.option("--threads", type=click.IntRange(1, 256), help="How many read at once; the cores.")
@click.option("--queue", type=click.IntRange(0, 100_000), default=64, help="How many may wait.")
@click.option("--max-body-mb", type=click.IntRange(1, 1024), default=64, help="Largest request.")
@click.option(
    "--memory-cap-mb", type=click.IntRange(1), default=1024, help="What open packs may take."
)
@click.option("--idle-s", type=Amount(0.1), default=600.0, help="Then an unused pack is unloaded.")
@click.option("--token", help="What clients must send; better in a file or the environment.")
@click.option("--token-file", type=_FILE, help="A file that holds the token.")
@click.option("--open-to-all", is_flag=True, help="Listen beyond this machine without a token.")
@click.option("--tls-cert", type=_FILE, help="The certificate, with its chain, in PEM form.")
@click.option("--tls-key", type=_FILE, help="Its key.")
@click.option("--grace-s", type=Amount(0.0), default=30.0, help="To finish, after SIGTERM.")
@click.option("--log", type=click.Choice(["json", "text"]), default="json", help="Form of lines.")
@click.pass_context
def serve(
    ctx: click.Context,
    /,
    *,
    threads: int | None,
    token: str | None,
    token_file: Path | None,
    **options: Any,
) -> None:
    """Read samples over HTTP with one or many packs; no clinic, no database.

    Every option is also a variable: FIRSTREAD_SERVE_PORT for --port. Names of packs in
    FIRSTREAD_SERVE_PACK are separated by spaces.
    """
    # numpy's own threads would take the cores from the reads, and memory for each.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from firstread.edge.serve.run import serve as serve_until_stopped

    if token_file is not None:
        token = token_in(token_file)
    if token is not None:
        refuse_bad_token(token)
    settings = ServeSettings(threads=threads or cores(), token=token, **options)
    cloud = cloud_of(os.environ)
    if cloud is not None:
        settings = _in_cloud(ctx, settings, cloud=cloud)
    ctx.exit(serve_until_stopped(settings, say=_say))


def _in_cloud(ctx: click.Context, settings: ServeSettings, *, cloud: Cloud) -> ServeSettings:
    """The settings as the cloud wishes them, and the packs that it hands over, if none is named."""
    default = click.core.ParameterSource.DEFAULT
    said = [name for name in ctx.params if ctx.get_parameter_source(name) is not default]
    settings = settled(settings, cloud=cloud, said=said)
    if settings.packs or cloud.models is None:
        return settings
    from firstread.edge.serve.cloud_models import packs_of

    fetched = ctx.with_resource(tempfile.TemporaryDirectory(prefix="firstread-packs-"))
    return replace(settings, packs=packs_of(cloud.models, into=Path(fetched)))


def _say(line: str) -> None:
    click.echo(line)

"""`firstread client`: has samples read by a server, and shows the answers as `classify` does."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from firstread.cli.options import token_in
from firstread.cli.reading import PackFacts, Sample, answer_options, read_paths, wanted_of
from firstread.domain.errors import BadConfiguration

if TYPE_CHECKING:
    from firstread.client import ReaderClient, ServedPack


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--server",
    envvar="FIRSTREAD_READER",
    default="http://127.0.0.1:8080",
    show_default=True,
    show_envvar=True,
    help="The reader's address.",
)
@click.option("--pack", "pack_name", default="", help="The pack's name; the only one if none.")
@click.option(
    "--token",
    envvar="FIRSTREAD_READER_TOKEN",
    default="",
    show_envvar=True,
    help="What the reader asks for; better in a file or the environment.",
)
@click.option(
    "--token-file",
    envvar="FIRSTREAD_READER_TOKEN_FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    show_envvar=True,
    help="A file that holds the token.",
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, 256),
    default=8,
    show_default=True,
    help="How many samples are under way at once.",
)
@answer_options
@click.pass_context
def client(
    ctx: click.Context,
    /,
    paths: tuple[str, ...],
    *,
    server: str,
    pack_name: str,
    token: str,
    token_file: Path | None,
    concurrency: int,
    **options: Any,
) -> None:
    """Have each PATH read by a server: a file, a folder and all that lies in it, - for the input.

    The server is one that 'firstread serve' runs. Answers, comparison and figures are those of
    'firstread classify'. Exit code 1 where a sample could not be read, or the server did not
    answer.
    """
    from firstread.client.reader import ReaderClient

    if token_file is not None and not token:
        token = token_in(token_file)
    with ReaderClient(server, token=token) as reader, _ending_soon_then_at_once(reader):
        pack = reader.pack(pack_name)
        failed = read_paths(
            paths,
            pack=_facts(pack),
            read=lambda sample: _read(sample, reader=reader, pack=pack),
            at_once=concurrency,
            wanted=wanted_of(**options),
        )
    ctx.exit(1 if failed else 0)


def _read(sample: Sample, *, reader: ReaderClient, pack: ServedPack) -> dict[str, Any]:
    answer = reader.read(sample, pack=pack.name)
    if answer.get("version") != pack.version:
        raise BadConfiguration(
            f"The server reads with {pack.name} {answer.get('version')} now, and began with "
            f"{pack.version}. Run it again: two packs in one run cannot be compared."
        )
    return answer


def _facts(pack: ServedPack) -> PackFacts:
    return PackFacts(
        name=pack.name,
        version=pack.version,
        sha256=pack.sha256,
        codes=tuple(label.code for label in pack.labels),
        positive=(
            *(label.code for label in pack.labels if label.positive),
            *(group.code for group in pack.groups if group.positive),
        ),
        groups={group.code: group.labels for group in pack.groups},
        kind=pack.kind,
        measurements=pack.measurements,
    )


@contextmanager
def _ending_soon_then_at_once(reader: ReaderClient) -> Iterator[None]:
    """Ctrl-C waits for what is under way, and for nothing else; a second one for nothing at all.

    Threads that wait for a server which never answers would hold the process for minutes.
    """

    def stopped(_signal: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, lambda *_: os._exit(128 + signal.SIGINT))
        reader.give_up()
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, stopped)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)

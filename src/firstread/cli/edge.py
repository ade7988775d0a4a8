"""`firstread edge`: reads what appears in a folder and sends it to the clinic when it can."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from firstread.cli.options import Amount

if TYPE_CHECKING:
    from firstread.domain.read import Read
    from firstread.edge.entries import Entry, Standing


def _default_spool() -> Path:
    data = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local/share")
    return Path(data) / "firstread-edge"


_SPOOL = click.option(
    "--spool",
    type=click.Path(path_type=Path, file_okay=False),
    envvar=["FIRSTREAD_EDGE_SPOOL", "STATE_DIRECTORY"],
    default=_default_spool,
    show_default="~/.local/share/firstread-edge",
    help="Where samples and reads are kept.",
)


@click.group(invoke_without_command=True)
@click.option(
    "--inbox",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="FIRSTREAD_EDGE_INBOX",
    help="The folder to watch; it is made where there is none.",
)
@click.option("--clinic", envvar="FIRSTREAD_EDGE_CLINIC", default="", help="The clinic's address.")
@click.option(
    "--pack",
    "packs",
    multiple=True,
    envvar="FIRSTREAD_EDGE_PACKS",
    help="What to read with, one pack for each check; may be repeated.  [default: every pack]",
)
@_SPOOL
@click.option(
    "--spool-mb",
    type=click.IntRange(16, 10_000_000),
    default=2000,
    show_default=True,
    envvar="FIRSTREAD_EDGE_SPOOL_MB",
    help="How much may be kept; then new files wait in the inbox.",
)
@click.option(
    "--keep-days",
    type=Amount(0, 3650),
    default=7,
    show_default=True,
    envvar="FIRSTREAD_EDGE_KEEP_DAYS",
    help="How long what the clinic has stays here as well.",
)
@click.option(
    "--pattern",
    default="",
    envvar="FIRSTREAD_EDGE_PATTERN",
    help="Finds (?P<accession>...) in a file's name.",
)
@click.option(
    "--afterwards",
    type=click.Choice(["keep", "delete"]),
    default="keep",
    show_default=True,
    envvar="FIRSTREAD_EDGE_AFTERWARDS",
    help="What happens to a file that the spool has: kept in .done, or deleted.",
)
@click.option(
    "--upload-mb",
    type=click.IntRange(1, 2048),
    default=64,
    show_default=True,
    envvar="FIRSTREAD_EDGE_UPLOAD_MB",
    help="The largest file that is taken; the clinic's server.upload_mb.",
)
@click.option(
    "--name",
    envvar="FIRSTREAD_EDGE_NAME",
    default=socket.gethostname,
    show_default="the host's name",
    help="What the clinic calls this machine.",
)
@click.option(
    "--answers/--no-answers",
    default=None,
    help="Print each answer.  [default: only on a terminal]",
)
@click.pass_context
def edge(ctx: click.Context, /, **options: Any) -> None:
    """Read what appears in --inbox, and send it to --clinic when the network is there.

    The topmost folder in the inbox names the check. The token stands in FIRSTREAD_TOKEN, or in the
    file that FIRSTREAD_TOKEN_FILE names. Everything is kept until the clinic has it.
    """
    if ctx.invoked_subcommand is not None:
        return
    for name in ("inbox", "clinic"):
        if not options[name]:
            raise click.UsageError(f"Missing option '--{name}'.", ctx=ctx)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    for noisy in ("httpx", "httpcore", "watchfiles"):  # httpx tells each address it asks
        logging.getLogger(noisy).setLevel(logging.WARNING)
    from firstread.edge.set_up import Settings, open_machine

    answers = options.pop("answers")
    stop = threading.Event()
    machine = open_machine(
        Settings(**options),
        stop=stop,
        say=_answer if (sys.stdout.isatty() if answers is None else answers) else _only_that,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        machine.run()
    finally:
        machine.spool.close()


@edge.command()
@_SPOOL
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def status(*, spool: Path, as_json: bool) -> None:
    """Say what waits, what was sent, what the clinic refused, and when it last answered."""
    from firstread.edge.spool_file import look_at

    standing = look_at(spool)
    if as_json:
        click.echo(json.dumps(standing.as_dict()))
        return
    click.echo(_told(standing))


@edge.command()
@click.argument("numbers", nargs=-1, type=int, metavar="[NUMBER]...")
@_SPOOL
def resend(*, numbers: tuple[int, ...], spool: Path) -> None:
    """Send what the clinic refused once more: those NUMBERs, or all."""
    from firstread.edge.spool_file import resend as send_again

    click.echo(f"{send_again(spool, numbers=numbers)} wait again")


def _told(standing: Standing) -> str:
    lines = [
        f"waiting       {standing.waiting + standing.unread}",
        f"sent          {standing.sent}, of which {standing.refused} could not be opened",
        f"refused       {standing.held} by the clinic, and kept here",
        f"kept          {standing.used_bytes / 2**20:.1f} MB",
        f"last contact  {standing.last_contact or 'never'}",
    ]
    if standing.trouble:
        lines.append(f"trouble       {standing.trouble}")
    lines += [f"sample {n} ({check}): {said}" for n, check, said in standing.held_entries]
    if standing.held:
        lines.append("When the reason is gone: firstread edge resend")
    return "\n".join(lines)


def _answer(entry: Entry, read: Read) -> None:
    """The answer in a line for whoever stands there, without a name or number of a patient."""
    verdict, words = read.verdict, [f"{entry.number:>6}  {entry.check}"]
    if verdict.names_finding:
        words.append(f"{read.label} {read.probability:.1%}")
        if read.alarms:
            words.append(f"ALARM {', '.join(read.alarms)}")
    if verdict.doubt is not None:
        words.append(f"{verdict.says}. {verdict.why}")
    click.echo("  ".join([*words, f"{read.ms:.0f} ms"]))


def _only_that(entry: Entry, read: Read) -> None:
    """That it was read: a log must not hold what was found."""
    logging.getLogger(__name__).info("sample %d read in %.0f ms", entry.number, read.ms)

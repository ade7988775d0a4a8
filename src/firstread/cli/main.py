"""The command `firstread`: finds the file of a command, and turns errors into one sentence."""

from __future__ import annotations

import errno
import importlib
import signal
from dataclasses import dataclass
from typing import IO, Any

import click

import firstread
from firstread.domain.errors import FirstreadError, MissingExtra


@dataclass(frozen=True, kw_only=True)
class _Command:
    """A line of the help, which can be shown without loading the command's file."""

    help: str
    extra: str | None = None


COMMANDS = {
    "demo": _Command(
        help="Show everything with synthetic samples, on this machine.", extra="server"
    ),
    "up": _Command(help="Serve the pages, read what comes in, watch the folder.", extra="server"),
    "worker": _Command(help="Read what comes in, without pages.", extra="server"),
    "doctor": _Command(help="Check the whole installation.", extra="server"),
    "submit": _Command(help="Send samples to a Firstread server.", extra="client"),
    "person": _Command(help="Add somebody who signs in.", extra="server"),
    "token": _Command(help="Make a token for the API.", extra="server"),
    "outbox": _Command(help="Look at what leaves, and send it again.", extra="server"),
    "store": _Command(help="Check the bytes of the samples.", extra="server"),
    "backup": _Command(help="Copy the whole site while it runs.", extra="server"),
    "restore": _Command(help="Make a site of a backup.", extra="server"),
    "retention": _Command(help="Erase what was kept long enough.", extra="server"),
    "erase": _Command(help="Forget a patient.", extra="server"),
    "audit": _Command(help="Check the audit trail.", extra="server"),
    "keys": _Command(help="Look at the secret keys, and change them.", extra="server"),
    "reread": _Command(help="Read again what was made unfit.", extra="server"),
    "replay": _Command(help="Read again: compare a case, or fill in older reads.", extra="server"),
    "classify": _Command(help="Read pictures or measurements right here."),
    "client": _Command(help="Have samples read by a server, and compare the answers."),
    "serve": _Command(help="Serve packs over HTTP, without a clinic.", extra="serve"),
    "screen": _Command(help="Read a whole archive into one table.", extra="screen"),
    "evaluate": _Command(help="Measure a pack on labelled samples.", extra="train"),
    "datasets": _Command(
        help="Check labelled samples before anybody learns from them, and write them."
    ),
    "train": _Command(help="Make a pack from labelled samples.", extra="train"),
    "edge": _Command(help="Read while the network is away, and send it later.", extra="edge"),
    "packs": _Command(help="List, show and verify the packs."),
    "phantom": _Command(help="Make synthetic samples of nobody."),
}
"""Command NAME is the click command of that name in the module `firstread.cli.NAME`."""

_PACKAGES = {
    "server": {
        "anymail", "asgiref", "axes", "csp", "django", "django_htmx", "httpx", "markdown_it",
        "ninja", "psycopg", "pydantic", "uvicorn", "watchfiles", "whitenoise",
    },
    "client": {"httpx"},
    "serve": {"httptools", "prometheus_client", "python_multipart", "uvloop"},
    "edge": {"httpx", "watchfiles"},
    "screen": {"httpx", "obstore", "pyarrow"},
    "ray": {"ray"},
    "train": {"onnx", "onnxscript", "scipy", "tomli_w", "torch"},
}  # fmt: skip


class Refused(click.ClickException):
    """A FirstreadError as the command line shows it: its sentence, no traceback."""

    def __init__(self, error: FirstreadError) -> None:
        super().__init__(str(error))
        self.exit_code = error.exit_code  # type: ignore[misc]  # click types it as the class's

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"firstread: {self.message}", file=file, err=True)


class _Unusable(Refused):
    """A file, a folder or a disk that cannot be used, as the command line shows it."""

    def __init__(self, error: OSError) -> None:
        what = f"'{error.filename}'" if error.filename else "a file"
        said = error.strerror or type(error).__name__
        super().__init__(
            FirstreadError(
                f"{what} cannot be used: {said}. Check the path, your rights to it, and whether "
                "the disk has space."
            )
        )


class Firstread(click.Group):
    """The commands by name, each loaded when it is called, so that `classify` starts at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  click's signature
        if cmd_name not in COMMANDS:
            return None
        try:
            return _load(cmd_name)
        except ModuleNotFoundError as error:
            _refuse_without_extra(cmd_name, error)
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  click's signature
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.help) for name, command in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except FirstreadError as error:
            raise Refused(error) from error
        except ModuleNotFoundError as error:
            _refuse_without_extra(ctx.invoked_subcommand or "", error)
            raise
        except OSError as error:
            if error.errno == errno.EPIPE:  # who read the output has gone, which is no error
                raise
            raise _Unusable(error) from error
        except KeyboardInterrupt:
            click.echo(err=True)
            raise click.exceptions.Exit(128 + signal.SIGINT) from None


def _load(name: str) -> click.Command:
    module = importlib.import_module(f"firstread.cli.{name}")
    for value in vars(module).values():
        if isinstance(value, click.Command) and value.name == name:
            return value
    raise LookupError(f"firstread.cli.{name} holds no click command '{name}'")


def _refuse_without_extra(name: str, error: ModuleNotFoundError) -> None:
    """Raises the sentence about the extra where the missing module belongs to the command's."""
    extra = COMMANDS[name].extra if name in COMMANDS else None
    top = (error.name or "").partition(".")[0]
    if extra is not None and top in _PACKAGES[extra]:
        raise Refused(MissingExtra(command=name, extra=extra)) from error


@click.command(cls=Firstread, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(firstread.__version__, prog_name="firstread", message="%(prog)s %(version)s")
def main() -> None:
    """A first read of every sample within seconds, the final word by a specialist.

    Decision support for research; a qualified person decides.
    """

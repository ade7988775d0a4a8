"""`firstread demo`: the whole system with synthetic samples, on this machine alone."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import click


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    envvar="PORT",
    help="Where to listen; also PORT.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="This machine only.")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep the demo's data there; else in a folder of ~/.cache/firstread that each checkout or "
    "installation has for itself, whatever FIRSTREAD_HOME is.",
)
@click.option("--reset", is_flag=True, help="Throw away what was done in the demo before.")
def demo(*, port: int, host: str, data: Path | None, reset: bool) -> None:
    """Show everything with samples of nobody: pages, reads, reviews, the outbox.

    Needs nothing set up, and touches nothing of a clinic on this machine.
    """
    home = (data or _own_home(Path(__file__))).expanduser().absolute()
    _stand_alone(home, host=host, port=port)
    if reset:
        _throw_away(home)
    from firstread.server.start import open_database, open_django

    open_django()
    from firstread.clinic.accounts.demo import DEMO_PASSWORD, DEMO_PEOPLE
    from firstread.server.demo import furnish, furnish_rest
    from firstread.server.serving import listen, serve

    listening = listen()
    (home / _MARK).touch()
    open_database()
    furnish(click.echo)
    names = ", ".join(each.name for each in DEMO_PEOPLE)
    click.echo(f"What is done here is kept in {home}")
    click.echo(f"Sign in as {names}; password {DEMO_PASSWORD}")
    serve(listening, say=click.echo, beside=furnish_rest)


_MARK = ".firstread-demo"


def _own_home(code: Path) -> Path:
    """Another checkout's code may be older than its database, and its cases are somebody else's."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    whose = hashlib.sha256(str(code.resolve()).encode()).hexdigest()[:8]
    return cache / "firstread" / f"demo-{whose}"


def _stand_alone(home: Path, *, host: str, port: int) -> None:
    """Nothing of a real clinic's settings counts: no mail leaves, no inbox is emptied."""
    from firstread.packs.home import home_folder

    # Packs alone are shown: those that were taken in lie in the home folder that is left here.
    shelves = [os.environ.get("FIRSTREAD_PACKS", ""), str(home_folder() / "packs")]
    for name in [name for name in os.environ if name.startswith("FIRSTREAD_")]:
        if name not in ("FIRSTREAD_PACKS", "FIRSTREAD_HOST"):
            del os.environ[name]
    os.environ |= {
        "FIRSTREAD_DEMO": "1",
        "FIRSTREAD_HOME": str(home),
        "FIRSTREAD_PACKS": os.pathsep.join(each for each in shelves if each),
        "FIRSTREAD_PORT": str(port),
        "FIRSTREAD_INBOX_FOLDER": str(home / "inbox"),
    }
    if host != "127.0.0.1":
        os.environ["FIRSTREAD_HOST"] = host


def _throw_away(home: Path) -> None:
    if not home.exists() or not any(home.iterdir()):
        return
    if not (home / _MARK).exists():
        raise click.UsageError(f"{home} holds no demo, so nothing there is thrown away.")
    try:
        shutil.rmtree(home)
    except FileNotFoundError:
        raise click.ClickException(
            "An earlier demo is still closing. Wait a moment, and try again."
        ) from None

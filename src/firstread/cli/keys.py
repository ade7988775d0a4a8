"""`firstread keys`: those that sign sessions, and those that seal the audit trail."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from firstread.domain.errors import BadConfiguration

if TYPE_CHECKING:
    from firstread.server.secret import Keys

SESSION_KEYS_KEPT = 3
"""Sign-ins last hours: what a key signed that lies further back has ended."""


@click.group()
def keys() -> None:
    """Look at the secret keys, and change them."""


@keys.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def show(*, as_json: bool) -> None:
    """Say where the keys are, and which seals the audit trail. No key is shown."""
    given = _open()
    from firstread.clinic import seals

    names = [key.name for key in seals.ring()]
    earlier = len(given.sessions) - 1
    of_sessions, of_audit = _where(given.sessions_file), _where(_audit_file(given))
    if as_json:
        told = {
            "sessions": {"from": of_sessions, "earlier": earlier},
            "audit": {"from": of_audit, "key": names[0], "earlier": names[1:]},
        }
        click.echo(json.dumps(told))
        return
    click.echo(f"Sessions: {of_sessions}, {earlier} before it")
    before = f", before it {', '.join(names[1:])}" if names[1:] else ""
    click.echo(f"Audit trail: {of_audit}, key {names[0]}{before}")


@keys.group()
def rotate() -> None:
    """Take a new key; what the old one signed or sealed still holds."""


@rotate.command()
@click.option("--at-once", is_flag=True, help="Sign everybody out: the old key was seen by others.")
def sessions(*, at_once: bool) -> None:
    """A new key for sessions. Whoever has signed in stays so."""
    given = _open()
    from firstread.files.key_file import keep_keys, new_key

    if given.sessions_file is None:
        raise BadConfiguration(
            "FIRSTREAD_SECRET_KEY gives the key: put a new one there, the old one into "
            "FIRSTREAD_SECRET_KEY_FALLBACKS (and both of the audit trail into FIRSTREAD_AUDIT_KEY, "
            "where that is unset), and start again."
        )
    if given.audit_file is not None and not given.audit_file.exists():
        keep_keys(given.audit_file, given.audit)  # so far the trail is sealed with the same key
    before = () if at_once else given.sessions[: SESSION_KEYS_KEPT - 1]
    keep_keys(given.sessions_file, (new_key(), *before))
    click.echo(
        "Sessions have a new key. Start 'firstread up' again for it"
        + (", which signs everybody out. " if at_once else "; nobody is signed out. ")
        + f"Back up {given.sessions_file.parent}, and copy secret-key and audit-key to each "
        "machine that serves this database."
    )


@rotate.command()
def audit() -> None:
    """A new key for the audit trail, whose next row names it. The old one stays, to verify."""
    given = _open()
    from firstread.clinic import audit as trail
    from firstread.clinic import seals
    from firstread.files.key_file import keep_keys, new_key

    if given.audit_file is None:
        raise BadConfiguration(
            "FIRSTREAD_AUDIT_KEY gives the key: put a new one there, the old one into "
            "FIRSTREAD_AUDIT_KEY_FALLBACKS, and start again. The trail notes it by itself."
        )
    keep_keys(given.audit_file, (new_key(), *given.audit))
    seals.look_again()
    trail.use_current_key()
    click.echo(
        f"The audit trail is sealed with the key {seals.current().name} from here on. Processes "
        f"of this home folder take it up by themselves. Copy {given.audit_file} to every other "
        "machine that works on this database, which adds nothing to the trail before, and back it "
        "up: without the earlier keys in it the earlier rows cannot be verified."
    )


@keys.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
def lost(*, yes: bool) -> None:
    """Go on with a database whose key nobody has any more.

    Everybody is signed out. What the audit trail holds so far can never be verified again, and
    'firstread audit verify' says so for good. Look through every backup first.
    """
    from firstread.server.start import keep_first_key, open_django, unapplied_migrations

    open_django()
    from django.conf import settings
    from django.db import transaction

    from firstread.clinic import audit as trail

    if unapplied_migrations():
        raise BadConfiguration(
            "There is no database of this version here. Check FIRSTREAD_HOME and database.url."
        )
    given = settings.FIRSTREAD.keys
    of_sessions_alone = given.new and given.audit != given.sessions
    if not yes:
        click.confirm(
            "Everybody is signed out. Is the key in no backup?"
            if of_sessions_alone
            else "The audit trail up to here can never be verified again. Is the key in no backup?",
            abort=True,
        )
    if of_sessions_alone:
        trail.refuse_other_key()
        keep_first_key()
        click.echo("Sessions have a new key, and everybody signs in anew. The trail has its own.")
        return
    with transaction.atomic():
        number = trail.go_on_without_key()
        if given.new:
            keep_first_key()
    click.echo(
        f"The audit trail goes on from row {number} with a new key. Back it up now: "
        f"{settings.FIRSTREAD.home}"
    )


def _open() -> Keys:
    from firstread.server.start import open_as_it_is, open_django

    open_django()
    open_as_it_is()
    from django.conf import settings

    given: Keys = settings.FIRSTREAD.keys
    return given


def _where(path: Path | None) -> str:
    return str(path) if path else "the environment"


def _audit_file(given: Keys) -> Path | None:
    """Where the audit trail's key is: that of sessions' until it has one of its own."""
    if given.audit_file is None or given.audit_file.exists():
        return given.audit_file
    return given.sessions_file

"""Bringing the server's parts up: Django, the database, the checks."""

from __future__ import annotations

import fcntl
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec.structs import replace

import firstread
from firstread.domain.errors import BadConfiguration, KeyMissing
from firstread.files.key_file import keep_keys
from firstread.server.secret import Keys, keys_of

log = logging.getLogger(__name__)

ASKS_EVERY_S = 0.5
RESTORING = ".restoring"
"""Lies in the home folder while a backup is brought back into it."""


def open_django() -> None:
    """Set Django up from the configuration; raises BadConfiguration."""
    # Our own settings, whatever another project left in the environment of this shell.
    os.environ["DJANGO_SETTINGS_MODULE"] = "firstread.server.settings"
    import django

    django.setup()


def open_database(*, restoring: bool = False) -> None:
    """Bring the database to this version's form, and set up a check for each pack.

    Waits for a database that is about to start, as it is after a power cut.

    Raises BadConfiguration where the database does not open, or a setting names no check, and
    KeyMissing where it holds something and its key is not here.
    """
    from django.conf import settings
    from django.core.management import call_command

    from firstread.clinic.audit import mark_empty, refuse_other_key
    from firstread.clinic.checks.checks import ensure_checks, refuse_unknown_checks

    if not restoring:
        refuse_half_restored()
    with _or_a_sentence():
        _wait_for_database()
    with _or_a_sentence(), _alone(settings.FIRSTREAD.home / "migrate.lock"):
        refuse_newer()
        call_command("migrate", verbosity=0, interactive=False)
        _keep_new_key()
        refuse_other_key()
        mark_empty()
        ensure_checks()
        refuse_unknown_checks()


def open_as_it_is() -> None:
    """See that the database is there in this version's form, and its key.

    Raises BadConfiguration, KeyMissing.

    For commands that only look: they must not make an empty database where a path was mistyped.
    """
    refuse_half_restored()
    with _or_a_sentence():
        refuse_newer()
        behind = unapplied_migrations()
    if behind:
        raise BadConfiguration(
            "There is no database of this version here. Check FIRSTREAD_HOME and database.url, "
            "or start 'firstread up', which makes one or brings it up to date."
        )
    with _or_a_sentence():
        refuse_lost_key()


def refuse_lost_key() -> None:
    """Raises KeyMissing where the database holds something, and its key is not here."""
    from django.conf import settings

    from firstread.clinic.audit import has_content, refuse_other_key

    keys = settings.FIRSTREAD.keys
    if keys.new and has_content():
        raise KeyMissing(
            "The database holds something, and its key is not here: there is neither "
            f"{keys.sessions_file} nor FIRSTREAD_SECRET_KEY. No other is made in its place: "
            "everybody would be signed out, and the audit trail could never be verified again. "
            "Bring secret-key (and audit-key, where there is one) back from the backup of the home "
            "folder, or copy them from a machine that has them. Where nobody has them: firstread "
            "keys lost"
        )
    refuse_other_key()


def _keep_new_key() -> None:
    """A new key is kept where the database is as new; raises as `refuse_lost_key`, and OSError.

    Runs alone among processes of this home folder: of several that start at once the first one's
    key holds.
    """
    from django.conf import settings

    config = settings.FIRSTREAD
    if not config.keys.new:
        return
    kept = keys_of(os.environ, home=config.home)
    if not kept.new:
        use_keys(kept)
        return
    refuse_lost_key()
    keep_first_key()


def keep_first_key() -> None:
    """Keep the key that this process made, as there was none."""
    from django.conf import settings

    keys: Keys = settings.FIRSTREAD.keys
    assert keys.sessions_file is not None  # noqa: S101 - a new one is the environment's never
    try:
        keep_keys(keys.sessions_file, keys.sessions)
    except OSError as error:
        raise BadConfiguration(
            f"No secret key can be kept at {keys.sessions_file} ({error.strerror}). "
            "Set FIRSTREAD_HOME to a folder that Firstread may write to."
        ) from None
    use_keys(keys_of(os.environ, home=settings.FIRSTREAD.home))


def use_keys(keys: Keys) -> None:
    """Let this process sign and seal with these keys."""
    from django.conf import settings

    settings.FIRSTREAD = replace(settings.FIRSTREAD, keys=keys)
    settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS = keys.sessions


def unapplied_migrations() -> int:
    """How many steps the database is behind."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def refuse_half_restored() -> None:
    """Raises BadConfiguration where a backup was brought back half."""
    from django.conf import settings

    mark: Path = settings.FIRSTREAD.home / RESTORING
    if mark.is_file():
        raise BadConfiguration(
            f"A restore of the backup {mark.read_text()} has not ended here. Call 'firstread "
            "restore' again, which goes on with it, or empty the home folder and the database."
        )


def refuse_newer() -> None:
    """Raises BadConfiguration where a newer Firstread has changed the database's form."""
    if newer := unknown_migrations():
        raise BadConfiguration(
            f"The database was brought up to date by a newer Firstread than this one "
            f"({firstread.__version__}): it has the step {newer[-1]}, which is not known here. "
            "Start that version or a later one, or restore the backup that was made before."
        )


def unknown_migrations() -> list[str]:
    """The steps that the database has taken and this version does not know, in their order."""
    from django.db import connection
    from django.db.migrations.loader import MigrationLoader

    loader = MigrationLoader(connection)
    return [
        f"{app}.{name}"
        for app, name in loader.applied_migrations
        if app in loader.migrated_apps and (app, name) not in loader.disk_migrations
    ]


def _wait_for_database() -> None:
    """Return once it answers; raises DatabaseError where waiting is of no use."""
    from django.db import OperationalError, connection

    began_s, told = time.monotonic(), False
    while True:
        try:
            connection.ensure_connection()
        except OperationalError as error:
            waited_s = time.monotonic() - began_s
            if connection.vendor != "postgresql" or waited_s >= waits_s(str(error)):
                raise
            if not told:
                log.warning("the database does not answer yet, and is waited for")
                told = True
            time.sleep(ASKS_EVERY_S)
        else:
            return


def waits_s(said: str) -> float:
    """How long a PostgreSQL that says this is waited for: what it says itself it would say again.

    >>> waits_s('FATAL:  the database system is starting up')
    600.0
    >>> waits_s('connection failed: Connection refused')
    30.0
    >>> waits_s('FATAL:  password authentication failed for user "ana"')
    0.0
    """
    if any(each in said for each in ("starting up", "shutting down", "recovery", "not accepting")):
        return 600.0
    return 0.0 if "FATAL" in said else 30.0


@contextmanager
def _or_a_sentence() -> Iterator[None]:
    from django.db import DatabaseError

    try:
        yield
    except DatabaseError as error:
        said = str(error).partition("\n")[0].rstrip(".")
        raise BadConfiguration(
            f"The database does not open: {said}. Check database.url, and that its server runs."
        ) from None


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One process at a time: by a lock on a file here, and in PostgreSQL among machines."""
    from django.db import connection

    with path.open("w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if connection.vendor != "postgresql":
            yield
            return
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(7001)")
        try:
            yield
        finally:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(7001)")

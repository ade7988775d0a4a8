"""Bringing the server's parts up: Django, the database, the checks."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def open_django() -> None:
    """Set Django up from the configuration; raises BadConfiguration."""
    # Our own settings, whatever another project left in the environment of this shell.
    os.environ["DJANGO_SETTINGS_MODULE"] = "firstread.server.settings"
    import django

    django.setup()


def open_database() -> None:
    """Bring the database to this version's form, and set up a check for each pack."""
    from django.conf import settings
    from django.core.management import call_command

    from firstread.clinic import registry

    with _alone(settings.FIRSTREAD.home / "migrate.lock"):
        call_command("migrate", verbosity=0, interactive=False)
        registry.ensure_checks()


def unapplied_migrations() -> int:
    """How many steps the database is behind."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


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

"""`firstread reread`: what was made unfit is read again, for it may not have been its own fault."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from firstread.clinic.models import Case


@click.command()
@click.argument("cases", nargs=-1, metavar="[CASE]...")
@click.option("--check", help="Every unfit case of this check.")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]),
    help="Every case that was made unfit from then on, UTC.",
)
@click.option("--all", "every", is_flag=True, help="Every unfit case.")
@click.option("--dry-run", is_flag=True, help="Say which, and leave them as they are.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, one a case.")
def reread(
    *,
    cases: tuple[str, ...],
    check: str | None,
    since: datetime | None,
    every: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Read again the CASES of these numbers, or those that the options name, if they are unfit.

    Their histories keep why they were unfit. What a person has answered or signed is left as it
    is. Exit code 1: some were left, and why.
    """
    if bool(cases) == bool(check or since or every):
        raise click.UsageError("Give the numbers of cases, or --check, --since or --all.")
    from firstread.server.start import open_database, open_django

    open_django()
    open_database()
    numbers = list(cases) or [
        str(number) for number in _unfit(check, since).values_list("pk", flat=True)
    ]
    left: Counter[str] = Counter()
    for number in numbers:
        why_not = _one(number, dry_run=dry_run)
        if why_not:
            left[why_not] += 1
        if as_json:
            told = {"case": number, "read_again": not why_not and not dry_run, "why_not": why_not}
            click.echo(json.dumps(told))
        elif cases or why_not or dry_run:
            would = "would be read again" if dry_run else "is read again"
            click.echo(f"{number}  {why_not or would}")
    if not as_json:
        count = len(numbers) - left.total()
        many = "1 case" if count == 1 else f"{count} cases"
        would = "would wait" if dry_run else "waits" if count == 1 else "wait"
        click.echo(f"{many} {would} for a first read again.")
    if left:
        raise click.exceptions.Exit(1)


def _one(number: str, *, dry_run: bool) -> str:
    """Why the case is not read again; '' where it is, or would be."""
    from firstread.clinic.queue.find_case import found_case
    from firstread.clinic.steps.reread import reread as step
    from firstread.clinic.steps.who_may import may_reread
    from firstread.domain.errors import UnknownCase, WrongState

    try:
        if dry_run:
            return may_reread(found_case(number), by=None)
        step(number, by=None)
    except (UnknownCase, WrongState) as error:
        return str(error)
    return ""


def _unfit(check: str | None, since: datetime | None) -> QuerySet[Case]:
    from firstread.clinic.checks.checks import all_checks
    from firstread.clinic.models import Case
    from firstread.domain.case import CaseState
    from firstread.domain.errors import UnknownCheck

    rows = Case.objects.filter(state=CaseState.UNFIT).order_by("read_at", "pk")
    if check is not None:
        here = [each.name for each in all_checks()]
        if check not in here:
            raise UnknownCheck(f"There is no check '{check}'. Checks here: {', '.join(here)}.")
        rows = rows.filter(check_row=check)
    return rows if since is None else rows.filter(read_at__gte=since.replace(tzinfo=UTC))

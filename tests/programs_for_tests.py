"""People of each role, and programs that call the API with their tokens."""

from __future__ import annotations

import json
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client

from firstread.clinic.accounts import tokens
from firstread.clinic.checks import readers
from firstread.clinic.models import Check, Person, Reader, Role
from firstread.clinic.steps import first_read
from tests.images_for_tests import cell_png


@dataclass(frozen=True, kw_only=True)
class Program:
    """Calls the API with one person's token."""

    secret: str
    http: Client

    def __call__(self, method: str, path: str, body: Any = None, **more: Any) -> HttpResponse:
        headers = {"Authorization": f"Bearer {self.secret}", **more.pop("headers", {})}
        if body is not None:
            more |= {"data": json.dumps(body), "content_type": "application/json"}
        return self.http.generic(method, f"/api/v1{path}", headers=headers, **more)

    def put_in(self, *samples: Any, key: str = "", **fields: str) -> HttpResponse:
        headers = {"Authorization": f"Bearer {self.secret}"}
        if key:
            headers["Idempotency-Key"] = key
        return self.http.post("/api/v1/cases", {**fields, "sample": samples}, headers=headers)


def file(data: bytes, name: str = "table.csv") -> BytesIO:
    """A file as a program sends it."""
    made = BytesIO(data)
    made.name = name
    return made


def png(colour: str = "red", *, seed: int = 1, name: str = "cell.png") -> BytesIO:
    """A picture of a cell as a program sends it."""
    return file(cell_png(colour, seed=seed), name)


def open_clinic() -> None:
    """Two checks, read by the tests' own packs; nothing remembered of an earlier test."""
    cache.clear()
    readers.forget()
    Check.objects.create(
        name="leukaemia", title="Leukaemia", pack="colour", kind="image", many=True, readers=2
    )
    Check.objects.create(
        name="breast-cytology", title="Breast cytology", pack="sizes", kind="measurements"
    )


def make_person(role: str = Role.TECHNICIAN, *, name: str = "", reads: bool = True) -> Person:
    """Somebody of that role; a specialist reads every check unless `reads` is False."""
    made = Person.objects.create_user(name or str(role), role=role, email=f"{role}@example.org")
    if reads and role == Role.SPECIALIST:
        for check in Check.objects.all():
            Reader.objects.create(check_row=check, person=made)
    return made


def make_program(
    role: str = Role.TECHNICIAN,
    *,
    name: str = "",
    scopes: tuple[str, ...] = tuple(tokens.SCOPES),
    reads: bool = True,
) -> Program:
    found = Person.objects.filter(username=name or str(role)).first()
    secret, _ = tokens.issue(found or make_person(role, name=name, reads=reads), scopes=scopes)
    return Program(secret=secret, http=Client(raise_request_exception=False))


def read_all_cases() -> None:
    while first_read.read_next(readers.reader_of):
        pass

"""Tokens and scopes: who may call what, and every refusal in one form."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from firstread.clinic.accounts import tokens
from firstread.clinic.api import access, api
from firstread.clinic.models import ApiToken, AuditRow, Person
from firstread.domain.errors import BadConfiguration, NotAllowed
from tests.programs_for_tests import Program, make_person

Make = Callable[..., Program]
NOBODY = uuid.UUID(int=0)
ROUTES = {
    ("POST", "/cases"): "cases:write",
    ("GET", "/cases"): "cases:read",
    ("POST", "/cases/search"): "cases:read",
    ("GET", f"/cases/{NOBODY}"): "cases:read",
    ("POST", f"/cases/{NOBODY}/reviews"): "reviews:write",
    ("DELETE", f"/cases/{NOBODY}/reviews"): "reviews:write",
    ("POST", f"/cases/{NOBODY}/amendments"): "reviews:write",
    ("POST", f"/cases/{NOBODY}/corrections"): "cases:write",
    ("POST", f"/cases/{NOBODY}/withdrawal"): "cases:write",
    ("POST", f"/cases/{NOBODY}/reinstatement"): "cases:write",
    ("GET", f"/cases/{NOBODY}/samples/1/beats"): "cases:read",
    ("GET", "/checks"): "checks:read",
    ("GET", "/packs"): "checks:read",
}
BODIES: dict[str, Any] = {
    "/cases/search": {"accession": "A1"},
    f"/cases/{NOBODY}/reviews": {"label": "red"},
    f"/cases/{NOBODY}/amendments": {"label": "red", "comment": "why"},
    f"/cases/{NOBODY}/corrections": {"accession": "A2"},
    f"/cases/{NOBODY}/withdrawal": {"reason": "why"},
    f"/cases/{NOBODY}/reinstatement": {"reason": "why"},
    "/cases": {"check": "breast-cytology", "accession": "A", "measurements": {"size": 1}},
}


def is_problem(response: Any, status: int) -> bool:
    body = response.json()
    return (
        response.status_code == status
        and response["Content-Type"] == "application/problem+json"
        and {"type", "title", "status", "detail", "instance"} <= set(body)
        and body["status"] == status
        and body["detail"].endswith(".")
    )


def test_every_route_is_walked_here() -> None:
    schema = api.get_openapi_schema(path_prefix="")
    named = {
        (method.upper(), path.replace("{case_id}", str(NOBODY)).replace("{position}", "1"))
        for path, methods in schema["paths"].items()
        for method in methods
    }
    assert named == set(ROUTES)


@pytest.mark.parametrize("role", ["technician", "specialist", "chief", "operator"])
def test_each_route_asks_for_its_scope_and_no_other(program: Make, role: str) -> None:
    for scope in tokens.SCOPES:
        caller = program(role, scopes=(scope,))
        for (method, path), needed in ROUTES.items():
            body = BODIES.get(path) if method == "POST" else None
            answer = caller(method, path, body)
            if scope != needed:
                assert is_problem(answer, 403), (role, scope, method, path)
                assert needed in answer.json()["detail"]
            elif str(NOBODY) in path:
                assert is_problem(answer, 404), (role, scope, method, path)
            else:
                assert answer.status_code in (200, 201, 422), (role, scope, method, path)


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Bearer nonsense", "Basic YTpi", "Bearer \udce9"]
)
def test_without_a_living_token_nothing_is_answered(clinic: None, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    for method, path in ROUTES:
        answer = Client().generic(method, f"/api/v1{path}", headers=headers)
        assert is_problem(answer, 401)
        assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_session_does_not_open_the_api(clinic: None) -> None:
    browser = Client()
    browser.force_login(make_person("chief"), backend="django.contrib.auth.backends.ModelBackend")
    assert browser.get("/api/v1/cases").status_code == 401


def test_a_refused_token_is_told_of_one_that_may_this_and_what_it_may_already(
    clinic: None,
) -> None:
    secret, _ = tokens.issue(make_person("specialist"), scopes=["cases:write"])
    with pytest.raises(NotAllowed, match="--scope cases:write --scope checks:read"):
        tokens.person_of(secret, scope="checks:read")


def test_a_token_ends_when_revoked_expired_or_its_person_leaves(clinic: None) -> None:
    ana = make_person("specialist")
    secret, token = tokens.issue(ana, scopes=["cases:read"], days=1)
    assert tokens.person_of(secret, scope="cases:read") == ana
    Person.objects.update(is_active=False)
    assert tokens.person_of(secret, scope="cases:read") is None
    Person.objects.update(is_active=True)
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert tokens.person_of(secret, scope="cases:read") is None
    ApiToken.objects.update(expires_at=None)
    assert tokens.person_of(secret, scope="cases:read") == ana
    assert tokens.revoke(token)
    assert not tokens.revoke(token)
    assert tokens.person_of(secret, scope="cases:read") is None
    assert list(AuditRow.objects.values_list("action", flat=True)) == [
        "token_issued",
        "token_revoked",
    ]


def test_a_secret_is_kept_nowhere(clinic: None) -> None:
    secret, token = tokens.issue(make_person(), name="scanner")
    token.refresh_from_db()
    kept = str(ApiToken.objects.values()) + str(AuditRow.objects.values())
    assert secret not in kept
    assert secret.startswith("frs_")


@pytest.mark.parametrize(("scopes", "days"), [(["all"], 1), ([], 1), (["cases:read"], 0)])
def test_a_token_that_makes_no_sense_is_refused(clinic: None, scopes: list[str], days: int) -> None:
    with pytest.raises(BadConfiguration):
        tokens.issue(make_person(), scopes=scopes, days=days)


def test_unknown_addresses_and_methods_are_problems_too(program: Make) -> None:
    caller = program()
    assert is_problem(caller("GET", "/nothing"), 404)
    assert is_problem(caller("GET", "/cases/not-a-number"), 404)
    wrong = caller("DELETE", "/cases")
    assert is_problem(wrong, 405)
    assert "POST" in wrong["Allow"]
    assert is_problem(caller("POST", f"/cases/{NOBODY}/reviews", data=b"label=red"), 415)
    assert is_problem(caller("POST", f"/cases/{NOBODY}/reviews", {"label": "r", "x": 1}), 422)


def test_a_loop_gone_wild_is_slowed_down(program: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    caller, other = program(), program(name="other")
    monkeypatch.setattr(access, "REQUESTS_PER_S", 0)
    slow = caller("GET", "/checks")
    assert is_problem(slow, 429)
    assert slow["Retry-After"] == "1"
    monkeypatch.setattr(access, "REQUESTS_PER_S", 100)
    assert other("GET", "/checks").status_code == 200


def test_a_failure_of_ours_says_so_without_its_inside(
    program: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    from firstread.clinic.api import checks

    def broken(**_: object) -> None:
        raise RuntimeError("the inside")

    caller = program()
    monkeypatch.setattr(checks, "shown_checks", broken)
    answer = caller("GET", "/checks")
    assert is_problem(answer, 500)
    assert "inside" not in answer.content.decode()


def test_the_description_of_the_api_is_open_to_all(clinic: None) -> None:
    schema = Client().get("/api/v1/openapi.json").json()
    assert schema["openapi"].startswith("3.1")
    body = schema["paths"]["/api/v1/cases"]["post"]["requestBody"]["content"]
    assert set(body) == {"multipart/form-data", "application/json"}

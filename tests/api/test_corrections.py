"""Cases that were put in wrongly are corrected and withdrawn by a program."""

from __future__ import annotations

from collections.abc import Callable

from firstread.clinic.accounts import tokens
from tests.programs_for_tests import Program, png

Make = Callable[..., Program]


def test_a_case_is_corrected_withdrawn_and_reinstated(
    program: Make, read_all: Callable[[], None]
) -> None:
    technician, chief = program("technician"), program("chief")
    case = technician.put_in(png(), check="leukaemia", accession="A1").json()["case"]["id"]
    read_all()
    at = f"/cases/{case}"
    body = technician("POST", f"{at}/corrections", {"accession": "A2", "patient": "P2"}).json()
    assert (body["accession"], body["patient"], body["state"]) == ("A2", "P2", "read")
    (done,) = body["corrections"]
    assert (done["action"], done["accession_before"]) == ("corrected", "A1")
    assert technician("POST", f"{at}/withdrawal", {"reason": ""}).status_code == 422
    body = technician("POST", f"{at}/withdrawal", {"reason": "Put in twice."}).json()
    assert (body["state"], body["waits_for"], bool(body["withdrawn_at"])) == ("withdrawn", "", True)
    again = technician.put_in(png(), check="leukaemia", accession="A2")
    assert (again.status_code, "Reinstate" in again.json()["detail"]) == (409, True)
    assert chief("POST", f"{at}/reviews", {"label": "red"}).status_code == 409
    body = technician("POST", f"{at}/reinstatement", {"reason": "It was right."}).json()
    assert (body["state"], body["waits_for"]) == ("read", "specialist")


def test_a_token_that_may_not_answer_changes_no_signed_case(
    program: Make, read_all: Callable[[], None]
) -> None:
    chief, lesser = program("chief"), program("chief", scopes=tokens.DEFAULT_SCOPES)
    case = lesser.put_in(png(), check="leukaemia", accession="A1").json()["case"]["id"]
    read_all()
    chief("POST", f"/cases/{case}/reviews", {"label": "red"})
    refused = lesser("POST", f"/cases/{case}/withdrawal", {"reason": "Wrong."})
    assert (refused.status_code, "reviews:write" in refused.json()["detail"]) == (403, True)
    done = chief("POST", f"/cases/{case}/withdrawal", {"reason": "Wrong."}).json()
    assert (done["state"], done["sign_offs"][-1]["label"]) == ("withdrawn", "withdrawn")


def test_an_answer_tells_which_read_of_the_case_its_author_saw(
    program: Make, read_all: Callable[[], None]
) -> None:
    technician, chief = program("technician"), program("chief")
    case = technician.put_in(png(), check="leukaemia", accession="A1").json()["case"]["id"]
    read_all()
    seen = chief("GET", f"/cases/{case}").json()["read_at"]
    technician.put_in(png(seed=7), check="leukaemia", accession="A1")
    read_all()
    old = chief("POST", f"/cases/{case}/reviews", {"label": "red", "read_at": seen})
    assert (old.status_code, "read anew meanwhile" in old.json()["detail"]) == (409, True)
    seen = chief("GET", f"/cases/{case}").json()["read_at"]
    naive = {"label": "red", "read_at": seen.rstrip("Z")}
    assert chief("POST", f"/cases/{case}/reviews", naive).status_code == 422
    new = chief("POST", f"/cases/{case}/reviews", {"label": "red", "read_at": seen})
    assert (new.status_code, new.json()["state"]) == (200, "signed_off")

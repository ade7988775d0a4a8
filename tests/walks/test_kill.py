"""Web and worker are killed at random while samples come in by three doors."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.images_for_tests import cell_png
from tests.site_for_tests import PASSWORD, SETUP, Site, site_on
from tests.smtp_for_tests import Mailbox, mail_through, start_smtp

API, FOLDER, PAGE = 200, 200, 100
KILLS = 10
ANSWERS_WITHIN_S = 150.0


@pytest.fixture(params=["sqlite", "postgresql"])
def site(request: pytest.FixtureRequest, tmp_path: Path, shelf: Path) -> Iterator[Site]:
    with site_on(request.param, home=tmp_path, shelf=shelf) as site:
        # Here it is not the sample that kills its reader.
        site.env["FIRSTREAD_READING_TRIES"] = "20"
        yield site


def test_nothing_is_lost_and_nothing_counts_twice(site: Site) -> None:
    mailbox = Mailbox()
    smtp = start_smtp(mailbox)
    site.env |= mail_through(smtp) | {"FIRSTREAD_MAIL_TIMEOUT_S": "1"}
    try:
        _run_the_day(site)
        site.wait_for(
            lambda: _settled(site, mailbox),
            what="every mail delivered",
            within_s=ANSWERS_WITHIN_S,
        )
    finally:
        site.stop()
        smtp.stop()
    samples = API + FOLDER + PAGE
    one = "SELECT count(*) FROM "
    assert site.query(one + "clinic_case WHERE state = 'read'") == [(samples,)]
    assert site.query(one + "clinic_case") == [(samples,)]
    assert site.query("SELECT count(*), count(DISTINCT sample_id) FROM clinic_casesample") == [
        (samples, samples)
    ]
    assert site.query("SELECT count(*), count(DISTINCT case_sample_id) FROM clinic_readrow") == [
        (samples, samples)
    ]
    mails = "SELECT count(*), count(DISTINCT key), sum(CASE state WHEN 'sent' THEN 1 END)"
    assert site.query(f"{mails} FROM clinic_outgoing") == [(2 * samples,) * 3]
    # Between the server's "accepted" and our writing it down a kill may fall: then the same
    # mail, with the same ID, is handed over again, and a mailbox knows it by that.
    assert len(set(mailbox.ids)) == 2 * samples
    assert len(mailbox.ids) - 2 * samples <= KILLS
    assert not list((site.home / "inbox").rglob("*.why.txt"))
    verified = site.firstread("audit", "verify")
    assert verified.returncode == 0, verified.stderr


def _run_the_day(site: Site) -> None:
    site.token = site.python(SETUP).strip()
    for command in ("up", "worker"):
        site.start(command)
    errors: list[BaseException] = []
    doors = [
        threading.Thread(target=_guarded, args=(send, site, errors), daemon=True)
        for send in (_by_api, _by_folder, _by_page)
    ]
    for door in doors:
        door.start()
    chance = random.Random(7)
    for _ in range(KILLS):
        time.sleep(chance.uniform(0.4, 4.0))
        command = chance.choice(["up", "up", "worker"])
        site.kill(command)
        site.start(command)
    for door in doors:
        door.join(timeout=ANSWERS_WITHIN_S)
        assert not door.is_alive(), "a door did not get its samples in"
    assert errors == []


def _guarded(send: Callable[[Site], None], site: Site, errors: list[BaseException]) -> None:
    try:
        send(site)
    except BaseException as error:
        errors.append(error)
        raise


def _by_api(site: Site) -> None:
    headers = {"Authorization": f"Bearer {site.token}"}
    with httpx.Client(base_url=site.url, headers=headers, timeout=10) as client:
        for number in range(API):
            data = cell_png("red", seed=number, side_px=40)
            _insist(
                lambda data=data, number=number: client.post(
                    "/api/v1/cases",
                    data={"check": "leukaemia", "accession": f"A{number}"},
                    files={"sample": (f"{number}.png", data, "image/png")},
                    headers={"Idempotency-Key": f"key-{number}"},
                ),
                good=(200, 201),
            )


def _by_folder(site: Site) -> None:
    inbox = site.home / "inbox" / "leukaemia"
    inbox.mkdir(parents=True, exist_ok=True)
    for number in range(FOLDER):
        (inbox / f"F{number}_lab.png").write_bytes(cell_png("green", seed=number, side_px=40))
        time.sleep(0.03)


def _by_page(site: Site) -> None:
    with httpx.Client(base_url=site.url, timeout=10) as client:
        _insist(lambda: client.get("/sign-in"), good=(200,))
        _insist(lambda: _sign_in(client), good=(302,))
        for number in range(PAGE):
            data = cell_png("blue", seed=number, side_px=40)
            _insist(
                lambda data=data, number=number: client.post(
                    "/put-in",
                    data={
                        "check": "leukaemia",
                        "accession": f"P{number}",
                        "csrfmiddlewaretoken": client.cookies["csrftoken"],
                    },
                    files={"sample": (f"{number}.png", data, "image/png")},
                    headers={"Accept": "application/json", "Referer": f"{site.url}/put-in"},
                ),
                good=(200,),
            )


def _sign_in(client: httpx.Client) -> httpx.Response:
    token = client.cookies["csrftoken"]
    return client.post(
        "/sign-in",
        data={"username": "tech", "password": PASSWORD, "csrfmiddlewaretoken": token},
        headers={"Referer": str(client.base_url)},
    )


def _insist(send: Callable[[], httpx.Response], *, good: tuple[int, ...]) -> None:
    """Send until it was taken, as a program and a person would who see that the server is away."""
    end = time.monotonic() + ANSWERS_WITHIN_S
    said: object = None
    while time.monotonic() < end:
        try:
            response = send()
            if response.status_code in good:
                return
            said = f"{response.status_code} {response.text[:500]}"
            if response.status_code < 500 and response.status_code not in (409, 429):
                break
        except httpx.TransportError as error:
            said = error
        time.sleep(0.1)
    raise AssertionError(f"never taken: {said}")


def _settled(site: Site, mailbox: Mailbox) -> bool:
    if len(set(mailbox.ids)) < 2 * (API + FOLDER + PAGE):
        return False
    waiting = site.query("SELECT count(*) FROM clinic_outgoing WHERE state <> 'sent'")
    return waiting == [(0,)]

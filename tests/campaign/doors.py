"""Whoever puts samples in: each tries until it was told, as a program and a person would."""

from __future__ import annotations

import json
import os
import queue
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import httpx

from tests.campaign.place import Place
from tests.campaign.samples import Parcel
from tests.site_for_tests import PASSWORD

ANSWER_WITHIN_S = 20.0
LOSES_ANSWER = 0.05
"""So many of those who send lose the answer, and send again."""
STALLS = 0.05
"""So many of those who write a file stop in the middle of it for a moment."""
TO_SUBMIT = 20
REFUSALS = (400, 413, 415, 422)
Waiting = queue.Queue[Parcel | None]
"""What is still to be put in by one door; None at its end."""


def by_api(place: Place, waiting: Waiting, chance: random.Random) -> None:
    headers = {"Authorization": f"Bearer {place.tokens['tech']}"}
    with httpx.Client(base_url=place.site.url, headers=headers, timeout=ANSWER_WITHIN_S) as client:
        for parcel in _each(place, waiting):
            lost = chance.random() < LOSES_ANSWER
            while not place.stopping.is_set():
                if _post(place, client, parcel, timeout_s=0.02 if lost else ANSWER_WITHIN_S):
                    break
                time.sleep(0.0 if lost else 0.2)
                lost = False


def _post(place: Place, client: httpx.Client, parcel: Parcel, *, timeout_s: float) -> bool:
    """Whether the server has said something final."""
    data = {"check": "leukaemia", "accession": parcel.accession}
    if parcel.patient:
        data["patient"] = parcel.patient
    try:
        answer = client.post(
            "/api/v1/cases",
            data=data,
            files=[("sample", (file.name, file.data, "image/png")) for file in parcel.files],
            headers={"Idempotency-Key": parcel.key},
            timeout=timeout_s,
        )
    except httpx.TransportError as error:
        place.ledger.count("api", type(error).__name__)
        return False
    place.ledger.count("api", answer.status_code)
    if answer.status_code in (200, 201):
        body = answer.json()
        _tell(place, parcel, case=body["case"]["id"], refused=len(body["refused"]))
        return True
    if answer.status_code in REFUSALS:
        _all_refused(place, parcel, answer.text)
        return True
    if answer.status_code < 500 and answer.status_code not in (409, 429):
        place.ledger.say(f"the API answered {answer.status_code}: {answer.text[:300]}")
    elif answer.status_code != 503:
        place.ledger.count("api without a sentence", answer.text[:80])
    return False


def by_page(place: Place, waiting: Waiting, chance: random.Random) -> None:
    with httpx.Client(base_url=place.site.url, timeout=ANSWER_WITHIN_S) as client:
        for parcel in _each(place, waiting):
            _until(place, lambda parcel=parcel: _form(place, client, parcel))


def _form(place: Place, client: httpx.Client, parcel: Parcel) -> bool:
    if "sessionid" not in client.cookies and not sign_in(place, client, "tech"):
        return False
    answer = client.post(
        "/put-in",
        data={
            "check": "leukaemia",
            "accession": parcel.accession,
            "patient": parcel.patient,
            "csrfmiddlewaretoken": client.cookies["csrftoken"],
        },
        files=[("sample", (file.name, file.data, "image/png")) for file in parcel.files],
        headers={"Accept": "application/json", "Referer": f"{place.site.url}/put-in"},
    )
    place.ledger.count("page", answer.status_code)
    if "application/json" not in answer.headers.get("Content-Type", ""):
        if answer.status_code in (302, 403):
            client.cookies.clear()
        return False
    results = answer.json().get("results", [])
    said = {file.number: each for file, each in zip(parcel.files, results, strict=False)}
    good = [said[file.number] for file in parcel.files if not file.hostile and said]
    if not said or any(each["error"] for each in good):
        return False  # a person reads the sentence, and tries again
    cases = {each["case"] for each in said.values() if each["case"]}
    refused = sum(each["error"] for each in said.values())
    if cases:
        _tell(place, parcel, case=cases.pop(), refused=refused)
    else:
        _all_refused(place, parcel, results[0]["says"])
    return True


def sign_in(place: Place, client: httpx.Client, name: str) -> bool:
    client.get("/sign-in").raise_for_status()
    token = client.cookies["csrftoken"]
    answer = client.post(
        "/sign-in",
        data={"username": name, "password": PASSWORD, "csrfmiddlewaretoken": token},
        headers={"Referer": place.site.url},
    )
    place.ledger.count("sign-in", answer.status_code)
    return answer.status_code == 302


def by_folder(place: Place, waiting: Waiting, chance: random.Random) -> None:
    for parcel in _each(place, waiting):
        stalls = chance.random() < STALLS
        _until(place, lambda parcel=parcel, stalls=stalls: _write(place, parcel, stalls=stalls))
        time.sleep(0.02)


def _write(place: Place, parcel: Parcel, *, stalls: bool) -> bool:
    (file,) = parcel.files
    folder = place.inbox / "leukaemia"
    with place.inbox_is_there:
        made = folder / f"{file.name}.part"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with made.open("wb") as out:
                out.write(file.data[: len(file.data) // 2])
                out.flush()
                if stalls:
                    time.sleep(0.3)
                out.write(file.data[len(file.data) // 2 :])
            made.rename(folder / file.name)
        except OSError:
            made.unlink(missing_ok=True)
            raise
    return True


def by_submit(place: Place, waiting: Waiting, chance: random.Random) -> None:
    """`firstread submit`, again and again until it has told of everything."""
    while (batch := _batch(place, waiting)) and not place.stopping.is_set():
        with tempfile.TemporaryDirectory(dir=place.work) as folder:
            for parcel in batch:
                (Path(folder) / parcel.files[0].name).write_bytes(parcel.files[0].data)
            _until(place, lambda folder=folder, batch=batch: _submit(place, folder, batch))


def _submit(place: Place, folder: str, batch: Sequence[Parcel]) -> bool:
    words = ["-m", "firstread", "submit", folder, "--check", "leukaemia", "--json"]
    done = subprocess.run(
        [sys.executable, *words, "--server", place.site.url],
        env=os.environ | place.site.env | {"FIRSTREAD_TOKEN": place.tokens["tech"]},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    place.ledger.count("submit", done.returncode)
    by_name = {parcel.files[0].name: parcel for parcel in batch}
    told = [json.loads(line) for line in done.stdout.splitlines()]
    open_ones = set(by_name)
    for each in told:
        name = Path(each["files"][0]).name
        parcel = by_name[name]
        if "case" in each:
            place.ledger.take(parcel, each["case"])
            open_ones.discard(name)
        elif not parcel.has_case:
            _all_refused(place, parcel, each["refused"][0])
            open_ones.discard(name)
    return not open_ones


def _batch(place: Place, waiting: Waiting) -> list[Parcel]:
    batch: list[Parcel] = []
    for parcel in _each(place, waiting):
        batch.append(parcel)
        if len(batch) == TO_SUBMIT:
            break
    return batch


def _each(place: Place, waiting: Waiting) -> Iterator[Parcel]:
    """What is there to be put in, until there is no more (a shut queue gives None)."""
    while not place.stopping.is_set():
        parcel = waiting.get()
        if parcel is None:
            waiting.put(None)
            return
        place.ledger.parcels[parcel.number] = parcel
        yield parcel


def _tell(place: Place, parcel: Parcel, *, case: str, refused: int) -> None:
    place.ledger.take(parcel, case)
    hostile = sum(file.hostile for file in parcel.files)
    if refused > hostile:
        place.ledger.say(f"parcel {parcel.number}: {refused} of its files were refused")


def _all_refused(place: Place, parcel: Parcel, said: str) -> None:
    for file in parcel.files:
        place.ledger.refuse(file.number, said[:300])
    if parcel.has_case:
        place.ledger.say(f"parcel {parcel.number}, a good one, was refused: {said[:300]}")


def _until(place: Place, done: Callable[[], bool]) -> None:
    while not place.stopping.is_set():
        try:
            if done():
                return
        except (httpx.HTTPError, OSError) as error:
            place.ledger.count("not reached", type(error).__name__)
        time.sleep(0.3)

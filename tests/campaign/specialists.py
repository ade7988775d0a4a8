"""Specialists who answer cases while everything breaks, by page and by the API."""

from __future__ import annotations

import random
import threading
import time
import uuid
from typing import Any

import httpx

from tests.campaign.doors import ANSWER_WITHIN_S, sign_in
from tests.campaign.ledger import Sent
from tests.campaign.place import Place
from tests.campaign.samples import COLOURS

DIFFERS = 0.1
"""So often a specialist names another label."""


def answer_by_api(place: Place, name: str, chance: random.Random, over: threading.Event) -> None:
    headers = {"Authorization": f"Bearer {place.tokens[name]}"}
    with httpx.Client(base_url=place.site.url, headers=headers, timeout=ANSWER_WITHIN_S) as client:
        while not over.is_set():
            for case in _open_cases(place, client, chance):
                label = _label(case, chance)
                taken = _answer(place, client, case=case["id"], label=label)
                place.ledger.sent.append(Sent(case=case["id"], by=name, label=label, taken=taken))
                if over.wait(0.2):
                    return
            over.wait(1.0)


def _open_cases(place: Place, client: httpx.Client, chance: random.Random) -> list[dict[str, Any]]:
    try:
        answer = client.get("/api/v1/cases", params={"state": "read", "limit": 40})
    except httpx.TransportError:
        return []
    place.ledger.count("list", answer.status_code)
    cases: list[dict[str, Any]] = answer.json()["cases"] if answer.status_code == 200 else []
    return chance.sample(cases, len(cases) // 2)


def _label(case: dict[str, Any], chance: random.Random) -> str:
    if case["finding"] and chance.random() > DIFFERS:
        return str(case["finding"])
    return chance.choice(COLOURS)


def _answer(place: Place, client: httpx.Client, *, case: str, label: str) -> bool:
    """Whether the server said that the answer counts; asked again with the same key."""
    key = f"answer-{case}"
    while not place.stopping.is_set():
        try:
            answer = client.post(
                f"/api/v1/cases/{case}/reviews",
                json={"label": label},
                headers={"Idempotency-Key": key},
            )
        except httpx.TransportError:
            time.sleep(0.2)
            continue
        place.ledger.count("answer", answer.status_code)
        if answer.status_code < 500:
            return answer.status_code == 200
        time.sleep(0.2)
    return False


def answer_by_page(place: Place, name: str, chance: random.Random, over: threading.Event) -> None:
    """Opens a case, and presses the button; what the page says then is not asked."""
    read = "SELECT id, finding FROM clinic_case WHERE state = 'read' AND finding <> ''"
    with httpx.Client(base_url=place.site.url, timeout=ANSWER_WITHIN_S) as client:
        while not over.wait(0.5):
            rows = place.ask(f"{read} ORDER BY received_at LIMIT 20")
            if not rows:
                continue
            case, label = chance.choice(rows)
            case = str(uuid.UUID(str(case)))
            try:
                if "sessionid" not in client.cookies:
                    sign_in(place, client, name)
                seen = client.get(f"/cases/{case}")
                place.ledger.count("case page", seen.status_code)
                # Written down before it is sent: an answer that is lost may have counted.
                place.ledger.sent.append(Sent(case=case, by=name, label=label, taken=False))
                answer = client.post(
                    f"/cases/{case}/answer",
                    data={"agree": label, "csrfmiddlewaretoken": client.cookies["csrftoken"]},
                    headers={"Referer": f"{place.site.url}/cases/{case}"},
                )
                place.ledger.count("answer by page", answer.status_code)
            except (httpx.HTTPError, KeyError):
                continue

"""A client of the JSON API that sends nothing twice, however often it has to try."""

from __future__ import annotations

import json
import ssl
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from firstread.client.answers import BUSY, json_of
from firstread.client.closing import Closing
from firstread.domain.errors import BadConfiguration, Unreachable

TRIES = 6
LONGEST_PAUSE_S = 30.0

Sample = Path | tuple[str, bytes]
"""A file, or a name and the bytes."""


@dataclass(frozen=True, kw_only=True)
class Submitted:
    """What became of the samples that were put in."""

    case_id: str
    state: str
    created: bool
    """A case came of them; otherwise they joined one, or were there already."""
    added: int
    refused: tuple[tuple[str, str], ...]
    """Name and reason of each sample that could not be opened."""


class Client(Closing):
    """Speaks to one server with one person's token.

    What a laboratory's system sends must arrive once: each request that changes something carries
    an Idempotency-Key, so it is tried again after a broken connection without harm. Raises
    Unreachable where the server does not answer, and otherwise the error that the server names.

        with Client("https://firstread.example.org", token) as client:
            done = client.submit([Path("865102_1.jpg")], check="leukaemia", accession="865102")
            print(client.case(done.case_id)["state"])
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        timeout_s: float = 60.0,
        tries: int = TRIES,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            raise BadConfiguration(
                "The address of the server must begin with https:// or http:// and name a host."
            )
        if not token or any(not "!" <= sign <= "~" for sign in token):
            raise BadConfiguration(
                "There is no token, or it holds a space, a line end or another character that no "
                "token has: copy it whole, or have one made with 'firstread token PERSON'."
            )
        self._root = urlsplit(url).path.rstrip("/")
        self._host = urlsplit(url).netloc.rpartition("@")[2]
        self._tries = max(1, tries)
        self._sleep = sleep
        self._http = httpx.Client(
            base_url=f"{url.rstrip('/')}/api/v1",
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            timeout=timeout_s,
            transport=transport,
        )

    def submit(
        self,
        samples: Sequence[Sample],
        *,
        check: str,
        accession: str = "",
        patient: str = "",
        edge: Mapping[str, Any] | None = None,
        key: str = "",
    ) -> Submitted:
        """Put images in as one case.

        `edge` is what an edge says of them (docs/edge.md); a request with the same `key` counts
        once, also in another process. Raises UnreadableSample where none of them can be opened,
        UnknownCheck, NotAllowed.
        """
        named = [
            (sample.name, sample.read_bytes()) if isinstance(sample, Path) else sample
            for sample in samples
        ]
        fields = {"check": check, "accession": accession, "patient": patient}
        if edge is not None:
            fields["edge"] = json.dumps(edge)
        answer = self._post(
            "/cases",
            key=key,
            data={name: value for name, value in fields.items() if value},
            files=[("sample", (name, data, "application/octet-stream")) for name, data in named],
        )
        return _submitted(answer)

    def submit_measurements(
        self,
        values: Mapping[str, float | None],
        *,
        check: str,
        accession: str = "",
        patient: str = "",
        edge: Mapping[str, Any] | None = None,
        key: str = "",
    ) -> Submitted:
        """Put one row of measurements in as a case; raises BadMeasurement, naming the field."""
        body: dict[str, Any] = {
            "check": check,
            "accession": accession,
            "patient": patient,
            "measurements": dict(values),
        }
        if edge is not None:
            body["edge"] = dict(edge)
        return _submitted(self._post("/cases", key=key, json=body))

    def cases(self, *, state: str = "", check: str = "") -> Iterator[dict[str, Any]]:
        """Every case, newest first, page by page as they are asked for."""
        asked = {"state": state, "check": check, "limit": "200"}
        params = {name: value for name, value in asked.items() if value}
        while True:
            page = self._get("/cases", params=params)
            yield from page["cases"]
            if not page["next"]:
                return
            params["cursor"] = page["next"]

    def find(self, accession: str, *, check: str = "") -> list[dict[str, Any]]:
        """The cases of an accession."""
        asked: dict[str, Any] = {"accession": accession, "check": check}
        found: list[dict[str, Any]] = []
        while True:
            page = self._post("/cases/search", json=asked)
            found += page["cases"]
            if not page["next"]:
                return found
            asked["cursor"] = page["next"]

    def case(self, case_id: str | uuid.UUID) -> dict[str, Any]:
        """Everything about a case; raises UnknownCase."""
        return self._get(f"/cases/{_number(case_id)}")

    def review(
        self, case_id: str | uuid.UUID, *, label: str, comment: str = "", confirm: str = ""
    ) -> dict[str, Any]:
        """Answer a case; raises WrongState, NotAllowed, BadMeasurement (no such label).

        To agree with a first read that does not stand, `confirm` says what stands in the case's
        `verdict["doubt"]`.
        """
        body = {"label": label, "comment": comment} | ({"confirm": confirm} if confirm else {})
        return self._post(f"/cases/{_number(case_id)}/reviews", json=body)

    def amend(self, case_id: str | uuid.UUID, *, label: str, comment: str) -> dict[str, Any]:
        """Correct a signed-off case, and say why; raises as `review` does."""
        body = {"label": label, "comment": comment}
        return self._post(f"/cases/{_number(case_id)}/amendments", json=body)

    def checks(self) -> list[dict[str, Any]]:
        """What can be asked of a sample."""
        return list(self._get("/checks")["checks"])

    def packs(self) -> list[dict[str, Any]]:
        """The models that the server has, and how well they did where they were measured."""
        return list(self._get("/packs")["packs"])

    def clock(self) -> datetime:
        """What the server's clock says now, to the second; raises Unreachable.

        >>> here = httpx.MockTransport(lambda _: httpx.Response(
        ...     200, text="ok", headers={"Date": "Fri, 20 Nov 2026 08:00:00 GMT"}))
        >>> Client("http://x.example", "frs_1", transport=here).clock().isoformat()
        '2026-11-20T08:00:00+00:00'
        """
        try:
            response = self._http.get(self._http.base_url.copy_with(path=self._root + "/healthz"))
        except httpx.RequestError as error:
            if _is_untrusted(error):
                raise self._untrusted() from None
            raise Unreachable(
                f"The server {self._host} does not answer. Check its address and the network."
            ) from None
        if response.status_code in BUSY:
            raise Unreachable(
                f"The server {self._host} cannot be reached at the moment (status "
                f"{response.status_code}). Try again later."
            )
        if not response.is_success or response.text.strip() != "ok":
            raise Unreachable(
                f"What answers at {self._host} is no Firstread clinic (status "
                f"{response.status_code}). Check the address."
            )
        try:
            return parsedate_to_datetime(response.headers["Date"]).astimezone(UTC)
        except (KeyError, ValueError):
            raise Unreachable(
                f"The server {self._host} does not say what time it is. Let the proxy before it "
                "pass the header Date."
            ) from None

    def _untrusted(self) -> Unreachable:
        return Unreachable(
            f"The certificate of {self._host} is not trusted here, so nothing was sent. Check the "
            "address and this machine's clock; name your own authority's file in SSL_CERT_FILE."
        )

    def close(self) -> None:
        """Close the connection; `with` does it by itself."""
        self._http.close()

    def _get(self, path: str, **given: Any) -> dict[str, Any]:
        return self._send("GET", path, **given)

    def _post(self, path: str, *, key: str = "", **given: Any) -> dict[str, Any]:
        headers = {"Idempotency-Key": key or uuid.uuid4().hex}
        return self._send("POST", path, headers=headers, **given)

    def _send(self, method: str, path: str, **given: Any) -> dict[str, Any]:
        # httpx itself tries only a connect again; a lost answer needs the key, which is ours.
        for left in reversed(range(self._tries)):
            pause_s = min(0.5 * 2 ** (self._tries - 1 - left), LONGEST_PAUSE_S)
            try:
                response = self._http.request(method, path, **given)
            except httpx.RequestError as error:
                if _is_untrusted(error):
                    raise self._untrusted() from None
                if not left:
                    raise Unreachable(
                        f"The server {self._host} does not answer. Check its address and the "
                        "network, and send it again: nothing is received twice."
                    ) from None
            else:
                if response.status_code not in BUSY or not left:
                    return json_of(response)
                pause_s = _asked_pause_s(response, otherwise=pause_s)
            self._sleep(pause_s)
        raise AssertionError("unreachable")


def _is_untrusted(error: BaseException) -> bool:
    """Whether a certificate was the reason, which httpx hides in what its error came from."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, ssl.SSLCertVerificationError):
            return True
        found = found.__cause__ or found.__context__
    return False


def _asked_pause_s(response: httpx.Response, *, otherwise: float) -> float:
    asked = response.headers.get("Retry-After", "")
    return min(float(asked), LONGEST_PAUSE_S) if asked.isdecimal() else otherwise


def _number(case_id: str | uuid.UUID) -> str:
    """The case's number, never a piece of another address."""
    try:
        return str(uuid.UUID(str(case_id)))
    except ValueError:
        raise BadConfiguration("This is no number of a case. Copy it from the list.") from None


def _submitted(answer: dict[str, Any]) -> Submitted:
    return Submitted(
        case_id=answer["case"]["id"],
        state=answer["case"]["state"],
        created=answer["created"],
        added=answer["added"],
        refused=tuple((each["name"], each["reason"]) for each in answer["refused"]),
    )

"""Posting one event to one address, and what the answer means for trying again."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

import firstread
from firstread.connect.channel import ASKED_OFTEN_S, Delivery, Parcel
from firstread.connect.line import Answered, Line
from firstread.connect.webhook.settings import WebhookSettings, host_of
from firstread.connect.webhook.signature import signed
from firstread.domain.errors import Unreachable


def deliver(parcel: Parcel, settings: WebhookSettings) -> Delivery:
    """Post it once, within the time that the settings give; never raises for what may happen."""
    host = host_of(parcel.address)
    if parcel.address not in settings.addresses:
        return Delivery(error=f"{host} is no longer among webhook.addresses.", permanent=True)
    # The same bytes at each try, also where a database gives the keys back in another order.
    body = json.dumps(parcel.payload, sort_keys=True, separators=(",", ":")).encode()
    headers = signed(body, key=parcel.key, secret=settings.secret, at_s=int(time.time()))
    try:
        answered = line_to(parcel.address).ask(
            "POST",
            "",
            timeout_s=settings.timeout_s,
            max_bytes=None,
            headers={**headers, "Content-Type": "application/json", **ABOUT},
            body=body,
        )
    except Unreachable as error:
        return Delivery(error=str(error), address_down=True, asked_again_within_s=ASKED_OFTEN_S)
    return _meaning(answered, host=host)


ABOUT = {"User-Agent": f"Firstread/{firstread.__version__}"}


@lru_cache(maxsize=64)
def line_to(address: str) -> Line:
    """The connections to one address, which outlast a delivery."""
    return Line(address, host=host_of(address))


def _meaning(answered: Answered, *, host: str) -> Delivery:
    status = answered.status
    if 200 <= status < 300:
        return Delivery()
    if status == 410:
        return Delivery(error=f"{host} answered 410: it takes no more events.", permanent=True)
    if 300 <= status < 400:
        return Delivery(error=points_elsewhere(host, status=status))
    return Delivery(
        error=f"{host} answered {status}.",
        again_in_s=_asked_s(answered.headers.get("retry-after", "")),
        # What else is refused may be about this one event, and the next may be taken.
        address_down=status == 429 or status >= 500,
        asked_again_within_s=ASKED_OFTEN_S,
    )


def points_elsewhere(host: str, *, status: int) -> str:
    """What an operator must know of an address that moved."""
    return (
        f"{host} answered {status} and points elsewhere, where no event is sent: write the "
        "address there into webhook.addresses."
    )


def _asked_s(retry_after: str) -> float:
    """How long the header asks to wait: seconds or a moment (RFC 9110, 10.2.3).

    >>> _asked_s("120"), _asked_s("soon"), _asked_s("Wed, 21 Oct 2015 07:28:00 GMT")
    (120.0, 0.0, 0.0)
    >>> _asked_s("9" * 400), _asked_s("Wed, 21 Oct 99999999999999999999 07:28:00 GMT")
    (inf, 0.0)
    """
    if retry_after.isascii() and retry_after.isdecimal():
        return float(retry_after)
    try:
        moment = parsedate_to_datetime(retry_after)
    except (ValueError, OverflowError):  # a number in it that no date can hold
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())

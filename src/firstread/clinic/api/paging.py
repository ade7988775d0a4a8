"""A place in a list of cases as the text that stands for it in an answer and a request."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from uuid import UUID

from firstread.clinic.api.problems import Refused
from firstread.clinic.shown.case_list import Place


def cursor_of(place: Place | None) -> str | None:
    """The text that a program sends back to have the next page; None at the end."""
    if place is None:
        return None
    return base64.urlsafe_b64encode(f"{place.received_at.isoformat()} {place.id}".encode()).decode()


def place_of(cursor: str | None) -> Place | None:
    """The place that the text stands for; refuses one that was made up."""
    if cursor is None:
        return None
    try:
        at, _, case_id = base64.urlsafe_b64decode(cursor.encode()).decode().partition(" ")
        place = Place(received_at=datetime.fromisoformat(at), id=UUID(case_id))
        if place.received_at.tzinfo is None:
            raise ValueError("no time zone")  # noqa: TRY301  it joins the others
    except (ValueError, binascii.Error, UnicodeError):
        raise Refused(422, "This cursor is none of ours. Begin again without one.") from None
    return place

"""Pages of cases that hang together however many come in between."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from firstread.clinic.api.problems import Refused
from firstread.clinic.models import Case


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """The last case of a page, by what the list is ordered by."""

    received_at: datetime
    id: UUID

    @classmethod
    def opened(cls, text: str | None) -> Cursor | None:
        """The cursor that the text holds; refuses one that was made up."""
        if text is None:
            return None
        try:
            at, _, case_id = base64.urlsafe_b64decode(text.encode()).decode().partition(" ")
            cursor = cls(received_at=datetime.fromisoformat(at), id=UUID(case_id))
            if cursor.received_at.tzinfo is None:
                raise ValueError("no time zone")  # noqa: TRY301  it joins the others
        except (ValueError, binascii.Error, UnicodeError):
            raise Refused(422, "This cursor is none of ours. Begin again without one.") from None
        return cursor

    def __str__(self) -> str:
        plain = f"{self.received_at.isoformat()} {self.id}"
        return base64.urlsafe_b64encode(plain.encode()).decode()


def page_of(
    cases: QuerySet[Case], *, after: Cursor | None, limit: int
) -> tuple[list[Case], str | None]:
    """Up to `limit` cases after the cursor, newest first, and the cursor of the next page."""
    if after is not None:
        cases = cases.filter(
            Q(received_at__lt=after.received_at) | Q(received_at=after.received_at, id__lt=after.id)
        )
    found: list[Case] = list(
        cases.annotate(sample_count=Count("samples")).order_by("-received_at", "-id")[: limit + 1]
    )
    page = found[:limit]
    if len(found) <= limit:
        return page, None
    return page, str(Cursor(received_at=page[-1].received_at, id=page[-1].id))

"""A stored read as the frozen value it was."""

from __future__ import annotations

from firstread.clinic.models import ReadRow
from firstread.domain.read import Contribution, Familiarity, Finding, Read


def read_of(row: ReadRow) -> Read:
    """The Read whose values the row keeps."""
    body = dict(row.body)
    body.pop("logits", None)
    familiarity = body.pop("familiarity")
    return Read(
        **{
            **body,
            "findings": tuple(Finding(**each) for each in body["findings"]),
            "finding_set": tuple(body["finding_set"]),
            "familiarity": Familiarity(**familiarity) if familiarity else None,
            "alarms": tuple(body["alarms"]),
            "contributions": tuple(
                Contribution(**{**each, "logits": tuple(each["logits"])})
                for each in body["contributions"]
            ),
        }
    )

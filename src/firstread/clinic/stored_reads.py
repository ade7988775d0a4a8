"""A stored read as the frozen value it was."""

from __future__ import annotations

from firstread.clinic.models import ReadRow
from firstread.domain.read import Contribution, Familiarity, Finding, Read


def codes_of(row: ReadRow) -> tuple[str, ...]:
    """The labels in the order of the logits, as the pack had them when it read."""
    return tuple(row.body.get("codes", ()))


def read_of(row: ReadRow) -> Read:
    """The Read whose values the row keeps."""
    body = dict(row.body)
    for beside in ("logits", "codes"):
        body.pop(beside, None)
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

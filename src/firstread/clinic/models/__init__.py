"""The rows of the clinic."""

from firstread.clinic.models.access import ApiToken, IdempotencyKey
from firstread.clinic.models.cases import (
    Case,
    CaseSample,
    Patient,
    RefusedSample,
    Sample,
)
from firstread.clinic.models.corrections import Correction
from firstread.clinic.models.decisions import Review, SignOff, VoidReview
from firstread.clinic.models.keeping import Ails, BackupRow, Chore, Hold, Restored, StoreFault
from firstread.clinic.models.outages import Outage
from firstread.clinic.models.outbox import Outgoing, OutgoingState, Resting
from firstread.clinic.models.people import Check, Person, Reader, Role
from firstread.clinic.models.reads import ReadRow, ReplacedRead
from firstread.clinic.models.trail import AuditHead, AuditRow
from firstread.clinic.models.words import CaseWords
from firstread.clinic.models.workers import WorkerRow

__all__ = [
    "Ails",
    "ApiToken",
    "AuditHead",
    "AuditRow",
    "BackupRow",
    "Case",
    "CaseSample",
    "CaseWords",
    "Check",
    "Chore",
    "Correction",
    "Hold",
    "IdempotencyKey",
    "Outage",
    "Outgoing",
    "OutgoingState",
    "Patient",
    "Person",
    "ReadRow",
    "Reader",
    "RefusedSample",
    "ReplacedRead",
    "Resting",
    "Restored",
    "Review",
    "Role",
    "Sample",
    "SignOff",
    "StoreFault",
    "VoidReview",
    "WorkerRow",
]
